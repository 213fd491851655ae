package store_test

import (
	"context"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// keepSettings keeps something of a user of a pool that is there.
func keepSettings(ctx context.Context, tx *store.Tx) error {
	p := filled[workspaces.Pool](1)
	return tx.PutPoolSettings(ctx, sessionIn(p, "jane"), []byte("archive"), start)
}

// sessionIn is a session of a user in a pool.
func sessionIn(p *workspaces.Pool, user string) *workspaces.PoolSession {
	return workspaces.NewPoolSession(nil, p, &workspaces.PoolDesktop{ID: "pd-" + user, Address: "10.0.0.1"}, user, false, start)
}

func TestPoolSessions(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		p := filled[workspaces.Pool](1)
		p.Scope, p.Timeouts = here, workspaces.PoolTimeouts{Disconnect: 60, Maximum: 600}
		whole := filled[workspaces.PoolSession](1)
		whole.Scope, whole.PoolID, whole.State = here, p.ID, workspaces.PoolSessionEnding
		jane := sessionIn(p, "Jane")
		update(t, s, func(tx *store.Tx) error { return tx.InsertPoolSession(ctx, whole) })
		update(t, s, func(tx *store.Tx) error { return tx.InsertPoolSession(ctx, jane) })
		equal(t, read(t, s, func(tx *store.Tx) (*workspaces.PoolSession, error) { return found(tx.PoolSession(ctx, here, whole.ID)) }), whole)
		equal(t, read(t, s, func(tx *store.Tx) (*workspaces.PoolSession, error) {
			return found(tx.PoolSessionOf(ctx, here, p.ID, "jAne"))
		}), jane)
		equal(t, read(t, s, func(tx *store.Tx) (*workspaces.PoolSession, error) {
			return found(tx.PoolSessionOn(ctx, here, "pd-Jane"))
		}), jane)
		equal(t, read(t, s, func(tx *store.Tx) (*workspaces.PoolSession, error) { return found(tx.PoolSessionByID(ctx, jane.ID)) }), jane)
		list := func(f store.PoolSessionFilter) store.PoolSessionPage {
			f.Scope, f.PoolID = here, p.ID
			return read(t, s, func(tx *store.Tx) (store.PoolSessionPage, error) { return tx.PoolSessions(ctx, f) })
		}
		first := list(store.PoolSessionFilter{Limit: 1})
		equal(t, first.Sessions, []*workspaces.PoolSession{whole})
		equal(t, list(store.PoolSessionFilter{Limit: 1, After: first.Next}).Sessions, []*workspaces.PoolSession{jane})
		equal(t, list(store.PoolSessionFilter{Lasting: true}).Sessions, []*workspaces.PoolSession{jane})
		equal(t, list(store.PoolSessionFilter{UserName: "JANE"}).Sessions, []*workspaces.PoolSession{jane})
		equal(t, len(list(store.PoolSessionFilter{UserName: "john"}).Sessions), 0)

		// Neither a user nor a desktop has two.
		for _, other := range []*workspaces.PoolSession{
			workspaces.NewPoolSession(nil, p, &workspaces.PoolDesktop{ID: "pd-other"}, "jane", false, start),
			workspaces.NewPoolSession(nil, p, &workspaces.PoolDesktop{ID: "pd-Jane"}, "john", false, start),
		} {
			if err := s.Update(ctx, func(tx *store.Tx) error { return tx.InsertPoolSession(ctx, other) }); err == nil {
				t.Errorf("%s has another session on %s", other.UserName, other.DesktopID)
			}
		}

		// It is visited, left and ended, and then it takes no visits.
		wakes := func() time.Time {
			return read(t, s, func(tx *store.Tx) (time.Time, error) { return tx.NextDue(ctx, workspaces.KindPoolSession) })
		}
		visitable := func() workspaces.State {
			return read(t, s, func(tx *store.Tx) (workspaces.State, error) { return tx.VisitState(ctx, here, "pd-Jane") })
		}
		whole.WakeAt = time.Time{}
		update(t, s, func(tx *store.Tx) error { _, err := tx.SavePoolSession(ctx, whole, whole.Generation); return err })
		equal(t, wakes(), at(1))
		equal(t, visitable(), workspaces.Available)
		stream := streamOf("pd-Jane", "a", 2)
		opens(t, s, stream)
		equal(t, list(store.PoolSessionFilter{}).Connections["pd-Jane"].Connected, true)
		fates := read(t, s, func(tx *store.Tx) ([]store.StreamFate, error) { return tx.StreamFates(ctx) })
		equal(t, fates, []store.StreamFate{{ID: "a", State: workspaces.Available, Side: 1}})
		closes(t, s, stream, 3)
		equal(t, wakes(), at(4))
		equal(t, list(store.PoolSessionFilter{}).Connections["pd-Jane"].DisconnectedAt, at(3))
		opens(t, s, stream)
		for range 2 { // once more changes nothing
			update(t, s, func(tx *store.Tx) error { return tx.EndPoolSession(ctx, jane, at(5)) })
		}
		equal(t, visitable(), workspaces.Absent)
		fates = read(t, s, func(tx *store.Tx) ([]store.StreamFate, error) { return tx.StreamFates(ctx) })
		equal(t, fates, []store.StreamFate{{ID: "a", State: workspaces.Absent, Side: 1}})
		due := wakes()
		closes(t, s, stream, 6)
		equal(t, wakes(), due)
		update(t, s, func(tx *store.Tx) error { _, err := tx.DeletePoolSession(ctx, jane.Ref()); return err })
		equal(t, list(store.PoolSessionFilter{}).Sessions, []*workspaces.PoolSession{whole})
	})
}

