// Judges objects as Argo CD does, with the packages it is made of: health by a Lua script, and whether the live object
// differs from the one in Git.
//
//	argo health.lua < pairs.json        a JSON list of {"config": object or null, "live": object}
//
// Prints a JSON list of {"status": …, "message": …, "modified": …} in the same order.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type pair struct {
	Config *unstructured.Unstructured `json:"config"`
	Live   *unstructured.Unstructured `json:"live"`
}

type verdict struct {
	Status   string `json:"status"`
	Message  string `json:"message"`
	Modified bool   `json:"modified"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	script, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var pairs []pair
	if err := json.NewDecoder(os.Stdin).Decode(&pairs); err != nil {
		return err
	}
	verdicts := []verdict{}
	for _, one := range pairs {
		// As for scripts of a user's: without the open libraries.
		health, err := lua.VM{}.ExecuteHealthLua(one.Live, string(script))
		if err != nil {
			return fmt.Errorf("%s/%s: %w", one.Live.GetKind(), one.Live.GetName(), err)
		}
		found := verdict{Status: string(health.Status), Message: health.Message}
		if one.Config != nil {
			difference, err := diff.Diff(one.Config, one.Live, diff.WithNormalizer(diff.GetNoopNormalizer()))
			if err != nil {
				return fmt.Errorf("%s/%s: %w", one.Live.GetKind(), one.Live.GetName(), err)
			}
			found.Modified = difference.Modified
		}
		verdicts = append(verdicts, found)
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}
