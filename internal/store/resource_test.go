package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a, b := *filled[workspaces.AccessKey](1), *filled[workspaces.AccessKey](100)
		update(t, s, func(tx *store.Tx) error { return tx.InsertAccessKey(ctx, b) })
		update(t, s, func(tx *store.Tx) error { return tx.InsertAccessKey(ctx, a) })
		list := func(account string) []workspaces.AccessKey {
			return read(t, s, func(tx *store.Tx) ([]workspaces.AccessKey, error) { return tx.AccessKeys(ctx, account) })
		}
		equal(t, list(""), []workspaces.AccessKey{a, b})
		equal(t, list(b.Account), []workspaces.AccessKey{b})
		equal(t, read(t, s, func(tx *store.Tx) (workspaces.AccessKey, error) { return found(tx.AccessKey(ctx, a.ID)) }), a)
		for _, want := range []bool{true, false} {
			update(t, s, func(tx *store.Tx) error {
				deleted, err := tx.DeleteAccessKey(ctx, a.ID)
				equal(t, deleted, want)
				return err
			})
		}
		if _, ok, err := read3(s, func(tx *store.Tx) (workspaces.AccessKey, bool, error) { return tx.AccessKey(ctx, a.ID) }); ok || err != nil {
			t.Error(ok, err)
		}
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		value := func() string { return read(t, s, func(tx *store.Tx) (string, error) { return tx.Setting(ctx, "a") }) }
		equal(t, value(), "")
		for _, v := range []string{"1", "2"} {
			update(t, s, func(tx *store.Tx) error { return tx.PutSetting(ctx, "a", v) })
			equal(t, value(), v)
		}
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		tags := func(id string) []workspaces.Tag {
			return read(t, s, func(tx *store.Tx) ([]workspaces.Tag, error) { return tx.Tags(ctx, here, id) })
		}
		put := func(id string, tags ...workspaces.Tag) {
			update(t, s, func(tx *store.Tx) error { return tx.PutTags(ctx, here, id, tags) })
		}
		put("ws-1", workspaces.Tag{Key: "b", Value: "1"}, workspaces.Tag{Key: "a", Value: ""}, workspaces.Tag{Key: "Z", Value: "ü"})
		put("ws-2", workspaces.Tag{Key: "b", Value: "other"})
		put("ws-1", workspaces.Tag{Key: "b", Value: "2"})
		equal(t, tags("ws-1"), []workspaces.Tag{{Key: "b", Value: "2"}, {Key: "a"}, {Key: "Z", Value: "ü"}})
		for _, keys := range [][]string{nil, {"none"}, {"a", "Z", "none"}} {
			update(t, s, func(tx *store.Tx) error { return tx.DeleteTags(ctx, here, "ws-1", keys) })
		}
		equal(t, tags("ws-1"), []workspaces.Tag{{Key: "b", Value: "2"}})
		equal(t, len(tags("ws-2")), 1)
		put("ws-1", workspaces.Tag{Key: "a", Value: "again"}, workspaces.Tag{Key: "0"})
		equal(t, tags("ws-1"), []workspaces.Tag{{Key: "b", Value: "2"}, {Key: "a", Value: "again"}, {Key: "0"}})
		tagged := read(t, s, func(tx *store.Tx) ([]store.Tagged, error) {
			return tx.Tagged(ctx, store.TaggedFilter{Scope: here, Kinds: store.Taggables(), IDs: []string{"ws-1"}})
		})
		equal(t, tagged[0].Tags, tags("ws-1"))
		var last int64
		rest := read(t, s, func(tx *store.Tx) (rest []workspaces.Tag, err error) {
			rest, last, err = tx.TagsAfter(ctx, here, "ws-1", 1, 1)
			return rest, err
		})
		equal(t, rest, []workspaces.Tag{{Key: "a", Value: "again"}})
		equal(t, last, int64(2))
	})
}

