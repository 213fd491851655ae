package monitoring_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"carrel/internal/api/monitoring"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	domain "carrel/internal/workspaces"
)

// list lists metrics page by page, as Dimension=value:Metric, in the order they came.
func list(t *testing.T, client *sdk.Client, in sdk.ListMetricsInput) (all []string) {
	t.Helper()
	for {
		page, err := client.ListMetrics(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Metrics) > 500 {
			t.Errorf("a page of %d", len(page.Metrics))
		}
		for _, m := range page.Metrics {
			if *m.Namespace != "AWS/WorkSpaces" || len(m.Dimensions) != 1 {
				t.Errorf("%+v", m)
			}
			all = append(all, fmt.Sprintf("%s=%s:%s", *m.Dimensions[0].Name, *m.Dimensions[0].Value, *m.MetricName))
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return all
		}
	}
}

func filter(name string, value *string) types.DimensionFilter {
	return types.DimensionFilter{Name: &name, Value: value}
}

// TestListMetrics lists metrics once they have data, and two weeks longer than they have.
func TestListMetrics(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		w.pass(t, time.Minute)
		id := w.make(t, 1)
		if all := list(t, w.client, sdk.ListMetricsInput{}); len(all) > 0 {
			t.Errorf("without a sample there is %v", all)
		}
		w.pass(t, 4*time.Minute)
		all := list(t, w.client, sdk.ListMetricsInput{})
		// Five metrics of samples each of seven dimensions: it has no computer name.
		if len(all) != 35 || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != 35 {
			t.Errorf("%v", all)
		}
		w.happens(t, id, domain.MetricLatency, w.Clock.Now(), 12)
		for why, c := range map[string]struct {
			in   sdk.ListMetricsInput
			want []string
		}{
			"a metric": {
				sdk.ListMetricsInput{MetricName: aws.String("InSessionLatency"), Dimensions: []types.DimensionFilter{filter("WorkspaceId", nil)}},
				[]string{"WorkspaceId=" + id + ":InSessionLatency"},
			},
			"a value": {
				sdk.ListMetricsInput{Namespace: aws.String("AWS/WorkSpaces"), Dimensions: []types.DimensionFilter{filter("UserName", aws.String("user1"))}},
				[]string{
					"UserName=user1:Available", "UserName=user1:InSessionLatency", "UserName=user1:Maintenance", "UserName=user1:Stopped",
					"UserName=user1:Unhealthy", "UserName=user1:UserConnected",
				},
			},
			"another value":     {sdk.ListMetricsInput{Dimensions: []types.DimensionFilter{filter("UserName", aws.String("user2"))}}, nil},
			"two dimensions":    {sdk.ListMetricsInput{Dimensions: []types.DimensionFilter{filter("UserName", nil), filter("WorkspaceId", nil)}}, nil},
			"another namespace": {sdk.ListMetricsInput{Namespace: aws.String("AWS/EC2")}, nil},
			"another account":   {sdk.ListMetricsInput{OwningAccount: aws.String("210987654321")}, nil},
			"recently": {sdk.ListMetricsInput{
				RecentlyActive: types.RecentlyActivePt3h, MetricName: aws.String("InSessionLatency"),
				Dimensions: []types.DimensionFilter{filter("DirectoryId", nil)},
			}, []string{"DirectoryId=d-0000000001:InSessionLatency"}},
		} {
			if got := list(t, w.client, c.in); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", why, got, c.want)
			}
		}
		w.pass(t, time.Second)
		w.begin(t, id, domain.ActionTerminate)
		w.pass(t, 13*24*time.Hour)
		if n := len(list(t, w.client, sdk.ListMetricsInput{})); n != 42 {
			t.Errorf("after 13 days %d", n)
		}
		if n := len(list(t, w.client, sdk.ListMetricsInput{RecentlyActive: types.RecentlyActivePt3h})); n != 0 {
			t.Errorf("recently %d", n)
		}
		w.pass(t, 25*time.Hour)
		if n := len(list(t, w.client, sdk.ListMetricsInput{})); n != 0 {
			t.Errorf("after 14 days %d", n)
		}
	})
}

