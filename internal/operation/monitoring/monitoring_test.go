package monitoring_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"carrel/internal/api"
	"carrel/internal/api/monitoring"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	domain "carrel/internal/workspaces"
)

// world is a server with a client of CloudWatch, at a full hour that does not pass by itself.
type world struct {
	*dstest.Server
	client *sdk.Client
	began  time.Time
}

func newWorld(t *testing.T, database string) *world {
	t.Helper()
	s := dstest.StartOn(t, database)
	now := s.Clock.Now()
	if err := s.Clock.Advance(now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)); err != nil {
		t.Fatal(err)
	}
	return &world{Server: s, client: sdk.NewFromConfig(s.As(dstest.Account, dstest.Region)), began: s.Clock.Now()}
}

// pass lets time pass.
func (w *world) pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := w.Clock.Advance(d); err != nil {
		t.Fatal(err)
	}
}

// make makes a WorkSpace, AVAILABLE, and returns its id.
func (w *world) make(t *testing.T, n int) string {
	t.Helper()
	desk := &domain.WorkSpace{
		Scope: dstest.Scope(), ID: fmt.Sprintf("ws-%09d", n), DirectoryID: fmt.Sprintf("d-%010d", n%2), UserName: fmt.Sprintf("user%d", n),
		BundleID: "wsb-carrelstd", Properties: domain.Properties{ComputeType: "STANDARD", RunningMode: domain.Manual, Protocols: []string{"WSP"}},
	}
	if err := desk.Begin(domain.ActionCreate, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	err := w.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertWorkSpace(t.Context(), desk) })
	if err != nil {
		t.Fatal(err)
	}
	w.change(t, desk.ID, func(desk *domain.WorkSpace) { desk.Finish(w.Clock.Now()) })
	return desk.ID
}

