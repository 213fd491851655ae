package expression_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"carrel/internal/operation/monitoring/expression"
)

func language(t testing.TB) *expression.Language {
	t.Helper()
	l, err := expression.New()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// series has a point of each value, one in every minute from 1970 on; none where it is no number.
func series(label string, values ...float64) *expression.Series {
	s := &expression.Series{Grid: expression.Grid{Period: 60, Slots: int64(len(values))}, Label: label}
	for i, v := range values {
		if !math.IsNaN(v) {
			s.Points = append(s.Points, expression.Point{At: int64(i) * 60, Value: v})
		}
	}
	return s
}

// world has a few series: m1, m2 with a hole, m3 by two minutes, none without a point.
func world() *expression.World {
	hole := math.NaN()
	slow := series("slow", 100, 200)
	slow.Period, slow.Points[1].At = 120, 120
	w := &expression.World{
		Metrics: []*expression.Series{series("one", 1, 2, 3, 4), series("two", 10, hole, 30, 20), slow, series("none", hole, hole, hole, hole)},
		IDs:     []string{"m1", "m2", "m3", "none"}, Grid: expression.Grid{Period: 60, Slots: 4},
		Found: func(s *expression.Search) []*expression.Series {
			return []*expression.Series{series(s.Statistic, float64(s.Period))}
		},
	}
	w.Value = func(id string) (expression.Value, error) {
		if i := slices.Index(w.IDs, id); i >= 0 {
			return expression.Value{Series: w.Metrics[i : i+1]}, nil
		}
		return expression.Value{}, fmt.Errorf("nothing is called %s", id)
	}
	return w
}

// show writes a value: a number, or each series as its values by minute.
func show(v expression.Value) string {
	if v.IsNumber() {
		return fmt.Sprint(v.Number)
	}
	var all []string
	for _, s := range v.Series {
		var points []string
		for _, p := range s.Points {
			points = append(points, fmt.Sprintf("%d=%.4g", p.At/60, p.Value))
		}
		all = append(all, strings.Join(points, " "))
	}
	if v.Array {
		return "[" + strings.Join(all, "; ") + "]"
	}
	return all[0]
}

func evaluate(l *expression.Language, text string) (expression.Value, error) {
	e, err := l.Parse(text)
	if err != nil {
		return expression.Value{}, err
	}
	return e.Evaluate(world())
}

// TestEvaluate computes with series.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	l := language(t)
	for text, want := range map[string]string{
		// Numbers, and what binds more tightly.
		"1+2*3": "7", "(1+2)*3": "9", "2^3^2": "512", "-2^2": "-4", "2^-1": "0.5", "-2*-3": "6", "10-4-3": "3", "12/2/3": "2", "1 - -1": "2",
		"1 < 2 AND 2 < 1": "0", "1 OR 0 AND 0": "1", "1 || 0 && 0": "1", "2 >= 2": "1", "1+1 == 2": "1", "1.5e1 != 15": "0", ".5+.5": "1", "1 <= 0": "0", "3 > 2": "1",
		// Series with numbers and each other: what one has no point for, the other has not either.
		"m1*2": "0=2 1=4 2=6 3=8", "10-m1": "0=9 1=8 2=7 3=6", "m1+m2": "0=11 2=33 3=24", "m2/m1": "0=10 2=10 3=5", "-m1": "0=-1 1=-2 2=-3 3=-4",
		"m1 + m3": "0=101 2=203", "m1/(m1-2)": "0=-1 2=3 3=2", "m1 >= 2 AND m1 < 4": "0=0 1=1 2=1 3=0", "m1 + none": "", "m1+SUM(none)": "",
		// Arrays.
		"[m1, m2]*10": "[0=10 1=20 2=30 3=40; 0=100 2=300 3=200]", "[m1,m2]-m1": "[0=0 1=0 2=0 3=0; 0=9 2=27 3=16]", "m1-[m2]": "[0=-9 2=-27 3=-16]",
		"[]": "[]", "[[m1],m2]": "[0=1 1=2 2=3 3=4; 0=10 2=30 3=20]",
		// What is reduced: a series to a number, an array to a series.
		"SUM(m1)": "10", "AVG(m1)": "2.5", "MIN(m2)": "10", "MAX(m2)": "30", "DATAPOINT_COUNT(m2)": "3", "STDDEV([m1,m2])": "0=4.5 1=0 2=13.5 3=8",
		"SUM([m1,m2])": "0=11 1=2 2=33 3=24", "AVG([m1,m2])": "0=5.5 1=2 2=16.5 3=12", "MAX(METRICS())": "0=100 1=2 2=200 3=20", "m1/SUM(m1)": "0=0.1 1=0.2 2=0.3 3=0.4",
		"DATAPOINT_COUNT([m1,m2,none])": "0=2 1=1 2=2 3=2", "SUM([])": "",
		// Point by point.
		"ABS(m1-3)": "0=2 1=1 2=0 3=1", "CEIL(m1/2)": "0=1 1=1 2=2 3=2", "FLOOR(m1/2)": "0=0 1=1 2=1 3=2", "LOG10(m2*10)": "0=2 2=2.477 3=2.301", "LOG(m1-1)": "1=0 2=0.6931 3=1.099",
		"RATE(m2)": "2=0.1667 3=-0.1667", "DIFF(m2)": "2=20 3=-10", "DIFF_TIME(m2)": "2=120 3=60", "RUNNING_SUM(m2)": "0=10 2=40 3=60", "ABS(-3)": "3",
		"MINUTE(m1)": "0=0 1=1 2=2 3=3", "HOUR(m1)+DATE(m1)+MONTH(m1)": "0=2 1=2 2=2 3=2", "YEAR(m2)": "0=1970 2=1970 3=1970", "DAY(m2)": "0=4 2=4 3=4", "EPOCH(m2)": "0=0 2=120 3=180",
		// What is missing.
		"FILL(m2, 0)": "0=10 1=0 2=30 3=20", "FILL(m2, REPEAT)": "0=10 1=10 2=30 3=20", "FILL(m2, LINEAR)": "0=10 1=20 2=30 3=20", "FILL(m2, m1)": "0=10 1=2 2=30 3=20",
		"FILL(none, 7)": "0=7 1=7 2=7 3=7", "FILL(none, REPEAT)": "", "FILL([m2,none],-1)": "[0=10 1=-1 2=30 3=20; 0=-1 1=-1 2=-1 3=-1]", "FILL(m2, MAX(m1))": "0=10 1=4 2=30 3=20",
		"REMOVE_EMPTY([none,m2])": "[0=10 2=30 3=20]",
		// What depends on something.
		"IF(m1>2, m1, 0)": "0=0 1=0 2=3 3=4", "IF(m1>2, m2)": "2=30 3=20", "IF(m1 > 2, 1, m2)": "0=10 2=1 3=1", "IF(1, m2, m1)": "0=10 2=30 3=20", "IF(0, 1, 2)": "2",
		"IF([m1,m2]>3, 1, 0)": "[0=0 1=0 2=0 3=1; 0=1 2=1 3=1]",
		// Arrays of the request's metrics.
		"METRIC_COUNT(METRICS())": "4", `METRIC_COUNT(METRICS("m"))`: "3", "METRICS('2')": "[0=10 2=30 3=20]", "PERIOD(m3)": "120", "m1/PERIOD(m1)*60": "0=1 1=2 2=3 3=4",
		"SORT([m2,m1,none], AVG, ASC)": "[0=1 1=2 2=3 3=4; 0=10 2=30 3=20; ]", "SORT([none,m1,m2], SUM, DESC, 1)": "[0=10 2=30 3=20]", "SORT([m1,m2],MIN,DESC)": "[0=10 2=30 3=20; 0=1 1=2 2=3 3=4]",
		"SLICE(METRICS(), 0, 1)": "[0=1 1=2 2=3 3=4]", "SLICE(METRICS(), 1)": "0=10 2=30 3=20", "SLICE([m1], 3)": "", "SLICE([m1,m2], 1, 9)": "[0=10 2=30 3=20]", "SLICE([m1], 1, 0)": "[]",
		"FIRST([m2,m1])": "0=10 2=30 3=20", "LAST([m2,m1])": "0=1 1=2 2=3 3=4", "LAST([])": "",
		"TIME_SERIES(5)": "0=5 1=5 2=5 3=5", "TIME_SERIES(MAX(m1))+m1": "0=5 1=6 2=7 3=8",
		"SEARCH('{AWS/WorkSpaces,WorkspaceId} MetricName=\"Available\"', 'Sum', 300)": "[0=300]", "SUM(SEARCH('Available', \"p99\"))": "0=0",
	} {
		v, err := evaluate(l, text)
		if err != nil || show(v) != want {
			t.Errorf("%s: %s, %v; want %s", text, show(v), err, want)
		}
	}
}

