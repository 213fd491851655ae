package store_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

func TestWorkSpace(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w := filled[workspaces.WorkSpace](1)
		get := func() (*workspaces.WorkSpace, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.WorkSpace, bool, error) { return tx.WorkSpace(ctx, w.Scope, w.ID) })
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		if _, ok := get(); ok {
			t.Error("found before it was made")
		}
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, w) })
		got, _ := get()
		equal(t, got, w)

		// A save writes every member, and only over the generation that was read.
		changed := filled[workspaces.WorkSpace](500)
		changed.Scope, changed.ID = w.Scope, w.ID
		for _, c := range []struct {
			read int64
			want bool
		}{{w.Generation - 1, false}, {w.Generation, true}, {w.Generation, false}} {
			update(t, s, func(tx *store.Tx) error {
				saved, err := tx.SaveWorkSpace(ctx, changed, c.read)
				equal(t, saved, c.want)
				return err
			})
		}
		got, _ = get()
		equal(t, got, changed)

		empty := &workspaces.WorkSpace{Scope: w.Scope, ID: w.ID, Generation: 9}
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.SaveWorkSpace(ctx, empty, changed.Generation)
			return err
		})
		got, _ = get()
		equal(t, got, empty)

		var every []*workspaces.WorkSpace
		err := s.View(func(tx *store.Tx) error {
			return tx.EveryWorkSpace(ctx, func(w *workspaces.WorkSpace) { every = append(every, w) })
		})
		if err != nil {
			t.Error(err)
		}
		equal(t, every, []*workspaces.WorkSpace{empty})

		update(t, s, func(tx *store.Tx) error {
			if err := tx.PutTags(ctx, w.Scope, w.ID, []workspaces.Tag{{Key: "k"}}); err != nil {
				return err
			}
			for _, c := range []struct {
				ref  workspaces.Ref
				want bool
			}{{w.Ref(), false}, {empty.Ref(), true}, {empty.Ref(), false}} {
				deleted, err := tx.DeleteWorkSpace(ctx, c.ref)
				if err != nil || deleted != c.want {
					return fmt.Errorf("%v: %v, %w", c.ref, deleted, err)
				}
			}
			return nil
		})
		if _, ok := get(); ok {
			t.Error("it is still there")
		}
		equal(t, len(read(t, s, func(tx *store.Tx) ([]workspaces.Tag, error) { return tx.Tags(ctx, w.Scope, w.ID) })), 0)
	})
}

// TestUserHasOne makes second WorkSpaces for users, spelled otherwise, elsewhere and for nobody.
func TestUserHasOne(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		made := 0
		insertFor := func(scope workspaces.Scope, directory, user string) error {
			made++
			w := workSpace(fmt.Sprintf("ws-%d", made))
			w.Scope, w.DirectoryID, w.UserName = scope, directory, user
			return s.Update(ctx, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, w) })
		}
		has := func(user string) bool {
			return read(t, s, func(tx *store.Tx) (bool, error) { return tx.UserHasWorkSpace(ctx, here, "d-1", user) })
		}
		equal(t, has("Müller"), false)
		for _, c := range []struct {
			region, directory, user string
			want                    bool
		}{
			{here.Region, "d-1", "Müller", true},
			{here.Region, "d-1", "mÜLLER", false},
			{here.Region, "d-1", "Muller", true},
			{here.Region, "d-2", "müller", true},
			{"elsewhere", "d-1", "müller", true},
			{here.Region, "d-1", workspaces.Undefined, true},
			{here.Region, "d-1", workspaces.Undefined, true},
		} {
			err := insertFor(workspaces.Scope{Account: here.Account, Region: c.region}, c.directory, c.user)
			if (err == nil) != c.want {
				t.Errorf("%v: %v", c, err)
			}
		}
		standIn := workSpace("ws-stand-in")
		standIn.UserName = "MÜLLER"
		for _, beside := range []bool{false, true} {
			standIn.StandIn = beside
			err := s.Update(ctx, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, standIn) })
			equal(t, err == nil, beside)
		}
		equal(t, has("MÜLLER"), true)
		equal(t, has(workspaces.Undefined), false)
		empty := read(t, s, func(tx *store.Tx) (bool, error) { return tx.DirectoryHasWorkSpaces(ctx, here, "d-3") })
		equal(t, empty, false)
		full := read(t, s, func(tx *store.Tx) (bool, error) { return tx.DirectoryHasWorkSpaces(ctx, here, "d-2") })
		equal(t, full, true)
		living := read(t, s, func(tx *store.Tx) (bool, error) { return tx.DirectoryHasLivingWorkSpaces(ctx, here, "d-2") })
		equal(t, living, true)
	})
}