// change changes a WorkSpace as a job would.
func (w *world) change(t *testing.T, id string, f func(*domain.WorkSpace)) {
	t.Helper()
	err := w.Store.Update(t.Context(), func(tx *store.Tx) error {
		desk, found, err := tx.WorkSpace(t.Context(), dstest.Scope(), id)
		if err != nil || !found {
			return fmt.Errorf("%s: %v, %w", id, found, err)
		}
		read := desk.Generation
		f(desk)
		_, err = tx.SaveWorkSpace(t.Context(), desk, read)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// begin begins an action on a WorkSpace, and ends it where it does not end by itself.
func (w *world) begin(t *testing.T, id string, a domain.Action) {
	t.Helper()
	w.change(t, id, func(desk *domain.WorkSpace) {
		if err := desk.Begin(a, w.Clock.Now()); err != nil {
			t.Error(err)
		}
	})
	if a.Lookup().During != domain.Absent {
		w.change(t, id, func(desk *domain.WorkSpace) { desk.Finish(w.Clock.Now()) })
	}
}

// ask is a question about the time from the beginning on.
func (w *world) ask(metric, dimension, value string, period time.Duration) *sdk.GetMetricStatisticsInput {
	return &sdk.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/WorkSpaces"), MetricName: &metric, Dimensions: []types.Dimension{{Name: &dimension, Value: &value}},
		StartTime: &w.began, EndTime: aws.Time(w.Clock.Now()), Period: aws.Int32(int32(period.Seconds())),
		Statistics: types.StatisticSampleCount.Values(),
	}
}

// statistics asks, and shows each point: its minute, and the five statistics.
func (w *world) statistics(t *testing.T, in *sdk.GetMetricStatisticsInput) string {
	t.Helper()
	out, err := w.client.GetMetricStatistics(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var points []string
	for _, p := range out.Datapoints {
		points = append(points, fmt.Sprintf("%v: %v %v %v %v %v", p.Timestamp.Sub(w.began), *p.SampleCount, *p.Sum, *p.Average, *p.Minimum, *p.Maximum))
	}
	return strings.Join(points, "\n")
}

func (w *world) want(t *testing.T, in *sdk.GetMetricStatisticsInput, want ...string) {
	t.Helper()
	if got := w.statistics(t, in); got != strings.Join(want, "\n") {
		t.Errorf("%s of %s:\n%s\nwant\n%s", *in.MetricName, *in.Dimensions[0].Value, got, strings.Join(want, "\n"))
	}
}

// TestStates lets WorkSpaces be in several states over hours, which nobody looks at while they
// pass, and asks for what samples would have found.
func TestStates(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		a, b := w.make(t, 1), w.make(t, 3)
		w.pass(t, time.Hour) // 12 samples: those at :00 to :55
		w.begin(t, a, domain.ActionStop)
		w.begin(t, b, domain.ActionSicken)
		w.pass(t, 90*time.Minute)
		w.begin(t, b, domain.ActionTerminate)
		w.begin(t, a, domain.ActionStart)
		w.begin(t, a, domain.ActionLock)
		w.pass(t, 30*time.Minute)

		w.want(t, w.ask("Available", "WorkspaceId", a, time.Hour), "0s: 12 12 1 1 1", "1h0m0s: 12 0 0 0 0", "2h0m0s: 12 0 0 0 0")
		w.want(t, w.ask("Stopped", "WorkspaceId", a, time.Hour), "0s: 12 0 0 0 0", "1h0m0s: 12 12 1 1 1", "2h0m0s: 12 6 0.5 0 1")
		w.want(t, w.ask("Maintenance", "WorkspaceId", a, 30*time.Minute), "0s: 6 0 0 0 0", "30m0s: 6 0 0 0 0", "1h0m0s: 6 0 0 0 0",
			"1h30m0s: 6 0 0 0 0", "2h0m0s: 6 0 0 0 0", "2h30m0s: 6 6 1 1 1")
		w.want(t, w.ask("Unhealthy", "WorkspaceId", b, time.Hour), "0s: 12 0 0 0 0", "1h0m0s: 12 12 1 1 1", "2h0m0s: 6 6 1 1 1")
		w.want(t, w.ask("Available", "DirectoryId", "d-0000000001", time.Hour), "0s: 24 24 1 1 1", "1h0m0s: 24 0 0 0 0", "2h0m0s: 18 0 0 0 0")
		w.want(t, w.ask("Stopped", "ComputeType", "STANDARD", 3*time.Hour), "0s: 66 18 "+fmt.Sprint(18./66)+" 0 1")
		w.want(t, w.ask("Available", "UserName", "user3", 3*time.Hour), "0s: 30 12 0.4 0 1")

		// Of a WorkSpace that has been forgotten, the past is known.
		w.change(t, b, func(desk *domain.WorkSpace) {})
		err := w.Store.Update(t.Context(), func(tx *store.Tx) error {
			desk, _, err := tx.WorkSpace(t.Context(), dstest.Scope(), b)
			if err == nil {
				_, err = tx.DeleteWorkSpace(t.Context(), desk.Ref())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.want(t, w.ask("Available", "UserName", "user3", 3*time.Hour), "0s: 30 12 0.4 0 1")

		// A period that begins within a sample's, and one that is shorter: a point only where there is a sample.
		in := w.ask("Stopped", "WorkspaceId", a, time.Hour)
		in.StartTime = aws.Time(w.began.Add(2*time.Minute + 13*time.Second))
		w.want(t, in, "2m0s: 12 1 "+fmt.Sprint(1./12)+" 0 1", "1h2m0s: 12 12 1 1 1", "2h2m0s: 11 5 "+fmt.Sprint(5./11)+" 0 1")
		in = w.ask("Stopped", "WorkspaceId", a, time.Minute)
		in.StartTime, in.EndTime = aws.Time(w.began.Add(58*time.Minute)), aws.Time(w.began.Add(66*time.Minute))
		w.want(t, in, "1h0m0s: 1 1 1 1 1", "1h5m0s: 1 1 1 1 1")
		// Nothing is known of what is to come.
		in.StartTime, in.EndTime = aws.Time(w.Clock.Now()), aws.Time(w.Clock.Now().Add(time.Hour))
		w.want(t, in, "3h0m0s: 1 0 0 0 0")
		in.EndTime = aws.Time(w.Clock.Now().Add(10 * time.Hour))
		in.StartTime = aws.Time(w.Clock.Now().Add(time.Minute))
		w.want(t, in)
	})
}

// TestModeChanges: what a WorkSpace was told apart by at the time is what its samples are found by.
func TestModeChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	w.pass(t, time.Hour)
	w.change(t, id, func(desk *domain.WorkSpace) {
		_, err := desk.Modify(domain.Change{RunningMode: domain.AlwaysOn}, domain.Bundle{}, domain.OpenLimits(), w.Clock.Now())
		if err != nil {
			t.Error(err)
		}
	})
	w.pass(t, time.Hour)
	w.want(t, w.ask("Available", "RunningMode", "MANUAL", 2*time.Hour), "0s: 12 12 1 1 1")
	w.want(t, w.ask("Available", "RunningMode", "ALWAYS_ON", 2*time.Hour), "0s: 12 12 1 1 1")
	w.want(t, w.ask("Available", "WorkspaceId", id, 2*time.Hour), "0s: 24 24 1 1 1")
}

// TestConnections has a user connected, and things happen.
func TestConnections(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		id := w.make(t, 1)
		stream := store.Stream{Scope: dstest.Scope(), WorkSpaceID: id, ID: "s"}
		connect := func(for_ time.Duration) {
			stream.OpenedAt = w.Clock.Now()
			w.update(t, func(tx *store.Tx) error { return tx.OpenStream(t.Context(), stream) })
			w.pass(t, for_)
			w.update(t, func(tx *store.Tx) error { return tx.CloseStream(t.Context(), stream, w.Clock.Now()) })
		}
		w.pass(t, 10*time.Minute)
		connect(20 * time.Minute)
		w.pass(t, 30*time.Minute)
		connect(15 * time.Minute)
		stream.OpenedAt = w.Clock.Now()
		w.update(t, func(tx *store.Tx) error { return tx.OpenStream(t.Context(), stream) })
		w.pass(t, 45*time.Minute)
		w.want(t, w.ask("UserConnected", "WorkspaceId", id, time.Hour), "0s: 12 4 "+fmt.Sprint(4./12)+" 0 1", "1h0m0s: 12 12 1 1 1")
		w.want(t, w.ask("UserConnected", "DirectoryId", "d-0000000001", 2*time.Hour), "0s: 24 16 "+fmt.Sprint(16./24)+" 0 1")

		w.happens(t, id, domain.MetricLatency, w.began.Add(7*time.Minute), 10, 30)
		w.happens(t, id, domain.MetricLatency, w.began.Add(8*time.Minute), 20)
		w.happens(t, id, domain.MetricLatency, w.began.Add(70*time.Minute), 40)
		w.happens(t, id, domain.MetricAttempt, w.began.Add(70*time.Minute), 1, 1)
		w.want(t, w.ask("InSessionLatency", "WorkspaceId", id, time.Hour), "0s: 3 60 20 10 30", "1h0m0s: 1 40 40 40 40")
		w.want(t, w.ask("InSessionLatency", "DirectoryId", "d-0000000001", 5*time.Minute), "5m0s: 3 60 20 10 30", "1h10m0s: 1 40 40 40 40")
		w.want(t, w.ask("ConnectionAttempt", "UserName", "user1", 2*time.Hour), "0s: 2 2 1 1 1")
		w.want(t, w.ask("ConnectionFailure", "UserName", "user1", 2*time.Hour))
	})
}

// TestPercentiles: percentiles of samples are known, and those of what was measured, however it was summed up.
func TestPercentiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	id := w.make(t, 1)
	w.pass(t, 45*time.Minute)
	w.begin(t, id, domain.ActionStop)
	w.pass(t, 15*time.Minute)
	w.happens(t, id, domain.MetricLaunch, w.began, 2.5)
	w.happens(t, id, domain.MetricLaunch, w.began.Add(30*time.Minute), 1.5)
	for _, c := range []struct {
		metric string
		period time.Duration
		want   string
	}{
		// Of 12 samples of Stopped 3 are 1.
		{"Stopped", time.Hour, "p0=0 p50=0 p75=0 p75.1=1 p99=1"},
		{"Available", 30 * time.Minute, "p0=1 p50=1 p75=1 p75.1=1 p99=1; p0=0 p50=0 p75=1 p75.1=1 p99=1"},
		{"SessionLaunchTime", 30 * time.Minute, "p0=2.5 p50=2.5 p75=2.5 p75.1=2.5 p99=2.5; p0=1.5 p50=1.5 p75=1.5 p75.1=1.5 p99=1.5"},
		{"SessionLaunchTime", time.Hour, "p0=1.5 p50=1.5 p75=2.5 p75.1=2.5 p99=2.5"},
	} {
		in := w.ask(c.metric, "WorkspaceId", id, c.period)
		in.Statistics, in.ExtendedStatistics = nil, []string{"p0", "p50", "p75", "p75.1", "p99"}
		out, err := w.client.GetMetricStatistics(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		var points []string
		for _, p := range out.Datapoints {
			var values []string
			for _, name := range slices.Sorted(maps.Keys(p.ExtendedStatistics)) {
				values = append(values, fmt.Sprintf("%s=%v", name, p.ExtendedStatistics[name]))
			}
			points = append(points, strings.Join(values, " "))
		}
		if got := strings.Join(points, "; "); got != c.want {
			t.Errorf("%s: %s, want %s", c.metric, got, c.want)
		}
	}
}

func (w *world) update(t *testing.T, f func(*store.Tx) error) {
	t.Helper()
	if err := w.Store.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// happens notes values of what has happened to a WorkSpace.
func (w *world) happens(t *testing.T, id string, metric domain.Metric, at time.Time, values ...float64) {
	t.Helper()
	h := domain.Happening{Metric: metric, At: at}
	for _, v := range values {
		h.Add(domain.Summary{N: 1, Sum: v, Min: v, Max: v})
		if metric.Measured() {
			h.Measured += domain.Measure(v)
		}
	}
	w.update(t, func(tx *store.Tx) error {
		desk, _, err := tx.WorkSpace(t.Context(), dstest.Scope(), id)
		if err != nil {
			return err
		}
		h.Traits = desk.Traits()
		return tx.Happened(t.Context(), h)
	})
}

// refused fails the test unless an operation has answered an exception that it declares, or the one for what breaks the
// model, by the name that CloudWatch has had for it since it spoke Query only.
func refused(t *testing.T, op api.Info, err error, code string) {
	t.Helper()
	var got smithy.APIError
	if !errors.As(err, &got) || got.ErrorCode() != code || got.ErrorMessage() == "" {
		t.Errorf("%s: %v; want %s and a message", op.Name, err, code)
	}
	declared := code == "ValidationError"
	for _, shape := range monitoring.Service.Exceptions {
		declared = declared || shape.Code == code && op.Declares(shape.Name) || shape.Name == code && op.Declares(code)
	}
	if !declared {
		t.Errorf("%s does not declare %s", op.Name, code)
	}
}
