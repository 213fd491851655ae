package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// imageNamed is an image of here whose id, name and engine's name are one.
func imageNamed(id string, change ...func(*workspaces.Image)) *workspaces.Image {
	i := &workspaces.Image{Scope: here, ID: id, Name: id, Engine: id}
	for _, c := range change {
		c(i)
	}
	return i
}

func insertImages(t *testing.T, s *store.Store, images ...*workspaces.Image) {
	t.Helper()
	update(t, s, func(tx *store.Tx) error {
		for _, i := range images {
			if err := tx.InsertImage(t.Context(), i); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestImages(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		i := filled[workspaces.Image](1)
		get := func() (*workspaces.Image, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (*workspaces.Image, bool, error) { return tx.Image(ctx, i.Scope, i.ID) })
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		insertImages(t, s, i)
		got, _ := get()
		equal(t, got, i)

		changed := filled[workspaces.Image](500)
		changed.Scope, changed.ID = i.Scope, i.ID
		for _, c := range []struct {
			read int64
			want bool
		}{{i.Generation - 1, false}, {i.Generation, true}, {i.Generation, false}} {
			update(t, s, func(tx *store.Tx) error {
				saved, err := tx.SaveImage(ctx, changed, c.read)
				equal(t, saved, c.want)
				return err
			})
		}
		got, _ = get()
		equal(t, got, changed)
		equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountImages(ctx, i.Scope) }), 1)
		for name, want := range map[string]bool{changed.Name: true, i.Name: false} {
			equal(t, read(t, s, func(tx *store.Tx) (bool, error) { return tx.ImageNameTaken(ctx, i.Scope, name) }), want)
		}
		equal(t, read(t, s, func(tx *store.Tx) (bool, error) { return tx.ImageNameTaken(ctx, here, changed.Name) }), false)
		for _, twin := range []*workspaces.Image{{Scope: i.Scope, ID: "twin", Name: changed.Name}, {ID: "twin", Engine: changed.Engine}} {
			if err := s.Update(ctx, func(tx *store.Tx) error { return tx.InsertImage(ctx, twin) }); err == nil {
				t.Errorf("there are two of %+v", twin)
			}
		}

		// With it go its permissions and tags, and nobody else's.
		update(t, s, func(tx *store.Tx) error {
			for _, id := range []string{i.ID, "other"} {
				if err := tx.ShareImage(ctx, i.Scope, id, "222222222222"); err != nil {
					return err
				}
				if err := tx.PutTags(ctx, i.Scope, id, []workspaces.Tag{{Key: "k"}}); err != nil {
					return err
				}
			}
			if deleted, err := tx.DeleteImage(ctx, i.Ref()); deleted || err != nil {
				return fmt.Errorf("an older generation: %v, %w", deleted, err)
			}
			deleted, err := tx.DeleteImage(ctx, changed.Ref())
			equal(t, deleted, true)
			return err
		})
		for id, want := range map[string]bool{i.ID: false, "other": true} {
			equal(t, read(t, s, func(tx *store.Tx) (bool, error) { return tx.ImageIsShared(ctx, i.Scope, id) }), want)
			equal(t, len(read(t, s, func(tx *store.Tx) ([]workspaces.Tag, error) { return tx.Tags(ctx, i.Scope, id) })) == 1, want)
		}
		if _, ok := get(); ok {
			t.Error("it is still there")
		}
	})
}

