package store_test

import (
	"maps"
	"slices"
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func TestClientBranding(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		all := func(scope workspaces.Scope, id string) map[workspaces.Platform]*workspaces.ClientBranding {
			return read(t, s, func(tx *store.Tx) (map[workspaces.Platform]*workspaces.ClientBranding, error) {
				return tx.ClientBrandings(ctx, scope, id)
			})
		}
		put := func(b *workspaces.ClientBranding) {
			update(t, s, func(tx *store.Tx) error { return tx.PutClientBranding(ctx, b) })
		}
		named := func(b *workspaces.ClientBranding) *workspaces.ClientBranding {
			named := *b
			named.Logos = nil
			for _, logo := range b.Logos {
				named.Logos = append(named.Logos, workspaces.Logo{Size: logo.Size, Hash: logo.Hash})
			}
			return &named
		}
		b := filled[workspaces.ClientBranding](1)
		b.Logos[0].PNG = []byte("\x89PNG\x00\xff") // no text
		put(b)
		equal(t, all(b.Scope, b.DirectoryID)[b.Platform], named(b))

		// What is put takes the place of all that was.
		other := *b
		other.SupportEmail, other.LoginMessages, other.Logos = "", nil, []workspaces.Logo{{Size: 3, Hash: "new", PNG: []byte{1}}}
		put(&other)
		equal(t, all(b.Scope, b.DirectoryID)[b.Platform], named(&other))
		logo := func(id string, p workspaces.Platform, hash string) []byte {
			content, _, err := read3(s, func(tx *store.Tx) ([]byte, bool, error) { return tx.ClientLogo(ctx, id, p, hash) })
			if err != nil {
				t.Fatal(err)
			}
			return content
		}
		equal(t, logo(b.DirectoryID, b.Platform, "new"), []byte{1})
		equal(t, len(logo(b.DirectoryID, b.Platform, b.Logos[0].Hash)), 0)
		equal(t, len(logo(b.DirectoryID, "other", "new")), 0)
		equal(t, len(logo("other", b.Platform, "new")), 0)

		// Platforms, directories and scopes are told apart.
		d := filled[workspaces.WorkspaceDirectory](500)
		for _, where := range []workspaces.ClientBranding{
			{Scope: d.Scope, DirectoryID: d.ID, Platform: "one"},
			{Scope: d.Scope, DirectoryID: d.ID, Platform: "two"},
			{Scope: d.Scope, DirectoryID: "other", Platform: "one"},
			{Scope: here, DirectoryID: d.ID, Platform: "one"},
		} {
			where.Logos = []workspaces.Logo{{Size: 1, Hash: "hash", PNG: []byte{2}}}
			put(&where)
		}
		platforms := func(scope workspaces.Scope, id string) []workspaces.Platform {
			return slices.Sorted(maps.Keys(all(scope, id)))
		}
		equal(t, platforms(d.Scope, d.ID), []workspaces.Platform{"one", "two"})
		for range 2 {
			update(t, s, func(tx *store.Tx) error { return tx.DeleteClientBranding(ctx, d.Scope, d.ID, "one") })
		}
		equal(t, platforms(d.Scope, d.ID), []workspaces.Platform{"two"})
		equal(t, len(all(d.Scope, d.ID)["two"].Logos), 1)
		update(t, s, func(tx *store.Tx) error {
			if err := tx.InsertWorkspaceDirectory(ctx, d); err != nil {
				return err
			}
			_, err := tx.DeleteWorkspaceDirectory(ctx, d.Ref())
			return err
		})
		equal(t, len(platforms(d.Scope, d.ID)), 0)
		equal(t, platforms(d.Scope, "other"), []workspaces.Platform{"one"})
		equal(t, platforms(here, d.ID), []workspaces.Platform{"one"})
		equal(t, logo(d.ID, "one", "hash"), []byte{2}) // the one that is left of them
	})
}
