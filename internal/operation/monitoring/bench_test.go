package monitoring_test

import (
	"fmt"
	"testing"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/monitoring"
	"carrel/internal/operation/directoryservice/dstest"
	service "carrel/internal/operation/monitoring"
	"carrel/internal/store"
	domain "carrel/internal/workspaces"
)

// BenchmarkDirectory asks for a day of a directory with 100,000 WorkSpaces, each of which was stopped and started once,
// and for one WorkSpace, and lists. What GetMetricData computes is to be held against "directory", one reading of the
// same WorkSpaces: several metrics and what is computed of them cost little more, a search as much as a list.
func BenchmarkDirectory(b *testing.B) {
	s := dstest.Start(b)
	began := s.Clock.Now()
	fill(b, s, 100_000)
	cloudWatch, err := service.New(s.Core, false)
	if err != nil {
		b.Fatal(err)
	}
	ask := func(name, value string) func() error {
		in := &monitoring.GetMetricStatisticsInput{
			Namespace: new("AWS/WorkSpaces"), MetricName: new("Available"), Dimensions: []monitoring.Dimension{{Name: &name, Value: &value}},
			StartTime: api.At(began), EndTime: api.At(s.Clock.Now()), Period: new(int32(300)), Statistics: []string{"Sum"},
		}
		return func() error {
			out, err := cloudWatch.GetMetricStatistics(dstest.Context(b), in)
			if err == nil && len(out.Datapoints) == 0 {
				err = fmt.Errorf("no data")
			}
			return err
		}
	}
	calculate := func(of ...monitoring.MetricDataQuery) func() error {
		in := &monitoring.GetMetricDataInput{StartTime: api.At(began), EndTime: api.At(s.Clock.Now()), MetricDataQueries: of}
		return func() error {
			out, err := cloudWatch.GetMetricData(dstest.Context(b), in)
			if err == nil && len(out.MetricDataResults[len(out.MetricDataResults)-1].Values) == 0 {
				err = fmt.Errorf("no data")
			}
			return err
		}
	}
	metric := func(id, name, stat string) monitoring.MetricDataQuery {
		return monitoring.MetricDataQuery{Id: &id, MetricStat: &monitoring.MetricStat{Period: new(int32(300)), Stat: &stat, Metric: &monitoring.Metric{
			Namespace: new("AWS/WorkSpaces"), MetricName: &name, Dimensions: []monitoring.Dimension{{Name: new("DirectoryId"), Value: new("d-0000000001")}},
		}}}
	}
	math := func(text string) monitoring.MetricDataQuery {
		return monitoring.MetricDataQuery{Id: new("e1"), Expression: &text}
	}
	for name, f := range map[string]func() error{
		"data": calculate(metric("m1", "Available", "Sum")),
		"math": calculate(metric("m1", "Available", "Sum"), metric("m2", "Stopped", "p99"), metric("m3", "Unhealthy", "Average"),
			math("100*m1/(m1+FILL(m2,0))-RUNNING_SUM(m3)")),
		"search": calculate(math("SUM(SEARCH('{AWS/WorkSpaces,WorkspaceId} MetricName=\"Available\"', 'Sum', 300))")),

		"directory": ask("DirectoryId", "d-0000000001"), "workspace": ask("WorkspaceId", "ws-000000007"),
		"list": func() error {
			_, err := cloudWatch.ListMetrics(dstest.Context(b), &monitoring.ListMetricsInput{})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill makes WorkSpaces that were stopped and started.
func fill(b *testing.B, s *dstest.Server, n int) {
	b.Helper()
	began := s.Clock.Now()
	for i := 0; i < n; i += 1000 {
		err := s.Store.Update(b.Context(), func(tx *store.Tx) error {
			for j := i; j < i+1000; j++ {
				w := &domain.WorkSpace{
					Scope: dstest.Scope(), ID: fmt.Sprintf("ws-%09d", j), DirectoryID: "d-0000000001", UserName: fmt.Sprintf("user%d", j),
					Properties: domain.Properties{ComputeType: "STANDARD", RunningMode: domain.AutoStop},
				}
				if err := w.Begin(domain.ActionCreate, began); err != nil {
					return err
				}
				if err := tx.InsertWorkSpace(b.Context(), w); err != nil {
					return err
				}
				read := w.Generation
				w.Finish(began)
				for k, a := range []domain.Action{domain.ActionStop, domain.ActionStart} {
					at := began.Add(time.Duration(1+k) * 8 * time.Hour)
					if err := w.Begin(a, at); err != nil {
						return err
					}
					w.Finish(at)
				}
				if _, err := tx.SaveWorkSpace(b.Context(), w, read); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Clock.Advance(24 * time.Hour); err != nil {
		b.Fatal(err)
	}
}