func TestImagePages(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		other := workspaces.Scope{Account: "222222222222", Region: here.Region}
		far := workspaces.Scope{Account: other.Account, Region: "us-east-1"}
		of := func(scope workspaces.Scope) func(*workspaces.Image) {
			return func(i *workspaces.Image) { i.Scope = scope }
		}
		insertImages(t, s, imageNamed("b"), imageNamed("lent", of(other)), imageNamed("a"), imageNamed("private", of(other)),
			imageNamed("c"), imageNamed("far", of(far)))
		update(t, s, func(tx *store.Tx) error {
			if err := tx.ShareImage(ctx, far, "far", here.Account); err != nil {
				return err
			}
			return tx.ShareImage(ctx, other, "lent", here.Account)
		})
		for name, c := range map[string]struct {
			filter store.ImageFilter
			want   []string
		}{
			"owned":         {store.ImageFilter{Owned: true}, []string{"b", "a", "c"}},
			"shared":        {store.ImageFilter{Shared: true}, []string{"lent"}},
			"both":          {store.ImageFilter{Owned: true, Shared: true}, []string{"b", "lent", "a", "c"}},
			"some":          {store.ImageFilter{Owned: true, Shared: true, IDs: []string{"c", "lent", "private", "far", "none"}}, []string{"lent", "c"}},
			"not ours":      {store.ImageFilter{Owned: true, IDs: []string{"lent", "private"}}, nil},
			"not so shared": {store.ImageFilter{Shared: true, IDs: []string{"private", "a"}}, nil},
		} {
			for _, limit := range []int{0, 1, 2, 3} {
				f := c.filter
				f.Scope, f.Limit = here, limit
				var ids []string
				for more := true; more; {
					page := read(t, s, func(tx *store.Tx) (store.ImagePage, error) { return tx.Images(ctx, f) })
					for _, i := range page.Images {
						ids = append(ids, i.ID)
					}
					f.After, more = page.Next, page.Next > 0
				}
				if fmt.Sprint(ids) != fmt.Sprint(c.want) {
					t.Errorf("%s, %d at a time: %v", name, limit, ids)
				}
			}
		}
	})
}

func TestImagePermissions(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		share := func(account string) {
			update(t, s, func(tx *store.Tx) error { return tx.ShareImage(ctx, here, "i", account) })
		}
		page := func(after int64) store.ImagePermissionPage {
			return read(t, s, func(tx *store.Tx) (store.ImagePermissionPage, error) {
				return tx.ImagePermissions(ctx, here, "i", after, 2)
			})
		}
		for _, account := range []string{"3", "1", "2", "3"} {
			share(account)
		}
		update(t, s, func(tx *store.Tx) error { return tx.ShareImage(ctx, here, "other", "4") })
		first := page(0)
		equal(t, first.Accounts, []string{"3", "1"})
		equal(t, page(first.Next), store.ImagePermissionPage{Accounts: []string{"2"}})
		for _, want := range []bool{true, false} {
			update(t, s, func(tx *store.Tx) error {
				was, err := tx.UnshareImage(ctx, here, "i", "1")
				equal(t, was, want)
				return err
			})
		}
		equal(t, page(0), store.ImagePermissionPage{Accounts: []string{"3", "2"}})
	})
}

// TestBundleMirrors has a bundle follow one of another region, whose image it has.
func TestBundleMirrors(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		elsewhere := workspaces.Scope{Account: here.Account, Region: "us-east-1"}
		image, newer := filled[workspaces.Image](1), filled[workspaces.Image](2)
		image.Scope, newer.Scope = here, here
		insertImages(t, s, image, newer)
		own := workspaces.Bundle{ID: "own", Name: "desk", Owner: here.Account, ImageID: image.ID, CreatedAt: start, UpdatedAt: start}
		mirror := own
		mirror.ID, mirror.SourceRegion, mirror.SourceID = "mirror", here.Region, own.ID
		update(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.InsertBundle(ctx, here, own), tx.InsertBundle(ctx, elsewhere, mirror),
				tx.InsertBundle(ctx, elsewhere, workspaces.Bundle{ID: "other", Name: "desk"})) // of the same name
		})
		find := func(scope workspaces.Scope, region, id string) (workspaces.Bundle, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (workspaces.Bundle, bool, error) { return tx.BundleMirror(ctx, scope, region, id) })
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		mirror.Image, mirror.Protocol, mirror.OS = image.Engine, image.Protocol, image.OS
		got, _ := find(elsewhere, here.Region, own.ID)
		equal(t, got, mirror)
		for _, scope := range []workspaces.Scope{here, {Account: "2", Region: elsewhere.Region}} {
			if got, found := find(scope, here.Region, own.ID); found {
				t.Errorf("%v has %+v", scope, got)
			}
		}
		equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountBundles(ctx, elsewhere) }), 1)

		own.ImageID, own.UpdatedAt = newer.ID, start.Add(time.Hour)
		update(t, s, func(tx *store.Tx) error { return tx.SetBundleImage(ctx, here, own) })
		got, _ = find(elsewhere, here.Region, own.ID)
		mirror.ImageID, mirror.UpdatedAt, mirror.Image, mirror.Protocol, mirror.OS = newer.ID, own.UpdatedAt, newer.Engine, newer.Protocol, newer.OS
		equal(t, got, mirror)
		update(t, s, func(tx *store.Tx) error { return tx.DeleteBundle(ctx, here, own.ID) })
		for id, want := range map[string]bool{image.ID: false, newer.ID: true} {
			equal(t, read(t, s, func(tx *store.Tx) (bool, error) { return tx.ImageHasBundles(ctx, here, id) }), want)
		}
	})
}

