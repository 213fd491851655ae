package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

func TestPortalSessions(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.UnixMicro(5_000_000).UTC()
		a, old := *filled[store.PortalSession](1), *filled[store.PortalSession](100)
		a.ExpiresAt, old.ExpiresAt = now.Add(time.Hour), now.Add(time.Minute)
		get := func(id string, now time.Time) (store.PortalSession, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (store.PortalSession, bool, error) { return tx.PortalSession(ctx, id, now) })
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		update(t, s, func(tx *store.Tx) error { return tx.InsertPortalSession(ctx, old, now) })
		got, _ := get(old.ID, now)
		equal(t, got, old)
		if _, ok := get(old.ID, old.ExpiresAt); ok {
			t.Error("a session outlives its end")
		}
		update(t, s, func(tx *store.Tx) error { return tx.InsertPortalSession(ctx, a, old.ExpiresAt) })
		if _, ok := get(old.ID, now); ok {
			t.Error("a session that has expired is kept")
		}
		ticket := *filled[store.PortalTicket](1)
		ticket.SessionID, ticket.ExpiresAt = a.ID, now.Add(time.Hour)
		update(t, s, func(tx *store.Tx) error { return tx.InsertPortalTicket(ctx, ticket, now) })
		update(t, s, func(tx *store.Tx) error { return tx.DeletePortalSession(ctx, a.ID) })
		update(t, s, func(tx *store.Tx) error { return tx.DeletePortalSession(ctx, a.ID) })
		if _, ok := get(a.ID, now); ok {
			t.Error("a session that was ended is there")
		}
		update(t, s, func(tx *store.Tx) error {
			if _, ok, err := tx.TakePortalTicket(ctx, ticket.ID, now); ok || err != nil {
				t.Errorf("a ticket outlives its session: %v", err)
			}
			return nil
		})
	})
}

// TestPortalTicketOnce has many take the same ticket at once.
func TestPortalTicketOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.UnixMicro(5_000_000).UTC()
		ticket, late := *filled[store.PortalTicket](1), *filled[store.PortalTicket](100)
		ticket.ExpiresAt, late.ExpiresAt = now.Add(time.Minute), now.Add(time.Second)
		update(t, s, func(tx *store.Tx) error { return tx.InsertPortalTicket(ctx, ticket, now) })
		update(t, s, func(tx *store.Tx) error { return tx.InsertPortalTicket(ctx, late, now) })
		var wait sync.WaitGroup
		var taken atomic.Int32
		for range 16 {
			wait.Go(func() {
				var got store.PortalTicket
				var ok bool
				err := s.Update(ctx, func(tx *store.Tx) (err error) {
					got, ok, err = tx.TakePortalTicket(ctx, ticket.ID, now)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if ok {
					taken.Add(1)
					equal(t, got, ticket)
				}
			})
		}
		wait.Wait()
		equal(t, taken.Load(), int32(1))
		update(t, s, func(tx *store.Tx) error {
			_, ok, err := tx.TakePortalTicket(ctx, late.ID, late.ExpiresAt)
			equal(t, ok, false)
			return err
		})
	})
}

// TestPortalTicketOnceAmongProcesses has processes on one database take the same tickets at once.
func TestPortalTicketOnceAmongProcesses(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	processes := []*store.Store{open(t, database), open(t, database), open(t, database)}
	ctx, now := t.Context(), time.UnixMicro(5_000_000).UTC()
	for n := range 10 {
		ticket := *filled[store.PortalTicket](1000 * (n + 1))
		ticket.ExpiresAt = now.Add(time.Minute)
		update(t, processes[0], func(tx *store.Tx) error { return tx.InsertPortalTicket(ctx, ticket, now) })
		var wait sync.WaitGroup
		var taken atomic.Int32
		for _, s := range processes {
			wait.Go(func() {
				var ok bool
				err := s.Update(ctx, func(tx *store.Tx) (err error) {
					_, ok, err = tx.TakePortalTicket(ctx, ticket.ID, now)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if ok {
					taken.Add(1)
				}
			})
		}
		wait.Wait()
		equal(t, taken.Load(), int32(1))
	}
}

func TestWorkspaceDirectoryByCode(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		d := filled[workspaces.WorkspaceDirectory](1)
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkspaceDirectory(ctx, d) })
		for code, want := range map[string]bool{d.RegistrationCode: true, "WSiad+XXXXXX": false, "": false} {
			_, ok, err := read3(s, func(tx *store.Tx) (*workspaces.WorkspaceDirectory, bool, error) {
				return tx.WorkspaceDirectoryByCode(ctx, code)
			})
			if ok != want || err != nil {
				t.Errorf("%q: %v, %v", code, ok, err)
			}
		}
	})
}
