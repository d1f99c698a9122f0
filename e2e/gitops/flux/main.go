// Applies a directory as Flux's kustomize-controller does, with the packages it is made of: server-side apply with its
// field manager, waiting by kstatus, pruning of what is not in the directory any more.
//
//	flux DIRECTORY NAMESPACE SECONDS [APIVERSION/KIND/NAME to prune]...
//
// Prints one line per object: what the applier did with it. Ends with 1 when the objects are not healthy in time, and says
// why in the words that Flux shows.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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
	poller := polling.NewStatusPoller(c, c.RESTMapper(), polling.Options{})
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	return ssa.NewResourceManager(c, poller, owner), nil
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