func TestUsers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		u := filled[workspaces.User](1)
		put := func(u *workspaces.User) { update(t, s, func(tx *store.Tx) error { return tx.PutUser(ctx, u) }) }
		get := func(name string) (*workspaces.User, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.User, bool, error) { return tx.User(ctx, u.Scope, u.DirectoryID, name) })
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		put(u)
		got, _ := get(strings.ToUpper(u.Name))
		equal(t, got, u)

		// The name stays as it was first written, and with it what it is known by.
		changed := *u
		changed.Name, changed.GivenName, changed.Enabled, changed.Attributes, changed.PasswordHash =
			strings.ToUpper(u.Name), "", false, nil, ""
		put(&changed)
		changed.Name = u.Name
		got, _ = get(u.Name)
		equal(t, got, &changed)

		var names []string
		for _, name := range []string{"b", "B2", "a", "C", "_x", "ä"} {
			put(&workspaces.User{Scope: here, DirectoryID: "d-1", Name: name})
		}
		put(&workspaces.User{Scope: here, DirectoryID: "d-2", Name: "other"})
		for after, more := "", true; more; {
			f := store.UserFilter{Scope: here, DirectoryID: "d-1", AfterKey: after, Limit: 2}
			page := read(t, s, func(tx *store.Tx) ([]*workspaces.User, error) { return tx.Users(ctx, f) })
			for _, u := range page {
				names = append(names, u.Name)
				after = workspaces.UserKey(u.Name)
			}
			more = len(page) == 2
		}
		equal(t, names, []string{"_x", "a", "b", "B2", "C", "ä"}) // by the bytes of the keys, on both databases

		for _, want := range []bool{true, false} {
			update(t, s, func(tx *store.Tx) error {
				deleted, err := tx.DeleteUser(ctx, here, "d-1", "c")
				equal(t, deleted, want)
				return err
			})
		}
		if _, ok := get("nobody"); ok {
			t.Error("there is a nobody")
		}
	})
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		d := filled[workspaces.Directory](1)
		get := func(id string) (*workspaces.Directory, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.Directory, bool, error) { return tx.Directory(ctx, d.Scope, id) })
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		update(t, s, func(tx *store.Tx) error { return tx.InsertDirectory(ctx, d) })
		got, _ := get(d.ID)
		equal(t, got, d)

		// A save writes every member, and only over the generation that was read.
		changed := filled[workspaces.Directory](500)
		changed.Scope, changed.ID = d.Scope, d.ID
		save := func(d *workspaces.Directory, read int64, want bool) {
			update(t, s, func(tx *store.Tx) error {
				saved, err := tx.SaveDirectory(ctx, d, read)
				equal(t, saved, want)
				return err
			})
		}
		save(changed, d.Generation+1, false)
		got, _ = get(d.ID)
		equal(t, got, d)
		save(changed, d.Generation, true)
		got, _ = get(d.ID)
		equal(t, got, changed)

		n := read(t, s, func(tx *store.Tx) (int, error) { return tx.CountDirectories(ctx, d.Scope, changed.Type) })
		equal(t, n, 1)

		// With it go its users and tags, and nobody else's.
		update(t, s, func(tx *store.Tx) error {
			for _, id := range []string{d.ID, "d-other"} {
				if err := tx.PutUser(ctx, &workspaces.User{Scope: d.Scope, DirectoryID: id, Name: "x"}); err != nil {
					return err
				}
				if err := tx.PutTags(ctx, d.Scope, workspaces.DirectoryTagsID(id), []workspaces.Tag{{Key: "k"}}); err != nil {
					return err
				}
			}
			if deleted, err := tx.DeleteDirectory(ctx, d.Ref()); deleted || err != nil {
				return fmt.Errorf("an older generation: %v, %w", deleted, err)
			}
			deleted, err := tx.DeleteDirectory(ctx, changed.Ref())
			equal(t, deleted, true)
			return err
		})
		for id, want := range map[string]int{d.ID: 0, "d-other": 1} {
			f := store.UserFilter{Scope: d.Scope, DirectoryID: id}
			equal(t, len(read(t, s, func(tx *store.Tx) ([]*workspaces.User, error) { return tx.Users(ctx, f) })), want)
			equal(t, len(read(t, s, func(tx *store.Tx) ([]workspaces.Tag, error) {
				return tx.Tags(ctx, d.Scope, workspaces.DirectoryTagsID(id))
			})), want)
		}
		if _, ok := get(d.ID); ok {
			t.Error("it is still there")
		}
	})
}

