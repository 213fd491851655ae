package monitoring_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"carrel/internal/api/monitoring"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store/storetest"
	domain "carrel/internal/workspaces"
)

// query is a query for a statistic of a WorkSpace's metric.
func query(id, metric, workSpace, stat string, period int32) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{Stat: &stat, Period: &period, Metric: &types.Metric{
		Namespace: aws.String("AWS/WorkSpaces"), MetricName: &metric,
		Dimensions: []types.Dimension{{Name: aws.String("WorkspaceId"), Value: &workSpace}},
	}}}
}

// data asks page by page, and returns each query's points as minutes and values, in the order they came.
func (w *world) data(t *testing.T, in sdk.GetMetricDataInput) (points map[string][]string, pages int) {
	t.Helper()
	points = make(map[string][]string)
	for {
		out, err := w.client.GetMetricData(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		n := 0
		for i, r := range out.MetricDataResults {
			if len(r.Timestamps) != len(r.Values) {
				t.Fatalf("%d timestamps, %d values", len(r.Timestamps), len(r.Values))
			}
			if last := i == len(out.MetricDataResults)-1; last && (r.StatusCode == types.StatusCodeComplete) != (out.NextToken == nil) {
				t.Errorf("%s is %s, the token %v", *r.Id, r.StatusCode, aws.ToString(out.NextToken))
			}
			points[*r.Id] = append(points[*r.Id], []string{}...)
			for i, v := range r.Values {
				points[*r.Id] = append(points[*r.Id], fmt.Sprintf("%v=%v", r.Timestamps[i].Sub(w.began).Minutes(), v))
			}
			n += len(r.Values)
		}
		if in.MaxDatapoints != nil && n > int(*in.MaxDatapoints) {
			t.Errorf("a page of %d points", n)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return points, pages
		}
	}
}

// TestGetMetricData asks for several metrics at once, from either end, in one page and in many.
func TestGetMetricData(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	w.pass(t, 30*time.Minute)
	w.begin(t, id, domain.ActionStop)
	w.pass(t, 30*time.Minute)
	w.happens(t, id, domain.MetricAttempt, w.began.Add(45*time.Minute), 1)
	hidden := query("hidden", "Available", id, "Sum", 300)
	hidden.ReturnData = aws.Bool(false)
	in := sdk.GetMetricDataInput{
		StartTime: &w.began, EndTime: aws.Time(w.Clock.Now()), ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{
			query("stopped", "Stopped", id, "Maximum", 600), query("none", "Stopped", "ws-000000000", "Sum", 600), hidden,
			query("attempts", "ConnectionAttempt", id, "Sum", 60), query("share", "Available", id, "Average", 3600),
			query("median", "Available", id, "p90", 1200),
		},
	}
	want := map[string][]string{
		"stopped": {"0=0", "10=0", "20=0", "30=1", "40=1", "50=1"}, "none": nil, "attempts": {"45=1"}, "share": {"0=0.5"},
		"median": {"0=1", "20=1", "40=0"},
	}
	for _, order := range []types.ScanBy{types.ScanByTimestampAscending, types.ScanByTimestampDescending, ""} { // none: the latest first
		in.ScanBy = order
		if order == types.ScanByTimestampDescending {
			for _, points := range want {
				slices.Reverse(points)
			}
		}
		for _, most := range []*int32{nil, aws.Int32(1), aws.Int32(2), aws.Int32(3), aws.Int32(7), aws.Int32(100)} {
			in.MaxDatapoints = most
			got, pages := w.data(t, in)
			if !maps.EqualFunc(got, want, slices.Equal[[]string]) {
				t.Errorf("%s, by %d: %v, want %v", order, aws.ToInt32(most), got, want)
			}
			if most == nil && pages > 1 || aws.ToInt32(most) == 1 && pages < 11 {
				t.Errorf("by %d: %d pages", aws.ToInt32(most), pages)
			}
		}
	}
}

// TestManyPeriods asks for more periods than are looked at for a page.
func TestManyPeriods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	w.pass(t, 10*24*time.Hour)
	in := sdk.GetMetricDataInput{StartTime: &w.began, EndTime: aws.Time(w.Clock.Now())}
	for i := range 10 { // 144,000 minutes
		in.MetricDataQueries = append(in.MetricDataQueries, query(fmt.Sprintf("q%d", i), "Available", id, "Sum", 60))
	}
	got, pages := w.data(t, in)
	if pages != 2 {
		t.Errorf("%d pages", pages)
	}
	for id, points := range got {
		if len(points) != 2880 || points[0] != "14395=1" || points[2879] != "0=1" {
			t.Errorf("%s: %d points from %s to %s", id, len(points), points[0], points[len(points)-1])
		}
	}
}

