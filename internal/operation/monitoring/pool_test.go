package monitoring_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	domain "carrel/internal/workspaces"
)

// pool makes a pool.
func (w *world) pool(t *testing.T) *domain.Pool {
	t.Helper()
	p := domain.NewPool(nil, domain.Pool{Scope: dstest.Scope(), Name: "lab", DirectoryID: "wsd-1", RunningMode: domain.AutoStop}, w.Clock.Now())
	w.update(t, func(tx *store.Tx) error { return tx.InsertPool(t.Context(), p) })
	return p
}

// desktop adds a desktop to a pool, which is being made.
func (w *world) desktop(t *testing.T, p *domain.Pool) *domain.PoolDesktop {
	t.Helper()
	d, _ := domain.NewPoolDesktop(p, w.Clock.Now())
	d.SubnetID, d.AddressOffset = dstest.SubnetA, d.Number+10
	w.update(t, func(tx *store.Tx) error { return tx.InsertPoolDesktop(t.Context(), d) })
	return d
}

// turn changes a desktop as a job would.
func (w *world) turn(t *testing.T, d *domain.PoolDesktop, f func(*domain.PoolDesktop, time.Time)) {
	t.Helper()
	w.update(t, func(tx *store.Tx) error {
		now, _, err := tx.PoolDesktop(t.Context(), dstest.Scope(), d.ID)
		if err != nil {
			return err
		}
		read := now.Generation
		f(now, w.Clock.Now())
		_, err = tx.SavePoolDesktop(t.Context(), now, read)
		return err
	})
}

func (w *world) refuse(t *testing.T, p *domain.Pool) {
	t.Helper()
	w.update(t, func(tx *store.Tx) error { return tx.RefusePoolSession(t.Context(), p, w.Clock.Now()) })
}

// TestPools lets a pool live for an hour: two desktops are made in ten minutes, one is used for half an hour and not
// replaced, and somebody is refused. Then it is gone.
func TestPools(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		p := w.pool(t)
		a, b := w.desktop(t, p), w.desktop(t, p)
		w.pass(t, 10*time.Minute)
		w.turn(t, a, (*domain.PoolDesktop).Made)
		w.turn(t, b, (*domain.PoolDesktop).Made)
		w.pass(t, 10*time.Minute)
		w.turn(t, a, (*domain.PoolDesktop).Assign)
		w.refuse(t, p)
		w.refuse(t, p)
		w.pass(t, 30*time.Minute)
		w.turn(t, a, (*domain.PoolDesktop).Remove)
		w.pass(t, 10*time.Minute)

		wants := func() {
			t.Helper()
			want := func(metric string, period time.Duration, points ...string) {
				t.Helper()
				in := w.ask(metric, "WorkSpaces pool ID", p.ID, period)
				in.EndTime = aws.Time(w.began.Add(time.Hour))
				w.want(t, in, points...)
			}
			want("PendingUserSessionCapacity", time.Hour, "0s: 60 20 0.3333333333333333 0 2")
			want("AvailableUserSessionCapacity", 30*time.Minute, "0s: 30 30 1 0 2", "30m0s: 30 30 1 1 1")
			want("ActiveUserSessionCapacity", 30*time.Minute, "0s: 30 10 0.3333333333333333 0 1", "30m0s: 30 20 0.6666666666666666 0 1")
			want("ActualUserSessionCapacity", time.Hour, "0s: 60 90 1.5 0 2")
			want("DesiredUserSessionCapacity", time.Hour, "0s: 60 110 1.8333333333333333 1 2")
			want("UserSessionsCapacityUtilization", 20*time.Minute, "0s: 20 0 0 0 0", "20m0s: 20 1000 50 50 50", "40m0s: 20 500 25 0 50")
			want("InsufficientCapacityError", 10*time.Minute, "20m0s: 2 2 1 1 1")
			want("Available", time.Hour) // is none of a pool's
		}
		wants()
		w.want(t, w.ask("ActualUserSessionCapacity", "WorkspaceId", p.ID, time.Hour))
		in := w.ask("AvailableUserSessionCapacity", "WorkSpaces pool ID", p.ID, time.Hour)
		in.Namespace = aws.String("AWS/Workspaces") // as the guide of pools spells it
		in.Unit = types.StandardUnitCount
		w.want(t, in, "0s: 60 60 1 0 2")

		w.update(t, func(tx *store.Tx) error {
			_, err := tx.DeletePool(t.Context(), p, p.Generation, w.Clock.Now())
			return err
		})
		w.turn(t, b, (*domain.PoolDesktop).Remove)
		w.pass(t, time.Hour)
		wants()
		in.EndTime = aws.Time(w.Clock.Now())
		w.want(t, in, "0s: 60 60 1 0 2") // and nothing of the hour behind
	})
}

// TestListPools lists a pool's metrics, and keeps them from others.
func TestListPools(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.pass(t, 20*time.Second)
	p := w.pool(t)
	if all := list(t, w.client, sdk.ListMetricsInput{}); len(all) > 0 {
		t.Errorf("without a sample there is %v", all)
	}
	w.pass(t, time.Minute)
	of := "WorkSpaces pool ID=" + p.ID + ":"
	want := []string{
		of + "ActiveUserSessionCapacity", of + "ActualUserSessionCapacity", of + "AvailableUserSessionCapacity", of + "DesiredUserSessionCapacity",
		of + "PendingUserSessionCapacity", of + "UserSessionsCapacityUtilization",
	}
	if all := list(t, w.client, sdk.ListMetricsInput{}); !slices.Equal(all, want) {
		t.Errorf("%v", all)
	}
	w.refuse(t, p)
	want = slices.Insert(want, 4, of+"InsufficientCapacityError")
	if all := list(t, w.client, sdk.ListMetricsInput{Dimensions: []types.DimensionFilter{filter("WorkSpaces pool ID", nil)}}); !slices.Equal(all, want) {
		t.Errorf("%v", all)
	}
	client := sdk.NewFromConfig(w.As("210987654321", dstest.Region))
	if all := list(t, client, sdk.ListMetricsInput{}); len(all) > 0 {
		t.Errorf("another account sees %v", all)
	}
	w.pass(t, 500*24*time.Hour)
	w.update(t, func(tx *store.Tx) error { return tx.PruneMetrics(t.Context(), w.Clock.Now()) })
	w.want(t, w.ask("InsufficientCapacityError", "WorkSpaces pool ID", p.ID, 480*time.Hour))
}