// TestAddressIsGivenOnce gives one address to two WorkSpaces, and none to two.
func TestAddressIsGivenOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		insert(t, s, "ws-1", "ws-2")
		for i, want := range []bool{true, false} {
			w := workSpace(fmt.Sprintf("ws-a%d", i))
			w.SubnetID, w.AddressOffset = "subnet-1", 7
			err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertWorkSpace(t.Context(), w) })
			if (err == nil) != want {
				t.Error(err)
			}
		}
	})
}

// TestPagesWhileRowsChange reads page after page while rows come and go: what was there all
// the time is seen exactly once.
func TestPagesWhileRowsChange(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var ids []string
		for i := range 20 {
			ids = append(ids, fmt.Sprintf("ws-%02d", 20-i)) // made in the order opposite to that of their ids
		}
		insert(t, s, ids...)
		var seen []string
		f := store.WorkSpaceFilter{Scope: here, Limit: 3}
		for round := 0; ; round++ {
			page, err := pageOf(ctx, s, f)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, idsOf(page.WorkSpaces)...)
			if f.After = page.Next; f.After == 0 {
				break
			}
			insert(t, s, fmt.Sprintf("ws-new-%d", round))
			gone := page.WorkSpaces[round%len(page.WorkSpaces)] // also the last, which the next page begins behind
			update(t, s, func(tx *store.Tx) error {
				_, err := tx.DeleteWorkSpace(ctx, gone.Ref())
				return err
			})
		}
		equal(t, seen[:len(ids)], ids)
		slices.Sort(seen)
		equal(t, slices.Compact(slices.Clone(seen)), seen)
	})
}

// TestWorkSpacesModel walks the store beside a plain list of WorkSpaces.
func TestWorkSpacesModel(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		s := open(t, url)
		walk := 0
		rapid.Check(t, func(r *rapid.T) {
			walk++ // a scope of its own for each walk spares a database
			m := &model{store: s, t: r, scope: workspaces.Scope{Account: fmt.Sprintf("%012d", walk), Region: "r"}}
			r.Repeat(map[string]func(*rapid.T){
				"insert": m.insert, "save": m.save, "delete": m.delete, "fail": m.fail, "": m.check,
			})
		})
	})
}

// model is what the store should be: WorkSpaces in the order of creation.
type model struct {
	store *store.Store
	t     *rapid.T
	scope workspaces.Scope
	all   []*workspaces.WorkSpace
	made  int
}