// TestRefused: what is wrong with an expression is said.
func TestRefused(t *testing.T) {
	t.Parallel()
	l := language(t)
	for text, want := range map[string]string{
		"": "position 1: unexpected end", "m1 +": "position 5", "m1 m2": `position 4: unexpected "m2"`, "(m1": "unexpected end", "m1)": `unexpected ")"`, "m1 = 2": "position 4",
		"[m1": "end", "[m1 m2]": `"m2"`, "SUM(m1": "end", "SUM(m1,)": `")"`, "m1 $ 2": "position 4", "'text": "position 1", "+m1": `"+"`, "m1 AND": "end", "1e999": "1e999",
		"nobody + 1": "nothing is called nobody", "sum(m1)": "function sum is not supported", "ANOMALY_DETECTION_BAND(m1)": "ANOMALY_DETECTION_BAND", "SUM()": "0 arguments", "ABS(m1,m2)": "2 arguments",
		"[m1,m2]+[m1,m2]": "for +: '[TimeSeries[], TimeSeries[]]'", "SUM(1)": "for SUM: it takes time series, and not '[Scalar]'", "[m1, 1]": "no numbers", "'text'": "'text'", "m1+'x'": "'x'",
		"METRIC_COUNT(m1)": "METRIC_COUNT: it takes an array", "PERIOD([m1])": "TimeSeries[]", "METRICS(m1)": "in quotes", "TIME_SERIES(m1)": "a number", "FILL(1, 0)": "FILL", "FILL(m1, [m1])": "REPEAT",
		"FILL(m1, LOUD)": "LOUD", "IF(m1, [m1], 0)": "IF", "SORT(METRICS(), COUNT, ASC)": "SORT takes", "SORT(METRICS(), AVG, UP)": "SORT takes", "SORT(m1,AVG,ASC)": "an array",
		"SLICE(METRICS(), -1)": "from 0", "SLICE(METRICS(), 0.5)": "whole", "SLICE(METRICS(), m1)": "a number", "RATE(1)": "RATE", "FIRST(m1)": "FIRST",
		"SEARCH('x')": "SEARCH takes", "SEARCH(m1, 'Sum')": "SEARCH takes", "SEARCH('', 'Sum')": "nothing", "SEARCH('{AWS/EC2', 'Sum')": "position", "SEARCH('a OR', 'Sum')": "position",
		"SEARCH('x', 'Sum', 0)": "period", "SEARCH('x', 'Sum', 1.5)": "period",
		strings.Repeat("(", 2000) + "m1" + strings.Repeat(")", 2000): "deeper", strings.Repeat("-", 2000) + "1": "deeper", "SEARCH('" + strings.Repeat("(", 2000) + "', 'Sum')": "deep",
		"[" + strings.Repeat("m1,", 501) + "m1]": "at most 500",
	} {
		v, err := evaluate(l, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v; want an error of %q", text[:min(len(text), 60)], show(v), err, want)
		}
	}
}

