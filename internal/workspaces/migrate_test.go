package workspaces_test

import (
	"testing"

	"carrel/internal/workspaces"
)

// TestSizesOfMigration takes the larger of each volume, which is always a pair that there is.
func TestSizesOfMigration(t *testing.T) {
	t.Parallel()
	bundles := workspaces.PublicBundles("image")
	for _, from := range bundles {
		for _, to := range bundles {
			w := desk(from.ComputeType, from.RootGiB, from.UserGiB)
			w.BundleID = from.ID
			target, snapshot, err := w.Migrate(nil, to, nil, noon)
			if (workspaces.CodeOf(err) == workspaces.CodeInvalidParameter) != (from.ID == to.ID) {
				t.Fatalf("%s to %s: %v", from.ID, to.ID, err)
			}
			if err != nil {
				continue
			}
			p := target.Properties
			if p.RootGiB != max(from.RootGiB, to.RootGiB) || p.UserGiB != max(from.UserGiB, to.UserGiB) || p.ComputeType != to.ComputeType {
				t.Errorf("%s to %s: %+v", from.ID, to.ID, p)
			}
			if err := workspaces.CheckVolumes(p.ComputeType, p.RootGiB, p.UserGiB); err != nil {
				t.Errorf("%s to %s: %v", from.ID, to.ID, err)
			}
			if snapshot.Name == "" || snapshot.Root || snapshot.Name != w.FromSnapshot || snapshot.Generation != w.Generation {
				t.Errorf("%+v", snapshot)
			}
		}
	}
}