var (
	users       = rapid.SampledFrom([]string{"ann", "ANN", "bob", "Bob\"", `c","d`, "ärger", "ÄRGER", workspaces.Undefined})
	directories = rapid.SampledFrom([]string{"d-1", "d-2"})
	bundles     = rapid.SampledFrom([]string{"wsb-1", "wsb-2"})
	names       = rapid.SampledFrom([]string{"", "desk", "Desk", `\`})
)

func (m *model) draw(t *rapid.T) *workspaces.WorkSpace {
	m.made++
	w := filled[workspaces.WorkSpace](rapid.IntRange(0, 1000).Draw(t, "filling"))
	w.Scope, w.ID = m.scope, fmt.Sprintf("ws-%d", m.made)
	w.DirectoryID, w.UserName = directories.Draw(t, "directory"), users.Draw(t, "user")
	w.BundleID, w.Name = bundles.Draw(t, "bundle"), names.Draw(t, "name")
	w.ErrorMessage = rapid.StringMatching(`[ -~äß€\n\t]*`).Draw(t, "message")
	w.Properties.Protocols = rapid.SampledFrom([][]string{nil, {"WSP"}, {"PCOIP", "WSP"}}).Draw(t, "protocols")
	w.SubnetID, w.StandIn = "", false
	return w
}

// taken reports whether another WorkSpace is the user's.
func (m *model) taken(w *workspaces.WorkSpace) bool {
	return w.UserName != workspaces.Undefined && slices.ContainsFunc(m.all, func(o *workspaces.WorkSpace) bool {
		return o.ID != w.ID && o.DirectoryID == w.DirectoryID && workspaces.UserKey(o.UserName) == workspaces.UserKey(w.UserName)
	})
}

func (m *model) update(t *rapid.T, want bool, f func(tx *store.Tx) error) { //nolint:revive // want is a result
	if err := m.store.Update(t.Context(), f); (err == nil) != want {
		t.Fatal(err)
	}
}

func (m *model) insert(t *rapid.T) {
	w := m.draw(t)
	free := !m.taken(w)
	m.update(t, free, func(tx *store.Tx) error { return tx.InsertWorkSpace(t.Context(), w) })
	if free {
		m.all = append(m.all, w)
	}
}

func (m *model) pick(t *rapid.T) int {
	if len(m.all) == 0 {
		t.Skip("nothing there")
	}
	return rapid.IntRange(0, len(m.all)-1).Draw(t, "which")
}

func (m *model) save(t *rapid.T) {
	i := m.pick(t)
	old := m.all[i]
	w := m.draw(t)
	w.ID = old.ID
	read := old.Generation - int64(rapid.IntRange(0, 1).Draw(t, "stale"))
	guarded := read != old.Generation
	free := guarded || !m.taken(w)
	m.update(t, free, func(tx *store.Tx) error {
		saved, err := tx.SaveWorkSpace(t.Context(), w, read)
		if err == nil && saved == guarded {
			t.Fatalf("saved: %v", saved)
		}
		return err
	})
	if free && !guarded {
		m.all[i] = w
	}
}

func (m *model) delete(t *rapid.T) {
	i := m.pick(t)
	m.update(t, true, func(tx *store.Tx) error {
		deleted, err := tx.DeleteWorkSpace(t.Context(), m.all[i].Ref())
		if err == nil && !deleted {
			t.Fatal("not deleted")
		}
		return err
	})
	m.all = slices.Delete(slices.Clone(m.all), i, i+1)
}

// fail does several things in one update that is not kept.
func (m *model) fail(t *rapid.T) {
	w := m.draw(t)
	m.update(t, false, func(tx *store.Tx) error {
		_ = tx.InsertWorkSpace(t.Context(), w)
		for _, o := range m.all {
			_, _ = tx.DeleteWorkSpace(t.Context(), o.Ref())
		}
		return errWanted
	})
}

// check reads everything with a filter, page by page.
func (m *model) check(t *rapid.T) {
	f := store.WorkSpaceFilter{Scope: m.scope, Limit: rapid.IntRange(0, 4).Draw(t, "limit")}
	want := slices.Clone(m.all)
	only := func(keep func(*workspaces.WorkSpace) bool) {
		want = slices.DeleteFunc(want, func(w *workspaces.WorkSpace) bool { return !keep(w) })
	}
	if rapid.Bool().Draw(t, "by directory") {
		f.DirectoryID = directories.Draw(t, "directory")
		only(func(w *workspaces.WorkSpace) bool { return w.DirectoryID == f.DirectoryID })
	}
	switch rapid.SampledFrom([]string{"user", "bundle", "name", "ids", "", "", ""}).Draw(t, "by") {
	case "user":
		f.UserName = users.Draw(t, "user")
		only(func(w *workspaces.WorkSpace) bool { return strings.EqualFold(w.UserName, f.UserName) })
	case "bundle":
		f.BundleID = bundles.Draw(t, "bundle")
		only(func(w *workspaces.WorkSpace) bool { return w.BundleID == f.BundleID })
	case "name":
		f.Name = names.Draw(t, "name")
		only(func(w *workspaces.WorkSpace) bool { return f.Name == "" || w.Name == f.Name })
	case "ids":
		f.IDs = []string{"ws-none"}
		for _, w := range m.all {
			if rapid.Bool().Draw(t, w.ID) {
				f.IDs = append(f.IDs, w.ID, w.ID)
			}
		}
		if len(f.IDs) == 1 {
			f.IDs = f.IDs[:0]
		}
		only(func(w *workspaces.WorkSpace) bool { return slices.Contains(f.IDs, w.ID) })
	}
	var got []*workspaces.WorkSpace
	for more := true; more; more = f.After > 0 {
		page, err := pageOf(t.Context(), m.store, f)
		if err != nil {
			t.Fatal(err)
		}
		if f.Limit > 0 && len(page.WorkSpaces) > f.Limit {
			t.Fatalf("a page of %d has %d", f.Limit, len(page.WorkSpaces))
		}
		got, f.After = append(got, page.WorkSpaces...), page.Next
	}
	if len(got) != len(want) {
		t.Fatalf("%+v: got %v, want %v", f, idsOf(got), idsOf(want))
	}
	for i, w := range want {
		if !reflect.DeepEqual(got[i], w) {
			t.Fatalf("got  %+v\nwant %+v", got[i], w)
		}
	}
}

// TestLivingWorkSpaces counts all but what has ended and is only still seen.
func TestLivingWorkSpaces(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for i, state := range workspaces.States() {
			w := workSpace(fmt.Sprintf("ws-%d", i))
			w.State, w.UserName, w.DirectoryID, w.Properties.ComputeType = state, w.ID, "d-"+w.ID, "STANDARD"
			update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, w) })
			living := read(t, s, func(tx *store.Tx) (bool, error) { return tx.DirectoryHasLivingWorkSpaces(ctx, here, w.DirectoryID) })
			equal(t, living, !w.HasEnded())
		}
		for computeType, want := range map[string]int{"": len(workspaces.States()) - 1, "STANDARD": len(workspaces.States()) - 1, "POWER": 0} {
			equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountLivingWorkSpaces(ctx, here, computeType) }), want)
		}
	})
}

// A record from before there were modifications and migrations reads as one without.
func TestOlderRecord(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w := filled[workspaces.WorkSpace](1)
		update(t, s, func(tx *store.Tx) error {
			if err := tx.InsertWorkSpace(ctx, w); err != nil {
				return err
			}
			record, err := tx.Text(ctx, "SELECT record FROM workspace")
			if err != nil {
				return err
			}
			var values []string
			if err := json.Unmarshal([]byte(record), &values); err != nil {
				return err
			}
			older, err := json.Marshal(values[:len(values)-1])
			if err != nil {
				return err
			}
			return tx.Exec(ctx, "UPDATE workspace SET record = '"+strings.ReplaceAll(string(older), "'", "''")+"'")
		})
		got, _, err := read3(s, func(tx *store.Tx) (*workspaces.WorkSpace, bool, error) { return tx.WorkSpace(ctx, w.Scope, w.ID) })
		if err != nil {
			t.Fatal(err)
		}
		if got.Before != "" || got.HeldOffset != 0 || got.Modification.Resource != "" || got.StandIn || got.UserName != w.UserName {
			t.Errorf("%+v", got)
		}
	})
}