// TestPagesWhileTimePasses asks for the time to come, page by page, while it comes: nothing is told twice.
func TestPagesWhileTimePasses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	w.pass(t, time.Hour)
	for _, order := range types.ScanByTimestampAscending.Values() {
		in := sdk.GetMetricDataInput{
			StartTime: &w.began, EndTime: aws.Time(w.began.Add(48 * time.Hour)), ScanBy: order, MaxDatapoints: aws.Int32(4),
			MetricDataQueries: []types.MetricDataQuery{query("a", "Available", id, "Sum", 300)},
		}
		seen := make(map[time.Time]bool)
		for {
			out, err := w.client.GetMetricData(t.Context(), &in)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range out.MetricDataResults[0].Timestamps {
				if seen[at] {
					t.Errorf("%s: %v is told twice", order, at.Sub(w.began))
				}
				seen[at] = true
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
			if order == types.ScanByTimestampDescending {
				w.pass(t, 5*time.Minute)
			}
		}
		if len(seen) < 13 {
			t.Errorf("%s: %d points", order, len(seen))
		}
	}
}

// TestLabels: a result is called by its metric, or as its query says.
func TestLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	plain, own := query("a", "Available", id, "Sum", 300), query("b", "Available", id, "Sum", 300)
	own.Label = aws.String("${PROP('MetricName')} of ${PROP('Dim.WorkspaceId')}: ${PROP('Stat')}")
	out, err := w.client.GetMetricData(t.Context(), &sdk.GetMetricDataInput{
		StartTime: aws.Time(w.began.Add(-time.Hour)), EndTime: &w.began, MetricDataQueries: []types.MetricDataQuery{plain, own},
	})
	if err != nil || *out.MetricDataResults[0].Label != "Available" || *out.MetricDataResults[1].Label != "Available of "+id+": Sum" {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestOldData: what lies far back is known by longer periods only, and after 455 days by none.
func TestOldData(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	for _, c := range []struct {
		age    time.Duration
		period time.Duration
		points int
	}{
		{14 * 24 * time.Hour, time.Minute, 12},
		{16 * 24 * time.Hour, time.Minute, 0},
		{16 * 24 * time.Hour, 5 * time.Minute, 12},
		{64 * 24 * time.Hour, 5 * time.Minute, 0},
		{64 * 24 * time.Hour, time.Hour, 1},
		{460 * 24 * time.Hour, time.Hour, 0},
	} {
		w.pass(t, w.began.Add(c.age).Sub(w.Clock.Now()))
		in := w.ask("Available", "WorkspaceId", id, c.period)
		in.EndTime = aws.Time(w.began.Add(time.Hour))
		if got := w.statistics(t, in); strings.Count(got, ":") != c.points {
			t.Errorf("after %v by %v: %s", c.age, c.period, got)
		}
	}
}

// TestStatisticsRefused tries what GetMetricStatistics does not answer.
func TestStatisticsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.pass(t, 5*24*time.Hour)
	for why, c := range map[string]struct {
		change func(*sdk.GetMetricStatisticsInput)
		code   string
	}{
		"no statistic": {func(in *sdk.GetMetricStatisticsInput) { in.Statistics = nil }, "MissingParameter"},
		"both sorts":   {func(in *sdk.GetMetricStatisticsInput) { in.ExtendedStatistics = []string{"p50"} }, "InvalidParameterCombination"},
		"no percentile": {func(in *sdk.GetMetricStatisticsInput) {
			in.Statistics, in.ExtendedStatistics = nil, []string{"p101"}
		}, "InvalidParameterValue"},
		"a plain one": {func(in *sdk.GetMetricStatisticsInput) {
			in.Statistics, in.ExtendedStatistics = nil, []string{"Sum"}
		}, "InvalidParameterValue"},
		"a period of 90 s": {func(in *sdk.GetMetricStatisticsInput) { in.Period = aws.Int32(90) }, "InvalidParameterValue"},
		"no time":          {func(in *sdk.GetMetricStatisticsInput) { in.EndTime = in.StartTime }, "InvalidParameterValue"},
		"backwards":        {func(in *sdk.GetMetricStatisticsInput) { in.StartTime, in.EndTime = in.EndTime, in.StartTime }, "InvalidParameterValue"},
		"too many points":  {func(in *sdk.GetMetricStatisticsInput) { in.Period = aws.Int32(60) }, "InvalidParameterCombination"},
		"a long time": {func(in *sdk.GetMetricStatisticsInput) {
			in.StartTime, in.EndTime = aws.Time(time.Unix(0, 0)), aws.Time(time.Unix(253402300799, 0))
		}, "InvalidParameterCombination"},
		"no such statistic": {func(in *sdk.GetMetricStatisticsInput) { in.Statistics = []types.Statistic{"Mode"} }, "ValidationError"},
		"no such unit":      {func(in *sdk.GetMetricStatisticsInput) { in.Unit = "Furlong" }, "ValidationError"},
		"a period of 0":     {func(in *sdk.GetMetricStatisticsInput) { in.Period = aws.Int32(0) }, "ValidationError"},
	} {
		in := w.ask("Available", "WorkspaceId", "ws-000000001", 10*time.Minute)
		c.change(in)
		_, err := w.client.GetMetricStatistics(t.Context(), in)
		t.Log(why)
		refused(t, monitoring.GetMetricStatistics.Info, err, c.code)
	}
}

