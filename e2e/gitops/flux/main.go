// Applies a directory as Flux's kustomize-controller does, with the packages it is made of: server-side apply with its
// field manager, waiting by kstatus, pruning of what is not in the directory any more.
//
//	flux DIRECTORY NAMESPACE SECONDS [APIVERSION/KIND/NAME to prune]...
//
// Prints one line per object: what the applier did with it; then `judged SUBJECT STATUS READY` each time another verdict is
// made of one of our objects while waiting: what kstatus says, and what the same object's own condition `Ready` says. Ends
// with 1 when the objects are not healthy in time, and says why in the words that Flux shows.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/engine"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/statusreaders"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/ssa"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 3 {
		return fmt.Errorf("flux DIRECTORY NAMESPACE SECONDS [APIVERSION/KIND/NAME]...")
	}
	seconds, err := strconv.Atoi(arguments[2])
	if err != nil {
		return err
	}
	objects, err := read(arguments[0], arguments[1])
	if err != nil {
		return err
	}
	manager, err := connect()
	if err != nil {
		return err
	}
	done, err := manager.ApplyAll(context.Background(), objects, ssa.DefaultApplyOptions())
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	for _, entry := range done.Entries {
		fmt.Println(entry.Subject, entry.Action)
	}
	for _, gone := range arguments[3:] {
		entry, err := manager.Delete(context.Background(), named(gone, arguments[1]), ssa.DefaultDeleteOptions())
		if err != nil {
			return fmt.Errorf("prune: %w", err)
		}
		fmt.Println(entry.Subject, entry.Action)
	}
	wait := ssa.WaitOptions{Interval: 200 * time.Millisecond, Timeout: time.Duration(seconds) * time.Second, FailFast: true}
	return manager.Wait(objects, wait)
}

func connect() (*ssa.ResourceManager, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	// A client that waits for its own limit would hide why the objects are not healthy.
	config.QPS = -1
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	readers := []engine.StatusReader{&judging{
		StatusReader: statusreaders.NewGenericStatusReader(c.RESTMapper(), judge()),
	}}
	poller := polling.NewStatusPoller(c, c.RESTMapper(), polling.Options{CustomStatusReaders: readers})
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	return ssa.NewResourceManager(c, poller, owner), nil
}

// Reads our objects as all others are read that kstatus has no reader of their own for.
type judging struct{ engine.StatusReader }

func (judging) Supports(kind schema.GroupKind) bool { return kind.Group == "rowlock.dev" }

// The verdict of kstatus, printed where it is another than the one before of the same object.
func judge() statusreaders.StatusFunc {
	var lock sync.Mutex
	last := map[string]string{}
	return func(object *unstructured.Unstructured) (*status.Result, error) {
		result, err := status.Compute(object)
		if err != nil {
			return nil, err
		}
		subject := ssautil.FmtUnstructured(object)
		said := fmt.Sprintf("%s %s", result.Status, ready(object))
		lock.Lock()
		defer lock.Unlock()
		if last[subject] != said {
			last[subject] = said
			fmt.Println("judged", subject, said)
		}
		return result, nil
	}
}

// The status of the condition `Ready`; `Stale` where it is about an earlier form, `None` where there is none.
func ready(object *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range conditions {
		condition, _ := one.(map[string]any)
		if condition["type"] != "Ready" {
			continue
		}
		if condition["observedGeneration"] != object.GetGeneration() {
			return "Stale"
		}
		return fmt.Sprint(condition["status"])
	}
	return "None"
}

func read(directory, namespace string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, file := range files {
		opened, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		found, err := ssautil.ReadObjects(opened)
		opened.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, object := range found {
			object.SetNamespace(namespace)
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

func named(text, namespace string) *unstructured.Unstructured {
	parts := strings.Split(text, "/")
	object := &unstructured.Unstructured{}
	object.SetName(parts[len(parts)-1])
	object.SetKind(parts[len(parts)-2])
	object.SetAPIVersion(strings.Join(parts[:len(parts)-2], "/"))
	object.SetNamespace(namespace)
	return object
}
