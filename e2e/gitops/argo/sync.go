package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
)

// By this Argo CD knows again what it applied.
const tracking = "argocd.argoproj.io/tracking-id"

// Between two looks.
const pause = 300 * time.Millisecond

type result struct {
	Object  string `json:"object"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// Something that happened: a wave was applied, or one of our objects was judged, another way than before.
type step struct {
	Wave   *int   `json:"wave,omitempty"`
	Object string `json:"object,omitempty"`
	Status string `json:"status,omitempty"`
	// The status of the same object's condition `Ready`; `Stale` where it is about an earlier form, `None` where there is none.
	Ready string `json:"ready,omitempty"`
}

type synchronized struct {
	Waves   []int    `json:"waves"`
	Steps   []step   `json:"steps"`
	Results []result `json:"results"`
}

// Judges as `HealthOverride` does, and writes down what it said of our objects.
type judging struct {
	health.HealthOverride
	done *synchronized
	last map[string]step
}

func (j *judging) GetResourceHealth(live *unstructured.Unstructured) (*health.HealthStatus, error) {
	found, err := j.HealthOverride.GetResourceHealth(live)
	if err != nil || found == nil {
		return found, err
	}
	said := step{Object: live.GetKind() + "/" + live.GetName(), Status: string(found.Status), Ready: ready(live)}
	if j.last[said.Object] != said {
		j.last[said.Object] = said
		j.done.Steps = append(j.done.Steps, said)
	}
	return found, nil
}

func ready(live *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	for _, one := range conditions {
		condition, _ := one.(map[string]any)
		if condition["type"] != "Ready" {
			continue
		}
		if condition["observedGeneration"] != live.GetGeneration() {
			return "Stale"
		}
		return fmt.Sprint(condition["status"])
	}
	return "None"
}

func synchronize(overrides health.HealthOverride, directory, namespace, seconds string) (*synchronized, error) {
	patience, err := strconv.Atoi(seconds)
	if err != nil {
		return nil, err
	}
	target, err := objects(directory, namespace)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 100, 200
	known := cache.NewClusterCache(config,
		cache.SetNamespaces([]string{namespace}),
		cache.SetLogr(logr.Discard()),
		cache.SetPopulateResourceInfoHandler(func(live *unstructured.Unstructured, _ bool) (any, bool) {
			mark := live.GetAnnotations()[tracking]
			return mark, mark != ""
		}),
	)
	if err := known.EnsureSynced(); err != nil {
		return nil, err
	}
	kubectl := &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	done := &synchronized{Waves: []int{}, Steps: []step{}}
	judges := &judging{HealthOverride: overrides, done: done, last: map[string]step{}}
	options := []sync.SyncOpt{
		sync.WithPrune(true),
		sync.WithLogr(logr.Discard()),
		sync.WithHealthOverride(judges),
		sync.WithServerSideApply(true),
		sync.WithServerSideApplyManager(manager),
		sync.WithSyncWaveHook(func(_ common.SyncPhase, wave int, _ bool) error {
			done.Waves = append(done.Waves, wave)
			done.Steps = append(done.Steps, step{Wave: &wave})
			return nil
		}),
	}
	ours := func(resource *cache.Resource) bool { return resource.Info == mark(resource.ResourceKey()) }
	phase, message, found := common.OperationRunning, "", []common.ResourceSyncResult{}
	began := metav1.Now()
	for {
		// One look, as Argo CD's controller makes one after the other: what is live now, and what is left to do.
		live, err := known.GetManagedLiveObjs(target, ours)
		if err != nil {
			return nil, err
		}
		plan := sync.Reconcile(target, live, namespace, known)
		resumed := sync.WithInitialState(phase, message, found, began)
		look, cleanup, err := sync.NewSyncContext(
			"commit", plan, config, config, kubectl, namespace, known.GetOpenAPISchema(), append(options, resumed)...,
		)
		if err != nil {
			return nil, err
		}
		look.Sync()
		phase, message, found = look.GetState()
		cleanup()
		if phase.Completed() || time.Since(began.Time) > time.Duration(patience)*time.Second {
			break
		}
		time.Sleep(pause)
	}
	for _, one := range found {
		done.Results = append(done.Results, result{
			Object: one.ResourceKey.Kind + "/" + one.ResourceKey.Name, Status: string(one.Status), Message: one.Message,
		})
	}
	if phase != common.OperationSucceeded {
		return done, fmt.Errorf("%s: %s; begun waves: %v; objects: %v", phase, message, done.Waves, done.Results)
	}
	return done, nil
}

func mark(key kube.ResourceKey) string {
	return fmt.Sprintf("story:%s/%s:%s/%s", key.Group, key.Kind, key.Namespace, key.Name)
}

func track(object *unstructured.Unstructured, mark string) {
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[tracking] = mark
	object.SetAnnotations(annotations)
}

func objects(directory, namespace string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found, err := kube.SplitYAML(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, object := range found {
			object.SetNamespace(namespace)
			track(object, mark(kube.GetResourceKey(object)))
		}
		all = append(all, found...)
	}
	return all, nil
}