func TestDirectoryPages(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		update(t, s, func(tx *store.Tx) error {
			for i, id := range []string{"d-b", "d-a", "d-c", "d-0"} {
				d := &workspaces.Directory{Scope: here, ID: id, LaunchedAt: start.Add(time.Duration(i/2) * time.Hour)}
				if err := tx.InsertDirectory(ctx, d); err != nil {
					return err
				}
			}
			return tx.InsertDirectory(ctx, &workspaces.Directory{Scope: workspaces.Scope{Account: here.Account, Region: "other"}, ID: "d-x"})
		})
		ids := func(f store.DirectoryFilter) (ids []string, last *workspaces.Directory) {
			for _, d := range read(t, s, func(tx *store.Tx) ([]*workspaces.Directory, error) { return tx.DirectoryPage(ctx, f) }) {
				ids, last = append(ids, d.ID), d
			}
			return ids, last
		}
		first, last := ids(store.DirectoryFilter{Scope: here, Limit: 3})
		equal(t, first, []string{"d-a", "d-b", "d-0"})
		second, _ := ids(store.DirectoryFilter{Scope: here, Limit: 3, After: last})
		equal(t, second, []string{"d-c"})
		some, _ := ids(store.DirectoryFilter{Scope: here, IDs: []string{"d-c", "d-x", "d-b"}})
		equal(t, some, []string{"d-b", "d-c"})
	})
}

func TestWorkspaceDirectories(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		d := filled[workspaces.WorkspaceDirectory](1)
		get := func() (*workspaces.WorkspaceDirectory, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.WorkspaceDirectory, bool, error) {
				return tx.WorkspaceDirectory(ctx, d.Scope, d.ID)
			})
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkspaceDirectory(ctx, d) })
		got, _ := get()
		equal(t, got, d)
		changed := filled[workspaces.WorkspaceDirectory](500)
		changed.Scope, changed.ID = d.Scope, d.ID
		for read, want := range map[int64]bool{d.Generation - 1: false, d.Generation: true} {
			update(t, s, func(tx *store.Tx) error {
				saved, err := tx.SaveWorkspaceDirectory(ctx, changed, read)
				equal(t, saved, want)
				return err
			})
		}
		got, _ = get()
		equal(t, got, changed)
		equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountWorkspaceDirectories(ctx, d.Scope) }), 1)

		twin := filled[workspaces.WorkspaceDirectory](1000)
		twin.RegistrationCode = changed.RegistrationCode
		if err := s.Update(ctx, func(tx *store.Tx) error { return tx.InsertWorkspaceDirectory(ctx, twin) }); err == nil {
			t.Error("a registration code was given twice")
		}
		update(t, s, func(tx *store.Tx) error {
			if err := tx.PutTags(ctx, d.Scope, d.ID, []workspaces.Tag{{Key: "k"}}); err != nil {
				return err
			}
			for ref, want := range map[workspaces.Ref]bool{d.Ref(): false, changed.Ref(): true} {
				deleted, err := tx.DeleteWorkspaceDirectory(ctx, ref)
				if err != nil || deleted != want {
					return fmt.Errorf("%v: %v, %w", ref, deleted, err)
				}
			}
			return nil
		})
		if _, ok := get(); ok {
			t.Error("it is still there")
		}
		equal(t, len(read(t, s, func(tx *store.Tx) ([]workspaces.Tag, error) { return tx.Tags(ctx, d.Scope, d.ID) })), 0)
	})
}

func TestWorkspaceDirectoryFilters(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		elsewhere := workspaces.Scope{Account: here.Account, Region: "other"}
		for i, id := range []string{"d-3", "d-1", "wsd-2", "d-4"} {
			update(t, s, func(tx *store.Tx) error {
				d := &workspaces.WorkspaceDirectory{
					Scope: here, ID: id, Name: "name of " + id, RegistrationCode: id, UserIdentityType: "AWS_DIRECTORY_SERVICE", WorkspaceType: "PERSONAL",
				}
				if strings.HasPrefix(id, "wsd") {
					d.UserIdentityType, d.WorkspaceType = "CUSTOMER_MANAGED", "POOLS"
				}
				if i == 3 {
					d.Scope = elsewhere
				}
				return tx.InsertWorkspaceDirectory(ctx, d)
			})
		}
		for _, c := range []struct {
			filter store.WorkspaceDirectoryFilter
			want   string
		}{
			{store.WorkspaceDirectoryFilter{}, "d-3 d-1 wsd-2"},
			{store.WorkspaceDirectoryFilter{IDs: []string{"d-1", "d-4", "d-3"}}, "d-3 d-1"},
			{store.WorkspaceDirectoryFilter{Names: []string{"name of d-1"}}, "d-1"},
			{store.WorkspaceDirectoryFilter{IdentityTypes: []string{"AWS_DIRECTORY_SERVICE"}}, "d-3 d-1"},
			{store.WorkspaceDirectoryFilter{Types: []string{"POOLS"}}, "wsd-2"},
			{store.WorkspaceDirectoryFilter{Types: []string{"POOLS"}, IDs: []string{"d-1"}}, ""},
		} {
			for _, limit := range []int{0, 1, 2, 3} {
				c.filter.Scope, c.filter.Limit, c.filter.After = here, limit, 0
				var got []string
				for more := true; more; more = c.filter.After > 0 {
					page := read(t, s, func(tx *store.Tx) (store.WorkspaceDirectoryPage, error) {
						return tx.WorkspaceDirectories(ctx, c.filter)
					})
					for _, d := range page.Directories {
						got = append(got, d.ID)
					}
					if limit > 0 && len(page.Directories) > limit {
						t.Errorf("a page of %d has %d", limit, len(page.Directories))
					}
					c.filter.After = page.Next
				}
				equal(t, strings.Join(got, " "), c.want)
			}
		}
		all := read(t, s, func(tx *store.Tx) ([]*workspaces.WorkspaceDirectory, error) { return tx.EveryWorkspaceDirectory(ctx) })
		equal(t, len(all), 4)
	})
}

