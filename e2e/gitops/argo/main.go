// Works as Argo CD does, with the packages it is made of.
//
//	argo judge HEALTH.lua < PAIRS.json            health by a Lua script, and whether live objects differ from those in Git
//	argo sync HEALTH.lua DIRECTORY NAMESPACE SECONDS   applies a directory wave by wave, and deletes what is not in it any more
//
// PAIRS.json is a list of {"config": object or null, "live": object}. `judge` prints a JSON list in the same order:
// {"status": …, "message": …, "modified": by the client's own comparison, "modifiedOnServer": by a dry run of the API
// server}. `sync` prints {"waves": [wave, …], "steps": [{"wave": …} or {"object": …, "status": …, "ready": …}, …], "results":
// [{"object": …, "status": …, "message": …}, …]}, steps in the order in which they happened, and ends with 1 when it failed
// or was not over in time.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/gitops-engine/pkg/health"
)

// The name under which Argo CD applies objects.
const manager = "argocd-controller"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 2 && arguments[0] == "judge":
		overrides, err := read(arguments[1])
		if err != nil {
			return err
		}
		return print(judge(overrides, os.Stdin))
	case len(arguments) == 5 && arguments[0] == "sync":
		overrides, err := read(arguments[1])
		if err != nil {
			return err
		}
		return print(synchronize(overrides, arguments[2], arguments[3], arguments[4]))
	}
	return fmt.Errorf("argo judge HEALTH.lua | argo sync HEALTH.lua DIRECTORY NAMESPACE SECONDS")
}

// The script, as `resource.customizations` of Argo CD's ConfigMap gives it.
func read(script string) (health.HealthOverride, error) {
	text, err := os.ReadFile(script)
	if err != nil {
		return nil, err
	}
	return lua.ResourceHealthOverrides(map[string]v1alpha1.ResourceOverride{
		"rowlock.dev/*": {HealthLua: string(text)},
	}), nil
}

// What failed may have an answer too.
func print[T any](answer T, err error) error {
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(answer))
}