// TestAtOnce: one language reads for any number at once.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	l := language(t)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			text := fmt.Sprintf("m1*%d + SUM(SEARCH('{AWS/WorkSpaces,W%d} a', 'Sum', 300))", i, i)
			if v, err := evaluate(l, text); err != nil || show(v) != fmt.Sprintf("0=%d", i+300) {
				t.Errorf("%s: %s, %v", text, show(v), err)
			}
		})
	}
	wait.Wait()
}

// TestTooMuch: a request cannot have more computed than a server can bear.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"TIME_SERIES(1)", "FILL(m1, 0)", "[" + strings.Repeat("FILL(m3,0),", 150) + "m1]"} {
		w := world()
		w.Grid.Slots, w.Metrics[0].Slots, w.Metrics[2].Slots = 1<<40, 1<<40, 200_000
		e, err := language(t).Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = e.Evaluate(w); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}

// TestSearch finds metrics by schema, properties and words.
func TestSearch(t *testing.T) {
	t.Parallel()
	l := language(t)
	candidates := map[string]expression.Candidate{}
	for _, c := range []struct{ metric, dimension, value string }{
		{"Available", "WorkspaceId", "ws-000000001"},
		{"UserConnected", "WorkspaceId", "ws-000000001"},
		{"UserConnected", "UserName", "jane"},
		{"ActiveUserSessionCapacity", "WorkSpaces pool ID", "wspool-12345678"},
	} {
		candidates[c.metric+" of "+c.value] = expression.Candidate{Namespace: "AWS/WorkSpaces", Metric: c.metric, Dimensions: map[string]string{c.dimension: c.value}}
	}
	for query, want := range map[string]string{
		"{AWS/WorkSpaces,WorkspaceId}":                                    "Available of ws-000000001, UserConnected of ws-000000001",
		`{AWS/WorkSpaces,WorkspaceId} MetricName="Available"`:             "Available of ws-000000001",
		`{AWS/WorkSpaces,"WorkSpaces pool ID"}`:                           "ActiveUserSessionCapacity of wspool-12345678",
		`{"AWS/WorkSpaces", UserName} connected`:                          "UserConnected of jane",
		"{AWS/WorkSpaces}":                                                "ActiveUserSessionCapacity of wspool-12345678, Available of ws-000000001, UserConnected of jane, UserConnected of ws-000000001",
		"{AWS/EC2,WorkspaceId}":                                           "",
		"{AWS/WorkSpaces,WorkspaceId,UserName}":                           "",
		`MetricName=Connected`:                                            "UserConnected of jane, UserConnected of ws-000000001",
		`MetricName="Connected"`:                                          "",
		`UserName=jane OR MetricName="Available"`:                         "Available of ws-000000001, UserConnected of jane",
		`User NOT jane`:                                                   "ActiveUserSessionCapacity of wspool-12345678, UserConnected of ws-000000001",
		`MetricName=("Available" OR Active) NOT WorkspaceId=ws-000000001`: "ActiveUserSessionCapacity of wspool-12345678",
		`(user AND connected) NOT (jane)`:                                 "UserConnected of ws-000000001",
		`USERCONNECTED jane`:                                              "UserConnected of jane",
		`"WorkSpaces pool ID"=12345678`:                                   "ActiveUserSessionCapacity of wspool-12345678",
		`Namespace="AWS/WorkSpaces" jane`:                                 "UserConnected of jane",
		`ORANGE`:                                                          "",
	} {
		e, err := l.Parse("SEARCH('" + query + "', 'Sum')")
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		var found []string
		for name, c := range candidates {
			if e.Searches[0].Finds(c) {
				found = append(found, name)
			}
		}
		slices.Sort(found)
		if got := strings.Join(found, ", "); got != want {
			t.Errorf("%s finds %s, want %s", query, got, want)
		}
	}
}