// TestDataRefused tries what GetMetricData does not answer.
func TestDataRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	w.pass(t, time.Hour)
	good := func() *sdk.GetMetricDataInput {
		return &sdk.GetMetricDataInput{
			StartTime: &w.began, EndTime: aws.Time(w.Clock.Now()), MaxDatapoints: aws.Int32(1),
			MetricDataQueries: []types.MetricDataQuery{query("a", "Available", id, "Sum", 300)},
		}
	}
	first, err := w.client.GetMetricData(t.Context(), good())
	if err != nil || first.NextToken == nil {
		t.Fatal(first, err)
	}
	with := func(f func(*types.MetricDataQuery)) func(*sdk.GetMetricDataInput) {
		return func(in *sdk.GetMetricDataInput) { f(&in.MetricDataQueries[0]) }
	}
	for why, c := range map[string]struct {
		change func(*sdk.GetMetricDataInput)
		code   string
	}{
		"no query":        {func(in *sdk.GetMetricDataInput) { in.MetricDataQueries = []types.MetricDataQuery{} }, "ValidationError"},
		"no time":         {func(in *sdk.GetMetricDataInput) { in.EndTime = in.StartTime }, "ValidationError"},
		"backwards":       {func(in *sdk.GetMetricDataInput) { in.StartTime, in.EndTime = in.EndTime, in.StartTime }, "ValidationError"},
		"no points":       {func(in *sdk.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(0) }, "ValidationError"},
		"too many points": {func(in *sdk.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(100_801) }, "ValidationError"},
		"an id twice": {func(in *sdk.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, in.MetricDataQueries[0])
		}, "ValidationError"},
		"too many queries": {func(in *sdk.GetMetricDataInput) { in.MetricDataQueries = make501(in.MetricDataQueries[0]) }, "ValidationError"},
		"a bad id":         {with(func(q *types.MetricDataQuery) { q.Id = aws.String("A") }), "ValidationError"},
		"nothing":          {with(func(q *types.MetricDataQuery) { q.MetricStat = nil }), "ValidationError"},
		"both":             {with(func(q *types.MetricDataQuery) { q.Expression = aws.String("a+1") }), "ValidationError"},
		"a statistic":      {with(func(q *types.MetricDataQuery) { q.MetricStat.Stat = aws.String("Mode") }), "ValidationError"},
		"a period":         {with(func(q *types.MetricDataQuery) { q.MetricStat.Period = aws.Int32(7) }), "ValidationError"},
		"no name":          {with(func(q *types.MetricDataQuery) { q.MetricStat.Metric.MetricName = nil }), "ValidationError"},
		"a made-up token":  {func(in *sdk.GetMetricDataInput) { in.NextToken = aws.String("x") }, "InvalidNextToken"},
		"a token of another request": {func(in *sdk.GetMetricDataInput) {
			in.NextToken, in.MetricDataQueries[0].MetricStat.Stat = first.NextToken, aws.String("Maximum")
		}, "InvalidNextToken"},
	} {
		in := good()
		c.change(in)
		_, err := w.client.GetMetricData(t.Context(), in)
		t.Log(why)
		refused(t, monitoring.GetMetricData.Info, err, c.code)
	}
}