func TestClientTokens(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		c := *filled[store.ClientToken](1)
		get := func(now time.Time) (store.ClientToken, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (store.ClientToken, bool, error) {
				return tx.ClientToken(ctx, c.Scope, c.DirectoryID, c.Token, now)
			})
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		put := func(c store.ClientToken) {
			update(t, s, func(tx *store.Tx) error { return tx.PutClientToken(ctx, c, c.ExpiresAt.Add(-time.Hour)) })
		}
		put(c)
		c.Answer, c.Request, c.ExpiresAt = "other", "another", c.ExpiresAt.Add(time.Second)
		put(c)
		got, _ := get(c.ExpiresAt.Add(-time.Second))
		equal(t, got, c)
		if _, ok := get(c.ExpiresAt); ok {
			t.Error("it is remembered for too long")
		}
	})
}

// TestTurnsOfWork walks a thing of each kind through the times at which work on it is due.
func TestTurnsOfWork(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		at := func(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }
		ref := func(i int) workspaces.Ref {
			return workspaces.Ref{Scope: here, ID: fmt.Sprintf("%d", i), Generation: int64(i)}
		}
		insertOf := map[workspaces.Kind]func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error{
			workspaces.KindWorkSpace: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				w := workSpace(r.ID)
				w.Generation, w.WakeAt, w.Deadline = r.Generation, wake, deadline
				return tx.InsertWorkSpace(ctx, w)
			},
			workspaces.KindDirectory: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertDirectory(ctx, &workspaces.Directory{
					Scope: r.Scope, ID: r.ID, Generation: r.Generation, WakeAt: wake, Deadline: deadline,
				})
			},
			workspaces.KindWorkspaceDirectory: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertWorkspaceDirectory(ctx, &workspaces.WorkspaceDirectory{
					Scope: r.Scope, ID: r.ID, Generation: r.Generation, WakeAt: wake, Deadline: deadline, RegistrationCode: r.ID,
				})
			},
			workspaces.KindTrust: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertTrust(ctx, &workspaces.Trust{Scope: r.Scope, ID: r.ID, Generation: r.Generation, WakeAt: wake, Deadline: deadline})
			},
			workspaces.KindDeployment: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertDeployment(ctx, &workspaces.Deployment{Scope: r.Scope, ID: r.ID, Generation: r.Generation, WakeAt: wake, Deadline: deadline})
			},
			workspaces.KindPool: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertPool(ctx, &workspaces.Pool{
					Scope: r.Scope, ID: r.ID, Name: r.ID, Generation: r.Generation, WakeAt: wake, Deadline: deadline,
				})
			},
			workspaces.KindPoolDesktop: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertPoolDesktop(ctx, &workspaces.PoolDesktop{
					Scope: r.Scope, ID: r.ID, AddressOffset: r.Generation, Generation: r.Generation, WakeAt: wake, Deadline: deadline,
				})
			},
			workspaces.KindPoolSession: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertPoolSession(ctx, &workspaces.PoolSession{
					Scope: r.Scope, ID: r.ID, DesktopID: r.ID, UserName: r.ID, Generation: r.Generation, WakeAt: wake, Deadline: deadline,
				})
			},
			workspaces.KindAccountModification: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertAccountModification(ctx, &workspaces.AccountModification{
					Scope: r.Scope, ID: r.ID, Generation: r.Generation, WakeAt: wake, Deadline: deadline,
				})
			},
			workspaces.KindConnectionAlias: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertConnectionAlias(ctx, &workspaces.ConnectionAlias{
					Scope: r.Scope, ID: r.ID, Generation: r.Generation, WakeAt: wake, Deadline: deadline, ConnectionString: r.ID,
				})
			},
			workspaces.KindImage: func(tx *store.Tx, r workspaces.Ref, wake, deadline time.Time) error {
				return tx.InsertImage(ctx, imageNamed(r.ID, func(i *workspaces.Image) {
					i.Scope, i.Generation, i.WakeAt, i.Deadline = r.Scope, r.Generation, wake, deadline
				}))
			},
		}
		equal(t, len(insertOf), len(workspaces.Kinds()))
		for kind, insert := range insertOf {
			next := func() time.Time {
				return read(t, s, func(tx *store.Tx) (time.Time, error) { return tx.NextDue(ctx, kind) })
			}
			settled := func(r workspaces.Ref) bool {
				return read(t, s, func(tx *store.Tx) (bool, error) { return tx.Settled(ctx, kind, r, start) })
			}
			take := func(now, watchdog time.Time, limit int) (refs []workspaces.Ref) {
				update(t, s, func(tx *store.Tx) (err error) {
					refs, err = tx.TakeDue(ctx, kind, now, watchdog, limit)
					return err
				})
				slices.SortFunc(refs, func(a, b workspaces.Ref) int { return int(a.Generation - b.Generation) })
				return refs
			}
			equal(t, next(), time.Time{})
			update(t, s, func(tx *store.Tx) error {
				for i := range 4 { // the fourth rests, the first is due last
					wake, deadline := at(10-i), at(100)
					if i == 3 {
						wake, deadline = time.Time{}, time.Time{}
					}
					if err := insert(tx, ref(i), wake, deadline); err != nil {
						return err
					}
				}
				return nil
			})
			equal(t, next(), at(8))
			equal(t, []bool{settled(ref(0)), settled(ref(3)), settled(ref(99))}, []bool{false, true, true})
			equal(t, len(take(at(7), at(50), 9)), 0)
			equal(t, take(at(20), at(50), 2), []workspaces.Ref{ref(1), ref(2)})
			equal(t, take(at(20), at(50), 2), []workspaces.Ref{ref(0)})
			equal(t, len(take(at(20), at(50), 2)), 0)
			equal(t, next(), at(50))
			stale := ref(1)
			stale.Generation++
			update(t, s, func(tx *store.Tx) error { return tx.PutOff(ctx, kind, ref(0), at(30)) })
			update(t, s, func(tx *store.Tx) error { return tx.PutOff(ctx, kind, stale, at(2)) })
			equal(t, next(), at(30))
			update(t, s, func(tx *store.Tx) error { return tx.HastenAll(ctx, kind, at(25)) })
			equal(t, len(take(at(25), at(60), 9)), 3)
		}
		if err := s.View(func(tx *store.Tx) error { _, err := tx.NextDue(ctx, "desk"); return err }); err == nil {
			t.Error("desks are a kind of thing")
		}
	})
}