func TestBundles(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		image := filled[workspaces.Image](1)
		image.Scope = here
		insertImages(t, s, image)
		b := *filled[workspaces.Bundle](1)
		b.Owner, b.ImageID, b.Image, b.Protocol, b.OS = here.Account, image.ID, image.Engine, image.Protocol, image.OS
		b.SourceRegion, b.SourceID = "", ""
		insert := func(scope workspaces.Scope, b workspaces.Bundle) {
			update(t, s, func(tx *store.Tx) error { return tx.InsertBundle(ctx, scope, b) })
		}
		get := func() (workspaces.Bundle, bool) {
			got, ok, err := read3(s, func(tx *store.Tx) (workspaces.Bundle, bool, error) { return tx.Bundle(ctx, here, b.ID) })
			if err != nil {
				t.Fatal(err)
			}
			return got, ok
		}
		insert(here, b)
		got, _ := get()
		equal(t, got, b)
		has := func(imageID string) bool {
			return read(t, s, func(tx *store.Tx) (bool, error) { return tx.ImageHasBundles(ctx, here, imageID) })
		}
		equal(t, has(image.ID), true)

		// Of a public image, which has no row, only the id is known.
		b.ImageID, b.Image, b.Protocol, b.OS, b.UpdatedAt = "public", "", "", "", start
		update(t, s, func(tx *store.Tx) error { return tx.SetBundleImage(ctx, here, b) })
		got, _ = get()
		equal(t, got, b)
		equal(t, has(image.ID), false)

		elsewhere := workspaces.Scope{Account: here.Account, Region: "us-east-1"}
		insert(elsewhere, b)
		for i := range 4 {
			insert(here, workspaces.Bundle{ID: fmt.Sprint(i), Name: fmt.Sprint(i)})
		}
		equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountBundles(ctx, here) }), 5)
		for name, want := range map[string]bool{b.Name: true, "other": false} {
			equal(t, read(t, s, func(tx *store.Tx) (bool, error) { return tx.BundleNameTaken(ctx, here, name) }), want)
		}
		page := func(f store.BundleFilter) (ids []string, next int64) {
			f.Scope = here
			p := read(t, s, func(tx *store.Tx) (store.BundlePage, error) { return tx.Bundles(ctx, f) })
			for _, b := range p.Bundles {
				ids = append(ids, b.ID)
			}
			return ids, p.Next
		}
		first, next := page(store.BundleFilter{Limit: 3})
		equal(t, first, []string{b.ID, "0", "1"})
		second, next := page(store.BundleFilter{Limit: 3, After: next})
		equal(t, second, []string{"2", "3"})
		equal(t, next, int64(0))
		some, _ := page(store.BundleFilter{IDs: []string{"3", "none", "0"}})
		equal(t, some, []string{"0", "3"})

		w := workSpace("ws-1")
		w.BundleID = b.ID
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, w) })
		lives := func() bool {
			return read(t, s, func(tx *store.Tx) (bool, error) { return tx.BundleHasLivingWorkSpaces(ctx, here, b.ID) })
		}
		equal(t, lives(), true)
		w.State = workspaces.Terminated
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.SaveWorkSpace(ctx, w, w.Generation)
			return err
		})
		equal(t, lives(), false)
		update(t, s, func(tx *store.Tx) error {
			if err := tx.PutTags(ctx, here, b.ID, []workspaces.Tag{{Key: "k"}}); err != nil {
				return err
			}
			return tx.DeleteBundle(ctx, here, b.ID)
		})
		if _, ok := get(); ok {
			t.Error("it is still there")
		}
		equal(t, len(read(t, s, func(tx *store.Tx) ([]workspaces.Tag, error) { return tx.Tags(ctx, here, b.ID) })), 0)
		equal(t, read(t, s, func(tx *store.Tx) (int, error) { return tx.CountBundles(ctx, elsewhere) }), 1)
	})
}