// TestPoolSettings keeps what there is of a user for as long as a pool of the group and the user are there.
func TestPoolSettings(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		pools := []*workspaces.Pool{filled[workspaces.Pool](1), filled[workspaces.Pool](1)}
		for i, name := range []string{"a", "b"} {
			pools[i].Scope, pools[i].ID, pools[i].Name = here, name, name
			update(t, s, func(tx *store.Tx) error { return tx.InsertPool(ctx, pools[i]) })
		}
		jane, john := sessionIn(pools[0], "Jane"), sessionIn(pools[1], "john")
		kept := func(of *workspaces.PoolSession) string {
			return string(read(t, s, func(tx *store.Tx) ([]byte, error) { return tx.PoolSettings(ctx, of) }))
		}
		keep := func(of *workspaces.PoolSession, what string) {
			update(t, s, func(tx *store.Tx) error { return tx.PutPoolSettings(ctx, of, []byte(what), start) })
		}
		keep(jane, "first")
		keep(jane, "jane\x00's")
		keep(john, "john's")
		equal(t, []string{kept(jane), kept(john)}, []string{"jane\x00's", "john's"})
		equal(t, read(t, s, func(tx *store.Tx) (bool, error) { return tx.HasPoolSettings(ctx, pools[1], "JANE") }), true)
		equal(t, read(t, s, func(tx *store.Tx) (bool, error) { return tx.HasPoolSettings(ctx, pools[1], "jim") }), false)

		user := &workspaces.User{Scope: here, DirectoryID: john.DirectoryID, Name: "john"}
		update(t, s, func(tx *store.Tx) error { return tx.PutUser(ctx, user) })
		update(t, s, func(tx *store.Tx) error { return tx.InsertPoolSession(ctx, john) })
		update(t, s, func(tx *store.Tx) error { _, err := tx.DeleteUser(ctx, here, user.DirectoryID, "john"); return err })
		equal(t, []string{kept(jane), kept(john)}, []string{"jane\x00's", ""})
		lasting := read(t, s, func(tx *store.Tx) (*workspaces.PoolSession, error) { return found(tx.PoolSession(ctx, here, john.ID)) })
		equal(t, []any{lasting.SettingsGroup, lasting.Generation}, []any{"", john.Generation + 1})
		for i, want := range []string{"jane\x00's", ""} { // the other pool has the same group
			update(t, s, func(tx *store.Tx) error {
				_, err := tx.DeletePool(ctx, pools[i], pools[i].Generation, start)
				return err
			})
			equal(t, kept(jane), want)
		}
		keep(jane, "too late")
		equal(t, kept(jane), "")
	})
}
