package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/engine"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
)

// By this Argo CD knows again what it applied.
const tracking = "argocd.argoproj.io/tracking-id"

type result struct {
	Object  string `json:"object"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

type synchronized struct {
	Waves   []int    `json:"waves"`
	Results []result `json:"results"`
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
	tool := engine.NewEngine(config, known, engine.WithLogr(logr.Discard()))
	stop, err := tool.Run()
	if err != nil {
		return nil, err
	}
	defer stop()
	done := &synchronized{Waves: []int{}}
	wave := func(_ common.SyncPhase, wave int, _ bool) error {
		done.Waves = append(done.Waves, wave)
		return nil
	}
	within, cancel := context.WithTimeout(context.Background(), time.Duration(patience)*time.Second)
	defer cancel()
	ours := func(resource *cache.Resource) bool { return resource.Info == mark(resource.ResourceKey()) }
	found, err := tool.Sync(within, target, ours, "commit", namespace,
		sync.WithPrune(true),
		sync.WithLogr(logr.Discard()),
		sync.WithHealthOverride(overrides),
		sync.WithServerSideApply(true),
		sync.WithServerSideApplyManager(manager),
		sync.WithSyncWaveHook(wave),
	)
	for _, one := range found {
		done.Results = append(done.Results, result{
			Object: one.ResourceKey.Kind + "/" + one.ResourceKey.Name, Status: string(one.Status), Message: one.Message,
		})
		if err == nil && (one.Status == common.ResultCodeSyncFailed || one.HookPhase == common.OperationFailed) {
			err = fmt.Errorf("%s/%s: %s", one.ResourceKey.Kind, one.ResourceKey.Name, one.Message)
		}
	}
	return done, err
}

func mark(key kube.ResourceKey) string {
	return fmt.Sprintf("story:%s/%s:%s/%s", key.Group, key.Kind, key.Namespace, key.Name)
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
			annotations := object.GetAnnotations()
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations[tracking] = mark(kube.GetResourceKey(object))
			object.SetAnnotations(annotations)
		}
		all = append(all, found...)
	}
	return all, nil
}