// FuzzExpression: no text panics or takes long, and every point has a number and its place.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"m1+m2*3", "IF(m1>2 AND m2<=3, m1, FILL(m2, LINEAR))", "SLICE(SORT(METRICS(), AVG, DESC), 0, 3)", "-(m1^2)/RATE([m1,m2])", "TIME_SERIES(1e300)*1e300",
		"SEARCH('{AWS/WorkSpaces,\"WorkSpaces pool ID\"} MetricName=(\"A\" OR B) NOT x', 'p99', 300)", "METRICS('m')||1", "[[m1],[]]", "LOG(none)", "FILL(none, REPEAT)+STDDEV(m1)",
	} {
		f.Add(text)
	}
	l := language(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2048 { // the model's limit
			return
		}
		e, err := l.Parse(text)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error that says nothing")
			}
			return
		}
		for _, s := range e.Searches {
			s.Finds(expression.Candidate{Namespace: "AWS/WorkSpaces", Metric: "Available", Dimensions: map[string]string{"UserName": "jane"}})
		}
		v, err := e.Evaluate(world())
		if err != nil {
			return
		}
		for _, s := range v.Series {
			for i, p := range s.Points {
				if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || i > 0 && p.At <= s.Points[i-1].At {
					t.Fatalf("%q gives %v", text, s.Points)
				}
			}
		}
	})
}
