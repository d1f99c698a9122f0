package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
)

type pair struct {
	Config *unstructured.Unstructured `json:"config"`
	Live   *unstructured.Unstructured `json:"live"`
}

type verdict struct {
	Status           string `json:"status"`
	Message          string `json:"message"`
	Modified         bool   `json:"modified"`
	ModifiedOnServer bool   `json:"modifiedOnServer"`
}

func judge(overrides health.HealthOverride, input io.Reader) ([]verdict, error) {
	var pairs []pair
	if err := json.NewDecoder(input).Decode(&pairs); err != nil {
		return nil, err
	}
	var onServer []diff.Option
	verdicts := []verdict{}
	for _, one := range pairs {
		found, err := healthOf(overrides, one.Live)
		if err != nil {
			return nil, err
		}
		if one.Config != nil {
			if mark, tracked := one.Live.GetAnnotations()[tracking]; tracked {
				track(one.Config, mark)
			}
			if onServer == nil {
				options, cleanup, err := serverSide()
				if err != nil {
					return nil, err
				}
				defer cleanup()
				onServer = options
			}
			plain, err := diff.Diff(one.Config, one.Live, diff.WithNormalizer(diff.GetNoopNormalizer()))
			if err != nil {
				return nil, fmt.Errorf("%s/%s: %w", one.Live.GetKind(), one.Live.GetName(), err)
			}
			found.Modified = plain.Modified
			predicted, err := diff.Diff(one.Config, one.Live, onServer...)
			if err != nil {
				return nil, fmt.Errorf("%s/%s: %w", one.Live.GetKind(), one.Live.GetName(), err)
			}
			found.ModifiedOnServer = predicted.Modified
		}
		verdicts = append(verdicts, found)
	}
	return verdicts, nil
}

func healthOf(overrides health.HealthOverride, live *unstructured.Unstructured) (verdict, error) {
	found, err := overrides.GetResourceHealth(live)
	if err != nil {
		return verdict{}, fmt.Errorf("%s/%s: %w", live.GetKind(), live.GetName(), err)
	}
	if found == nil {
		return verdict{}, fmt.Errorf("%s/%s: the script is not asked about it", live.GetKind(), live.GetName())
	}
	return verdict{Status: string(found.Status), Message: found.Message}, nil
}

// As `compare-options: ServerSideDiff=true,IncludeMutationWebhook=true` sets it up.
func serverSide() ([]diff.Option, func(), error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, nil, err
	}
	kubectl := &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	schema, parser, err := kubectl.LoadOpenAPISchema(config)
	if err != nil {
		return nil, nil, err
	}
	applier, cleanup, err := kube.ManageServerSideDiffDryRuns(config, schema, kubectl.Tracer, kubectl.Log, nil)
	if err != nil {
		return nil, nil, err
	}
	return []diff.Option{
		diff.WithNormalizer(diff.GetNoopNormalizer()),
		diff.WithServerSideDiff(true),
		diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(applier)),
		diff.WithManager(manager),
		diff.WithGVKParser(parser),
		// As `IncludeMutationWebhook=true`: without it changes inside of preserved fields are not seen (argo-cd#28818).
		diff.WithIgnoreMutationWebhook(false),
	}, cleanup, nil
}