// TestReset fills every table and empties it; what is the installation's stays.
func TestReset(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		update(t, s, func(tx *store.Tx) error {
			for _, err := range []error{
				tx.PutSetting(ctx, "a", "b"),
				tx.PutSubnet(ctx, subnet("10.0.0.0/24")),
				tx.InsertAccessKey(ctx, *filled[workspaces.AccessKey](1)),
				tx.InsertWorkSpace(ctx, workSpace("ws-1")),
				tx.InsertDirectory(ctx, filled[workspaces.Directory](1)),
				tx.InsertWorkspaceDirectory(ctx, filled[workspaces.WorkspaceDirectory](1)),
				tx.PutUser(ctx, filled[workspaces.User](1)),
				tx.PutTags(ctx, here, "ws-1", []workspaces.Tag{{Key: "k"}}),
				tx.PutClientToken(ctx, *filled[store.ClientToken](1), start),
				tx.PutClientAddIn(ctx, filled[workspaces.ClientAddIn](1)),
				tx.PutClientBranding(ctx, filled[workspaces.ClientBranding](1)),
				tx.InsertIPGroup(ctx, filled[workspaces.IPGroup](1)),
				tx.AssociateIPGroup(ctx, here, "d-1", "wsipg-1"),
				tx.OpenStream(ctx, streamOf("ws-1", "a", 1)),
				tx.InsertConnectionAlias(ctx, filled[workspaces.ConnectionAlias](1)),
				reserve(ctx, tx, "a.example", "1"),
				tx.InsertTrust(ctx, filled[workspaces.Trust](1)),
				reserveAlias(ctx, tx, "corp"),
				tx.PutAccount(ctx, workspaces.Account{Scope: here}),
				tx.InsertAccountModification(ctx, &workspaces.AccountModification{Scope: here}),
				tx.InsertAccountLink(ctx, filled[workspaces.AccountLink](1)),
				tx.InsertImage(ctx, filled[workspaces.Image](1)),
				tx.ShareImage(ctx, here, "wsi-1", "222222222222"),
				tx.InsertBundle(ctx, here, *filled[workspaces.Bundle](1)),
				tx.InsertPortalSession(ctx, *filled[store.PortalSession](1), time.Time{}),
				tx.InsertPortalTicket(ctx, *filled[store.PortalTicket](1), time.Time{}),
				tx.PutSAMLProvider(ctx, filled[workspaces.SAMLProvider](1)),
				used(tx.UseSAMLAssertion(ctx, "a", start, time.Time{})),
				tx.InsertSAMLArrival(ctx, *filled[store.SAMLArrival](1), time.Time{}),
				tx.PutSnapshot(ctx, here, "ws-1", *filled[workspaces.Snapshot](1)),
				tx.PutAssociation(ctx, filled[workspaces.Association](1)),
				tx.InsertDeployment(ctx, filled[workspaces.Deployment](1)),
				tx.InsertPool(ctx, filled[workspaces.Pool](1)),
				tx.InsertPoolDesktop(ctx, filled[workspaces.PoolDesktop](1)),
				tx.InsertStandby(ctx, filled[workspaces.Standby](1)),
				tx.PutRegionDown(ctx, "eu-west-1", start),
				tx.KeepStays(ctx, []workspaces.Stay{{Traits: workspaces.Traits{Scope: here}, State: workspaces.Available, Since: start, Until: start.Add(time.Hour)}}),
				tx.Happened(ctx, workspaces.Happening{Traits: workspaces.Traits{Scope: here}, Metric: workspaces.MetricAttempt, At: start}),
				tx.KeepPoolStays(ctx, workspaces.PoolStay{Scope: here, PoolID: "wspool-1", Since: start, Until: start.Add(time.Hour)}),
				tx.RefusePoolSession(ctx, filled[workspaces.Pool](1), start),
				tx.InsertPoolSession(ctx, filled[workspaces.PoolSession](1)),
				keepSettings(ctx, tx),
			} {
				if err != nil {
					return err
				}
			}
			return nil
		})
		unused := []string{"client_branding", "client_logo", "client_add_in"} // nothing is kept in them yet
		for table, rows := range rowsByTable(t, s) {
			if rows == "0" && !slices.Contains(unused, table) {
				t.Errorf("nothing is put into %s here, so that nobody knows whether a reset empties it", table)
			}
		}
		update(t, s, func(tx *store.Tx) error { return tx.Reset(ctx) })
		// Streams end by themselves, with their desktops.
		stays := []string{"access_key", "setting", "subnet", "stream", "stream_process"}
		for table, rows := range rowsByTable(t, s) {
			if slices.Contains(stays, table) != (rows == "1") {
				t.Errorf("after a reset %s has %s rows", table, rows)
			}
		}
	})
}

// rowsByTable counts the rows of all tables that are ours: a new one has to be thought of in TestReset.
func rowsByTable(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	tables := "SELECT string_agg(table_name, ' ') FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE 'river%'"
	if s.Alone() {
		tables = "SELECT group_concat(name, ' ') FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'river%' AND name NOT LIKE 'sqlite%'"
	}
	names := strings.Fields(read(t, s, func(tx *store.Tx) (string, error) { return tx.Text(ctx, tables) }))
	out := make(map[string]string)
	for _, name := range names {
		if name == "schema_step" {
			continue
		}
		out[name] = read(t, s, func(tx *store.Tx) (string, error) { return tx.Text(ctx, "SELECT CAST(COUNT(*) AS TEXT) FROM "+name) })
	}
	return out
}