func make501(q types.MetricDataQuery) (many []types.MetricDataQuery) {
	for i := range 501 {
		q.Id = aws.String(fmt.Sprintf("q%d", i))
		many = append(many, q)
	}
	return many
}

// TestNoSuchMetric: what is no metric of a WorkSpace has no data, and is no mistake.
func TestNoSuchMetric(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	w.pass(t, time.Hour)
	for why, change := range map[string]func(*sdk.GetMetricStatisticsInput){
		"namespace":      func(in *sdk.GetMetricStatisticsInput) { in.Namespace = aws.String("AWS/EC2") },
		"metric":         func(in *sdk.GetMetricStatisticsInput) { in.MetricName = aws.String("CPUUtilization") },
		"no dimension":   func(in *sdk.GetMetricStatisticsInput) { in.Dimensions = nil },
		"two dimensions": func(in *sdk.GetMetricStatisticsInput) { in.Dimensions = append(in.Dimensions, in.Dimensions[0]) },
		"value":          func(in *sdk.GetMetricStatisticsInput) { in.Dimensions[0].Value = aws.String("ws-000000009") },
		"name":           func(in *sdk.GetMetricStatisticsInput) { in.Dimensions[0].Name = aws.String("workspaceid") },
		"unit":           func(in *sdk.GetMetricStatisticsInput) { in.Unit = types.StandardUnitSeconds },
	} {
		in := w.ask("Available", "WorkspaceId", id, time.Hour)
		if change(in); w.statistics(t, in) != "" {
			t.Errorf("%s has data", why)
		}
	}
	in := w.ask("Available", "WorkspaceId", id, time.Hour)
	if in.Unit = types.StandardUnitCount; w.statistics(t, in) == "" {
		t.Error("no data in the metric's unit")
	}
}

// TestIsolation: neither another account nor another region sees anything.
func TestIsolation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	w.pass(t, time.Hour)
	w.begin(t, id, domain.ActionStop)
	w.happens(t, id, domain.MetricAttempt, w.began, 1)
	w.pass(t, time.Hour)
	if n := len(list(t, w.client, sdk.ListMetricsInput{})); n == 0 {
		t.Fatal("there is nothing to be seen")
	}
	mine := w.client
	for _, config := range []aws.Config{w.As("210987654321", dstest.Region), w.As(dstest.Account, dstest.FarRegion)} {
		w.client = sdk.NewFromConfig(config)
		if n := len(list(t, w.client, sdk.ListMetricsInput{})); n > 0 {
			t.Errorf("%d metrics are seen", n)
		}
		for _, metric := range []string{"Available", "Stopped", "ConnectionAttempt"} {
			for name, value := range map[string]string{"WorkspaceId": id, "DirectoryId": "d-0000000001", "ComputeType": "STANDARD"} {
				w.want(t, w.ask(metric, name, value, time.Hour))
			}
		}
		got, _ := w.data(t, sdk.GetMetricDataInput{
			StartTime: &w.began, EndTime: aws.Time(w.Clock.Now()), MetricDataQueries: []types.MetricDataQuery{query("a", "Available", id, "Sum", 300)},
		})
		if len(got["a"]) > 0 {
			t.Errorf("%v", got)
		}
	}
	of := query("a", "Available", id, "Sum", 300)
	of.AccountId = aws.String("210987654321")
	w.client = mine
	got, _ := w.data(t, sdk.GetMetricDataInput{StartTime: &w.began, EndTime: aws.Time(w.Clock.Now()), MetricDataQueries: []types.MetricDataQuery{of}})
	if len(got["a"]) > 0 {
		t.Errorf("of another account: %v", got)
	}
}