// TestListPages lists more than fit a page, while what is listed changes.
func TestListPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	for i := range 120 {
		w.make(t, i)
	}
	w.pass(t, time.Hour)
	in := sdk.ListMetricsInput{Dimensions: []types.DimensionFilter{filter("WorkspaceId", nil)}}
	all := list(t, w.client, in)
	if len(all) != 600 || len(slices.Compact(slices.Clone(all))) != 600 {
		t.Errorf("%d metrics", len(all))
	}
	first, err := w.client.ListMetrics(t.Context(), &in)
	if err != nil || first.NextToken == nil {
		t.Fatal(first, err)
	}
	w.make(t, 500)
	w.pass(t, time.Hour)
	in.NextToken = first.NextToken
	if rest := list(t, w.client, in); len(rest) != 100 {
		t.Errorf("%d behind the first page", len(rest))
	}
	in.MetricName = aws.String("Stopped")
	_, err = w.client.ListMetrics(t.Context(), &in)
	refused(t, monitoring.ListMetrics.Info, err, "InvalidParameterValue")
	for why, bad := range map[string]sdk.ListMetricsInput{
		"recently":  {RecentlyActive: "PT4H"},
		"namespace": {Namespace: aws.String(":x")},
		"filters":   {Dimensions: slices.Repeat([]types.DimensionFilter{filter("WorkspaceId", nil)}, 11)},
	} {
		_, err = w.client.ListMetrics(t.Context(), &bad)
		t.Log(why)
		refused(t, monitoring.ListMetrics.Info, err, "ValidationError")
	}
}

// TestForgotten: metrics are kept for 455 days, and after 63 by the hour.
func TestForgotten(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		id := w.make(t, 1)
		w.pass(t, 2*time.Hour)
		w.begin(t, id, domain.ActionStop)
		for i, v := range []float64{10, 40, 20} {
			w.happens(t, id, domain.MetricLatency, w.began.Add(time.Duration(i)*25*time.Minute), v)
		}
		w.want(t, w.ask("InSessionLatency", "WorkspaceId", id, 5*time.Minute), "0s: 1 10 10 10 10", "25m0s: 1 40 40 40 40", "50m0s: 1 20 20 20 20")
		prune := func() { w.update(t, func(tx *store.Tx) error { return tx.PruneMetrics(t.Context(), w.Clock.Now()) }) }
		kept := func() (stays, happenings int) {
			err := w.Store.View(func(tx *store.Tx) error {
				all := store.MetricFilter{Scope: dstest.Scope(), To: w.Clock.Now()}
				if err := tx.Stays(t.Context(), all, func(domain.Stay) { stays++ }); err != nil {
					return err
				}
				return tx.Happenings(t.Context(), all, func(domain.Happening) { happenings++ })
			})
			if err != nil {
				t.Error(err)
			}
			return stays, happenings
		}
		for _, c := range []struct {
			after             time.Duration
			stays, happenings int
		}{{62 * 24 * time.Hour, 2, 3}, {64 * 24 * time.Hour, 2, 1}, {454 * 24 * time.Hour, 2, 1}, {456 * 24 * time.Hour, 1, 0}} {
			w.pass(t, w.began.Add(c.after).Sub(w.Clock.Now()))
			prune()
			prune()
			if stays, happenings := kept(); stays != c.stays || happenings != c.happenings {
				t.Errorf("after %v there are %d and %d", c.after, stays, happenings)
			}
			if c.happenings == 1 {
				in := w.ask("InSessionLatency", "WorkspaceId", id, time.Hour)
				in.EndTime = aws.Time(w.began.Add(2 * time.Hour))
				w.want(t, in, "0s: 3 70 "+fmt.Sprint(70./3)+" 10 40")
				in.Statistics, in.ExtendedStatistics = nil, []string{"p50"}
				out, err := w.client.GetMetricStatistics(t.Context(), in)
				if err != nil || len(out.Datapoints) != 1 || out.Datapoints[0].ExtendedStatistics["p50"] != 20 {
					t.Errorf("the median: %+v, %v", out, err)
				}
			}
		}
	})
}
