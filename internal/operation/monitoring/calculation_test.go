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

	"carrel/internal/api"
	"carrel/internal/api/monitoring"
	"carrel/internal/operation/directoryservice/dstest"
	service "carrel/internal/operation/monitoring"
	"carrel/internal/store/storetest"
	domain "carrel/internal/workspaces"
)

// expression is a query for an expression.
func expression(id, text string) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, Expression: &text}
}

// hidden is a query that returns no data.
func hidden(q types.MetricDataQuery) types.MetricDataQuery {
	q.ReturnData = aws.Bool(false)
	return q
}

// calculate asks for an hour from the beginning on, the earliest first, and shows each result: its id, its label, and
// its points as minutes and values.
func (w *world) calculate(t *testing.T, queries ...types.MetricDataQuery) []string {
	t.Helper()
	out, err := w.client.GetMetricData(t.Context(), &sdk.GetMetricDataInput{
		StartTime: &w.began, EndTime: aws.Time(w.began.Add(time.Hour)), ScanBy: types.ScanByTimestampAscending, MetricDataQueries: queries,
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range out.MetricDataResults {
		line := *r.Id + "/" + *r.Label + ":"
		for i, v := range r.Values {
			line += fmt.Sprintf(" %v=%.4g", r.Timestamps[i].Sub(w.began).Minutes(), v)
		}
		all = append(all, line)
	}
	return all
}

// hour has two WorkSpaces for an hour, one of which is stopped for its second half, and a user who tried to connect.
func hour(t *testing.T) (w *world, first, second string) {
	t.Helper()
	w = newWorld(t, storetest.SQLite(t))
	first, second = w.make(t, 1), w.make(t, 2)
	w.pass(t, 30*time.Minute)
	w.begin(t, second, domain.ActionStop)
	w.happens(t, first, domain.MetricAttempt, w.began.Add(30*time.Minute), 1, 1)
	w.pass(t, 30*time.Minute)
	return w, first, second
}

// TestExpressions computes with metrics of a request.
func TestExpressions(t *testing.T) {
	t.Parallel()
	w, first, second := hour(t)
	pool := w.pool(t)
	w.pass(t, 10*time.Second) // it has a sample, behind the hour
	m1, m2 := query("m1", "Available", first, "Sum", 1200), query("m2", "Available", second, "Sum", 1200)
	attempts := query("attempts", "ConnectionAttempt", first, "Sum", 1200)
	labelled := func(q types.MetricDataQuery, label string) types.MetricDataQuery {
		q.Label = &label
		return q
	}
	for why, c := range map[string]struct {
		queries []types.MetricDataQuery
		want    []string
	}{
		"a metric beside": {
			[]types.MetricDataQuery{m1, hidden(m2), expression("e1", "m1+m2")},
			[]string{"m1/Available: 0=4 20=4 40=4", "e1/e1: 0=8 20=6 40=4"},
		},
		"an expression of another": {
			[]types.MetricDataQuery{labelled(expression("share", "100*down/m1"), "Percent"), hidden(m1), hidden(m2), hidden(expression("down", "m1-m2"))},
			[]string{"share/Percent: 0=0 20=50 40=100"},
		},
		"a number that another uses": {
			[]types.MetricDataQuery{hidden(m1), hidden(expression("n", "SUM(m1)")), expression("e1", "m1/n")}, []string{"e1/e1: 0=0.3333 20=0.3333 40=0.3333"},
		},
		"what is filled": {
			[]types.MetricDataQuery{hidden(attempts), expression("e1", "FILL(attempts, 0)"), expression("e2", "RATE(FILL(attempts,0))*60")},
			[]string{"e1/e1: 0=0 20=2 40=0", "e2/e2: 20=0.1 40=-0.1"},
		},
		"an array": {
			[]types.MetricDataQuery{hidden(labelled(m1, "one")), hidden(labelled(m2, "two")), labelled(expression("e1", "SORT(METRICS(), SUM, ASC)"), "by")},
			[]string{"e1/by two: 0=4 20=2 40=0", "e1/by one: 0=4 20=4 40=4"},
		},
		"all of an array": {
			[]types.MetricDataQuery{hidden(m1), hidden(m2), expression("e1", "SUM(METRICS(\"m\"))"), hidden(attempts)}, // which has an m in its id too
			[]string{"e1/e1: 0=8 20=8 40=4"},
		},
		"a search": {
			[]types.MetricDataQuery{expression("e1", "SEARCH('{AWS/WorkSpaces,WorkspaceId} MetricName=\"Available\"', 'Sum', 1200)")},
			[]string{"e1/" + first + ": 0=4 20=4 40=4", "e1/" + second + ": 0=4 20=2 40=0"},
		},
		"a search for several metrics of one": {
			[]types.MetricDataQuery{expression("e1", "SEARCH('WorkspaceId="+second+" MetricName=(\"Available\" OR \"Stopped\")', 'Sum', 1200)")},
			[]string{"e1/Available: 0=4 20=2 40=0", "e1/Stopped: 0=0 20=2 40=4"},
		},
		"a search with labels": {
			[]types.MetricDataQuery{labelled(expression("e1", "SEARCH('{AWS/WorkSpaces,UserName} Available', 'Maximum', 3600)"), "${PROP('MetricName')} of ${PROP('Dim.UserName')}")},
			[]string{"e1/Available of user1: 0=1", "e1/Available of user2: 0=1"},
		},
		"a search's sum": {
			[]types.MetricDataQuery{{Id: aws.String("e1"), Expression: aws.String("SUM(SEARCH('{AWS/WorkSpaces,WorkspaceId} Stopped', 'Sum'))"), Period: aws.Int32(3600)}},
			[]string{"e1/e1: 0=6"},
		},
		"a pool, in the other spelling": {
			[]types.MetricDataQuery{expression("e1", "SEARCH('{AWS/Workspaces,\"WorkSpaces pool ID\"} Desired', 'Maximum', 1200)")}, []string{"e1/" + pool.ID + ":"},
		},
		"nothing found": {[]types.MetricDataQuery{expression("e1", "SEARCH('{AWS/EC2,InstanceId} CPUUtilization', 'Sum', 300)")}, nil},
		"labels that tell values": {
			[]types.MetricDataQuery{
				labelled(m2, "${LABEL}: ${MIN} to ${MAX}, ${SUM} in ${DATAPOINT_COUNT}"), labelled(hidden(m1), "x"), labelled(expression("e1", "m1/m2"), "${FIRST}, ${LAST}, ${AVG}"),
				labelled(expression("e2", "m1/0"), "${AVG} of ${DATAPOINT_COUNT}"),
			},
			[]string{"m2/Available: 0 to 4, 6 in 3: 0=4 20=2 40=0", "e1/1, 2, 1.5: 0=1 20=2", "e2/-- of 0:"},
		},
		"a label that tells a value, without an expression": {
			[]types.MetricDataQuery{labelled(m2, "${PROP('MetricName')} ${LAST}")}, []string{"m2/Available 0: 0=4 20=2 40=0"},
		},
		"a line": {
			[]types.MetricDataQuery{{Id: aws.String("e1"), Expression: aws.String("TIME_SERIES(3)"), Period: aws.Int32(1800)}}, []string{"e1/e1: 0=3 30=3"},
		},
		"a line of the shortest period": {[]types.MetricDataQuery{hidden(m1), expression("e1", "TIME_SERIES(3)")}, []string{"e1/e1: 0=3 20=3 40=3"}},
		"what is not known of a pool": {
			[]types.MetricDataQuery{hidden(query("m1", "ActualUserSessionCapacity", first, "Sum", 1800)), expression("e1", "FILL(m1, 1)")}, []string{"e1/e1: 0=1 30=1"},
		},
	} {
		if got := w.calculate(t, c.queries...); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", why, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	w.client = sdk.NewFromConfig(w.As("210987654321", dstest.Region))
	if got := w.calculate(t, expression("e1", "SEARCH('{AWS/WorkSpaces,WorkspaceId}', 'Sum', 300)")); len(got) > 0 {
		t.Errorf("another account finds %v", got)
	}
}

// TestExpressionPages asks for what expressions give page by page, from either end: each point comes once.
func TestExpressionPages(t *testing.T) {
	t.Parallel()
	w, first, second := hour(t)
	in := sdk.GetMetricDataInput{
		StartTime: &w.began, EndTime: aws.Time(w.Clock.Now()),
		MetricDataQueries: []types.MetricDataQuery{
			query("m1", "Available", first, "Sum", 1200), hidden(query("m2", "Available", second, "Sum", 600)), expression("e1", "m2*2"), expression("none", "m2-1-m2/0"),
			expression("e2", "IF(m2>0, m2)"),
		},
	}
	for _, order := range types.ScanByTimestampAscending.Values() {
		in.ScanBy = order
		want := map[string][]string{
			"m1": {"0=4", "20=4", "40=4"}, "e1": {"0=4", "10=4", "20=4", "30=0", "40=0", "50=0"}, "none": nil, "e2": {"0=2", "10=2", "20=2"},
		}
		if order == types.ScanByTimestampDescending {
			for _, points := range want {
				slices.Reverse(points)
			}
		}
		for _, most := range []int32{1, 2, 5, 100} {
			in.MaxDatapoints = &most
			got, pages := w.data(t, in)
			if !maps.EqualFunc(got, want, slices.Equal[[]string]) || most == 1 && pages < 12 || most == 100 && pages > 1 {
				t.Errorf("%s, by %d in %d pages: %v, want %v", order, most, pages, got, want)
			}
		}
	}
}

// TestManyFound: a search has at most 500 metrics, and says when there are more.
func TestManyFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	for i := range 510 {
		w.make(t, i)
	}
	w.pass(t, 5*time.Minute)
	in := &sdk.GetMetricDataInput{StartTime: &w.began, EndTime: aws.Time(w.Clock.Now())}
	for text, results := range map[string]int{
		"SEARCH('{AWS/WorkSpaces,WorkspaceId} Available', 'Sum', 300)": 500, "METRIC_COUNT(SEARCH('{AWS/WorkSpaces,WorkspaceId} Available', 'Sum', 300))+TIME_SERIES(0)": 1,
	} {
		in.MetricDataQueries = []types.MetricDataQuery{expression("e1", text)}
		out, err := w.client.GetMetricData(t.Context(), in)
		if err != nil || len(out.MetricDataResults) != results || len(out.Messages) != 1 || *out.Messages[0].Code != "MaxMetricsExceeded" {
			t.Fatalf("%d results, %v", len(out.MetricDataResults), err)
		}
		if results == 1 && out.MetricDataResults[0].Values[0] != 500 {
			t.Errorf("%v found", out.MetricDataResults[0].Values)
		}
	}
}

// TestExpressionsRefused: what is wrong with an expression is said, with the id of the one that it is wrong in.
func TestExpressionsRefused(t *testing.T) {
	t.Parallel()
	w, first, _ := hour(t)
	m1 := hidden(query("m1", "Available", first, "Sum", 300))
	for why, c := range map[string]struct {
		queries []types.MetricDataQuery
		want    string
	}{
		"syntax":         {[]types.MetricDataQuery{m1, expression("e1", "m1+")}, "Error in expression 'e1': invalid syntax at position 4"},
		"an unknown id":  {[]types.MetricDataQuery{m1, expression("e1", "m1+m2")}, "Error in expression 'e1': there is no metric or expression with the id 'm2'"},
		"a number":       {[]types.MetricDataQuery{m1, expression("e1", "SUM(m1)")}, "Error in expression 'e1': the result is a scalar"},
		"itself":         {[]types.MetricDataQuery{expression("e1", "e1+1")}, "Error in expression 'e1': 'e1' depends on itself"},
		"each other":     {[]types.MetricDataQuery{expression("e1", "e2+1"), expression("e2", "e1+1")}, "Error in expression 'e2': 'e1' depends on itself"},
		"an inner one":   {[]types.MetricDataQuery{expression("e1", "e2+1"), hidden(expression("e2", "SUM(1)"))}, "Error in expression 'e2'"},
		"no function":    {[]types.MetricDataQuery{expression("e1", "ANOMALY_DETECTION_BAND(m1)")}, "the function ANOMALY_DETECTION_BAND is not supported"},
		"SQL":            {[]types.MetricDataQuery{expression("e1", "SELECT AVG(Available) FROM \"AWS/WorkSpaces\"")}, "Metrics Insights"},
		"a statistic":    {[]types.MetricDataQuery{expression("e1", "SEARCH('Available', 'Mode', 300)")}, `"Mode" is not a valid statistic`},
		"a period":       {[]types.MetricDataQuery{expression("e1", "SEARCH('Available', 'Sum', 7)")}, "the period of SEARCH must be"},
		"a long period":  {[]types.MetricDataQuery{expression("e1", "SEARCH('Available', 'Sum', 1e12)")}, "period of SEARCH"},
		"another period": {[]types.MetricDataQuery{{Id: aws.String("e1"), Expression: aws.String("TIME_SERIES(1)"), Period: aws.Int32(7)}}, "member.1.Period must be"},
		"hidden":         {[]types.MetricDataQuery{m1, hidden(expression("e1", "m1+[m1]+[m1]"))}, "Error in expression 'e1': unsupported operand types for +"},
	} {
		_, err := w.client.GetMetricData(t.Context(), &sdk.GetMetricDataInput{StartTime: &w.began, EndTime: aws.Time(w.Clock.Now()), MetricDataQueries: c.queries})
		refused(t, monitoring.GetMetricData.Info, err, "ValidationError")
		if !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v, want %s", why, err, c.want)
		}
	}
	long := []types.MetricDataQuery{expression("e1", "m0*2")}
	for i := range 499 {
		long = append(long, query(fmt.Sprintf("m%d", i), "Available", first, "Sum", 60))
	}
	_, err := w.client.GetMetricData(t.Context(), &sdk.GetMetricDataInput{StartTime: aws.Time(w.began.Add(-10 * 24 * time.Hour)), EndTime: &w.began, MetricDataQueries: long})
	if refused(t, monitoring.GetMetricData.Info, err, "ValidationError"); !strings.Contains(fmt.Sprint(err), "1008000 periods") {
		t.Error(err)
	}
}

// TestExpressionsElsewhere: where somebody else answers for other namespaces, expressions that name none of ours are theirs.
func TestExpressionsElsewhere(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	passing, err := service.New(s.Core, true)
	if err != nil {
		t.Fatal(err)
	}
	for text, theirs := range map[string]bool{
		"INSIGHT_RULE_METRIC('x', 'Sum')": true, "SEARCH('{AWS/EC2,InstanceId} CPUUtilization', 'Sum', 300)": true,
		"SEARCH('{AWS/WorkSpaces,UserName} Available', 'Sum', 300)": false, "SEARCH('{AWS/Workspaces,\"WorkSpaces pool ID\"}', 'Sum', 300)": false,
	} {
		now := s.Clock.Now()
		_, err := passing.GetMetricData(dstest.Context(t), &monitoring.GetMetricDataInput{
			StartTime: api.At(now.Add(-time.Hour)), EndTime: api.At(now), MetricDataQueries: []monitoring.MetricDataQuery{{Id: aws.String("e1"), Expression: &text}},
		})
		if (err != nil) != theirs {
			t.Errorf("%s: %v", text, err)
		}
	}
}
