package store_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestSAMLProviders(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		d, p := filled[workspaces.WorkspaceDirectory](500), filled[workspaces.SAMLProvider](1)
		p.Scope, p.DirectoryID = d.Scope, d.ID
		get := func() *workspaces.SAMLProvider {
			return read(t, s, func(tx *store.Tx) (*workspaces.SAMLProvider, error) {
				return found(tx.SAMLProvider(ctx, d.Scope, d.ID))
			})
		}
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkspaceDirectory(ctx, d) })
		update(t, s, func(tx *store.Tx) error { return tx.PutSAMLProvider(ctx, p) })
		equal(t, get(), p)
		p.Metadata, p.UserAttribute, p.Address = "other", "", "https://other"
		update(t, s, func(tx *store.Tx) error { return tx.PutSAMLProvider(ctx, p) })
		equal(t, get(), p)
		byID := func() bool {
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.SAMLProvider, bool, error) { return tx.SAMLProviderByID(ctx, p.ID) })
			if err != nil || ok && *got != *p {
				t.Error(got, err)
			}
			return ok
		}
		equal(t, byID(), true)
		for _, want := range []bool{true, false} {
			update(t, s, func(tx *store.Tx) error {
				deleted, err := tx.DeleteSAMLProvider(ctx, d.Scope, d.ID)
				equal(t, deleted, want)
				return err
			})
		}
		equal(t, byID(), false)
		update(t, s, func(tx *store.Tx) error { return tx.PutSAMLProvider(ctx, p) })
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.DeleteWorkspaceDirectory(ctx, d.Ref())
			return err
		})
		equal(t, byID(), false) // it goes with its directory
	})
}

// TestSAMLSessionsEnd ends those that an identity provider means.
func TestSAMLSessionsEnd(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.UnixMicro(5_000_000).UTC()
		p := filled[workspaces.SAMLProvider](1)
		begin := func(id, directory, name, index string) {
			session, arrival, ticket := *filled[store.PortalSession](1), *filled[store.SAMLArrival](1), *filled[store.PortalTicket](1)
			session.Scope, session.ID, session.DirectoryID, session.ExpiresAt = p.Scope, id, directory, now.Add(time.Hour)
			session.Subject.NameID, session.Subject.SessionIndex = name, index
			arrival.Scope, arrival.ID, arrival.DirectoryID, arrival.ExpiresAt, arrival.Subject = p.Scope, id, directory, now.Add(time.Hour), session.Subject
			ticket.ID, ticket.SessionID, ticket.ExpiresAt = id, id, now.Add(time.Hour)
			update(t, s, func(tx *store.Tx) error {
				return errors.Join(tx.InsertPortalSession(ctx, session, now), tx.InsertSAMLArrival(ctx, arrival, now), tx.InsertPortalTicket(ctx, ticket, now))
			})
		}
		begin("one", p.DirectoryID, "jane", "1")
		begin("two", p.DirectoryID, "jane", "2")
		begin("none", p.DirectoryID, "jane", "")
		begin("john", p.DirectoryID, "john", "1")
		begin("elsewhere", "d-0000000000", "jane", "1")
		left := func(want ...string) {
			t.Helper()
			for _, id := range []string{"one", "two", "none", "john", "elsewhere"} {
				_, session, err := read3(s, func(tx *store.Tx) (store.PortalSession, bool, error) { return tx.PortalSession(ctx, id, now) })
				if err != nil || session != slices.Contains(want, id) {
					t.Errorf("session %s: %t, %v", id, session, err)
				}
			}
		}
		end := func(want int64, name string, indexes ...string) {
			t.Helper()
			update(t, s, func(tx *store.Tx) error {
				ended, err := tx.DeleteSAMLSessions(ctx, p, name, indexes...)
				equal(t, ended, want)
				return err
			})
		}
		end(0, "nobody")
		end(2, "jane", "1", "3") // and that which has no index
		left("two", "john", "elsewhere")
		end(1, "jane")
		left("john", "elsewhere")
		for id, want := range map[string]bool{"one": false, "two": false, "john": true} {
			update(t, s, func(tx *store.Tx) error {
				_, arrival, err := tx.TakeSAMLArrival(ctx, id, now)
				equal(t, arrival, want)
				if err != nil {
					return err
				}
				_, ticket, err := tx.TakePortalTicket(ctx, id, now)
				equal(t, ticket, want)
				return err
			})
		}
		update(t, s, func(tx *store.Tx) error { return tx.PutSAMLProvider(ctx, p) })
		all := read(t, s, func(tx *store.Tx) ([]*workspaces.SAMLProvider, error) { return tx.EverySAMLProvider(ctx) })
		equal(t, all, []*workspaces.SAMLProvider{p})
	})
}

// TestSAMLAssertionOnce has many come with the same assertion at once.
func TestSAMLAssertionOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.UnixMicro(5_000_000).UTC()
		var wait sync.WaitGroup
		var taken atomic.Int32
		use := func(now time.Time) {
			var first bool
			err := s.Update(ctx, func(tx *store.Tx) (err error) {
				first, err = tx.UseSAMLAssertion(ctx, "a", now.Add(time.Minute), now)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if first {
				taken.Add(1)
			}
		}
		for range 16 {
			wait.Go(func() { use(now) })
		}
		wait.Wait()
		equal(t, taken.Load(), int32(1))
		use(now.Add(time.Minute))
		equal(t, taken.Load(), int32(1)) // it could still be believed
		use(now.Add(time.Minute + time.Microsecond))
		equal(t, taken.Load(), int32(2))
	})
}

func TestSAMLArrivals(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.UnixMicro(5_000_000).UTC()
		a, late := *filled[store.SAMLArrival](1), *filled[store.SAMLArrival](100)
		a.ExpiresAt, late.ExpiresAt, late.SessionEnds = now.Add(time.Minute), now.Add(time.Second), time.Time{}
		for _, arrival := range []store.SAMLArrival{a, late} {
			update(t, s, func(tx *store.Tx) error { return tx.InsertSAMLArrival(ctx, arrival, now) })
		}
		take := func(id string, now time.Time) (got store.SAMLArrival, ok bool) {
			update(t, s, func(tx *store.Tx) (err error) {
				got, ok, err = tx.TakeSAMLArrival(ctx, id, now)
				return err
			})
			return got, ok
		}
		got, ok := take(a.ID, now)
		equal(t, ok, true)
		equal(t, got, a)
		_, ok = take(a.ID, now)
		equal(t, ok, false)
		_, ok = take(late.ID, late.ExpiresAt)
		equal(t, ok, false)
	})
}

// used is what became of an assertion, where that is all that counts.
func used(_ bool, err error) error { return err }
