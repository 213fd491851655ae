// Package monitoring is Amazon CloudWatch (monitoring) as far as it tells of WorkSpaces: the
// metrics of the namespace AWS/WorkSpaces, from what really happened. It is built like package
// operation, with which it shares Core and Bind. Nothing is sampled while nobody asks: the
// store has what WorkSpaces have been, and series.go computes what samples would have found.
// Metric math is package expression's; calculation.go gives it what it is about.
// Alarms, dashboards and metrics of one's own are left to the wire, which refuses them, or
// passes them on. Start at GetMetricData.
package monitoring

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"

	"carrel/internal/api"
	"carrel/internal/api/monitoring"
	"carrel/internal/operation"
	"carrel/internal/operation/monitoring/expression"
	"carrel/internal/workspaces"
)

// Service answers the operations of CloudWatch.
type Service struct {
	core      *operation.Core
	passOn    bool
	inventory *inventories
	language  *expression.Language
}

// New returns the service. passOn says that there is somebody who answers for other
// namespaces; else they are empty.
func New(core *operation.Core, passOn bool) (*Service, error) {
	kept, err := lru.New[listOf, inventory](keptLists)
	if err != nil {
		return nil, err
	}
	language, err := expression.New()
	return &Service{core: core, passOn: passOn, inventory: kept, language: language}, err
}

// Handlers returns a handler for every operation that has types: routing's one table.
func (s *Service) Handlers() []api.Handler {
	t := operation.Exceptions{workspaces.CodeInvalidNextToken: monitoring.InvalidNextToken}
	list := operation.Exceptions{workspaces.CodeInvalidNextToken: monitoring.InvalidParameterValueException}
	handlers := []api.Handler{
		operation.Bind(t, monitoring.GetMetricData, s.GetMetricData),
		operation.Bind(t, monitoring.GetMetricStatistics, s.GetMetricStatistics),
		operation.Bind(list, monitoring.ListMetrics, s.ListMetrics),
	}
	for i, h := range handlers {
		handlers[i] = operation.Keepable(h)
	}
	return handlers
}

// ours reports whether a namespace is one that Carrel has the metrics of; where somebody else
// may have them, the request is theirs.
func (s *Service) ours(namespace string) (is bool, err error) {
	is = namespace == workspaces.MetricsNamespace || namespace == workspaces.PoolMetricsNamespace
	if !is && s.passOn {
		err = api.ErrElsewhere
	}
	return is, err
}

// invalid refuses what GetMetricData has no exception of its own for.
func invalid(message string) error {
	return &api.Exception{Name: api.ValidationException, Message: message}
}

// dimensionOf returns the one dimension of a metric; false: there is no such metric, because
// each has one.
func dimensionOf(dimensions []monitoring.Dimension) (d workspaces.Dimension, is bool) {
	if len(dimensions) != 1 {
		return d, false
	}
	return workspaces.Dimension{Name: *dimensions[0].Name, Value: *dimensions[0].Value}, true
}

// value is a member's value, the zero value where it is absent.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// unlessEmpty is a token as it is passed on: the service takes an empty one for none.
func unlessEmpty(token *string) *string {
	if value(token) == "" {
		return nil
	}
	return token
}

// about is what an answer in pages is of, for its tokens.
func about(ctx context.Context, of ...string) []string {
	scope := operation.Scope(ctx)
	return append([]string{scope.Account, scope.Region}, of...)
}