// TestImagesAreInOrderAfterReopening has the order go on behind what the database has, whatever the clock says.
func TestImagesAreInOrderAfterReopening(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t)
	s := open(t, path)
	update(t, s, func(tx *store.Tx) error {
		if err := tx.InsertImage(t.Context(), imageNamed("first")); err != nil {
			return err
		}
		return tx.Exec(t.Context(), "UPDATE image SET seq = 9000000000000000000")
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	insertImages(t, s, imageNamed("second"))
	page := read(t, s, func(tx *store.Tx) (store.ImagePage, error) {
		return tx.Images(t.Context(), store.ImageFilter{Scope: here, Owned: true})
	})
	if len(page.Images) != 2 || page.Images[1].ID != "second" {
		t.Errorf("%+v", page)
	}
}

// TestEngineImageIsNeeded asks for whom the engine has to keep an image.
func TestEngineImageIsNeeded(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		from := func(engine string, state workspaces.ImageState) func(*workspaces.Image) {
			return func(i *workspaces.Image) { i.Origin.Image, i.State = engine, state }
		}
		insertImages(t, s,
			imageNamed("pending", func(i *workspaces.Image) { i.State = workspaces.ImagePending }),
			imageNamed("available", func(i *workspaces.Image) { i.State = workspaces.ImageAvailable }),
			imageNamed("failed", func(i *workspaces.Image) { i.State = workspaces.ImageErrored }),
			imageNamed("copying", from("copied", workspaces.ImagePending)),
			imageNamed("copy", from("was copied", workspaces.ImageAvailable)),
		)
		update(t, s, func(tx *store.Tx) error {
			for id, w := range map[string]struct {
				state workspaces.State
				waits bool
			}{"making": {workspaces.Pending, true}, "resting": {workspaces.Available, false}, "ending": {workspaces.Terminating, true}} {
				desk := workSpace("ws-" + id)
				desk.Image, desk.State, desk.WakeAt = id, w.state, time.Time{}
				if w.waits {
					desk.WakeAt = start
				}
				if err := tx.InsertWorkSpace(ctx, desk); err != nil {
					return err
				}
			}
			return nil
		})
		for engine, want := range map[string]bool{
			"pending": true, "available": true, "failed": false, "copied": true, "was copied": false,
			"making": true, "resting": false, "ending": false, "": false, "nobody's": false,
		} {
			if got := read(t, s, func(tx *store.Tx) (bool, error) { return tx.EngineImageIsNeeded(ctx, engine) }); got != want {
				t.Errorf("%q is needed: %v", engine, got)
			}
		}
	})
}

func TestImageBeingCaptured(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		of := func(w string, state workspaces.ImageState) func(*workspaces.Image) {
			return func(i *workspaces.Image) { i.Origin.WorkSpaceID, i.State = w, state }
		}
		insertImages(t, s,
			imageNamed("before", of("ws-1", workspaces.ImageAvailable)), imageNamed("failed", of("ws-1", workspaces.ImageErrored)),
			imageNamed("now", of("ws-1", workspaces.ImagePending)), imageNamed("copying", of("", workspaces.ImagePending)),
		)
		for w, want := range map[string]string{"ws-1": "now", "ws-2": "", "": ""} {
			i, found, err := read3(s, func(tx *store.Tx) (*workspaces.Image, bool, error) {
				return tx.ImageBeingCaptured(t.Context(), here, w)
			})
			if err != nil || found != (want != "") || found && i.ID != want {
				t.Errorf("%q: %+v, %v, %v", w, i, found, err)
			}
		}
	})
}
