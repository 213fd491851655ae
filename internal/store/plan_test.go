package store_test

import (
	"strings"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// TestPlans asks SQLite how it finds rows: by an index, and in its order where there are pages.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.SQLite(t))
	ctx := t.Context()
	page := func(f store.WorkSpaceFilter) func(tx *store.Tx) error {
		f.Scope, f.Limit = here, 25
		return func(tx *store.Tx) error {
			_, err := tx.WorkSpaces(ctx, f)
			return err
		}
	}
	const sorts = " (sorts)" // may sort: it finds few rows
	for name, c := range map[string]struct {
		index string
		f     func(tx *store.Tx) error
	}{
		"scope":     {"workspace_page", page(store.WorkSpaceFilter{})},
		"next page": {"workspace_page", page(store.WorkSpaceFilter{After: 7})},
		"directory": {"workspace_directory_page", page(store.WorkSpaceFilter{DirectoryID: "d-1", After: 7})},
		"bundle":    {"workspace_bundle_page", page(store.WorkSpaceFilter{BundleID: "wsb-1"})},
		"user":      {"workspace_user" + sorts, page(store.WorkSpaceFilter{DirectoryID: "d-1", UserName: "u"})},
		"undefined": {"workspace_directory_page", page(store.WorkSpaceFilter{DirectoryID: "d-1", UserName: workspaces.Undefined})},
		"name":      {"workspace_name" + sorts, page(store.WorkSpaceFilter{Name: "n"})},
		"ids":       {"sqlite_autoindex_workspace_1" + sorts, page(store.WorkSpaceFilter{IDs: make([]string, 25)})},
		"an id":     {"sqlite_autoindex_workspace_1" + sorts, page(store.WorkSpaceFilter{IDs: make([]string, 1)})},
		"one": {"sqlite_autoindex_workspace_1", func(tx *store.Tx) error {
			_, _, err := tx.WorkSpace(ctx, here, "ws-1")
			return err
		}},
		"count": {"workspace_page", func(tx *store.Tx) error {
			_, err := tx.CountWorkSpaces(ctx, here)
			return err
		}},
		"count by compute": {"workspace_compute", func(tx *store.Tx) error {
			_, err := tx.CountLivingWorkSpaces(ctx, here, "STANDARD")
			return err
		}},
		"count living": {"workspace_compute", func(tx *store.Tx) error {
			_, err := tx.CountLivingWorkSpaces(ctx, here, "")
			return err
		}},
		"next due": {"workspace_wake", func(tx *store.Tx) error {
			_, err := tx.NextDue(ctx, workspaces.KindWorkSpace)
			return err
		}},
		"next snapshot": {"workspace_snapshot", func(tx *store.Tx) error {
			_, err := tx.NextSnapshotDue(ctx)
			return err
		}},
		"next maintenance": {"workspace_maintenance", func(tx *store.Tx) error {
			_, err := tx.NextMaintenance(ctx)
			return err
		}},
		"maintenances due": {"workspace_maintenance", func(tx *store.Tx) error {
			_, err := tx.MaintenancesDue(ctx, start, 100)
			return err
		}},
		"count maintained": {"workspace_maintaining", func(tx *store.Tx) error {
			_, err := tx.CountMaintained(ctx)
			return err
		}},
		"standby of a primary": {"standby_primary", func(tx *store.Tx) error {
			_, _, err := tx.StandbyOf(ctx, here, "ws-1")
			return err
		}},
		"standby states": {"standby_primary", func(tx *store.Tx) error {
			_, _, err := tx.StandbyStates(ctx, here, []string{"ws-1"}) // there is none
			return err
		}},
		"snapshots": {"sqlite_autoindex_snapshot_1", func(tx *store.Tx) error {
			_, err := tx.Snapshots(ctx, here, "ws-1")
			return err
		}},
		"metrics of one": {"sqlite_autoindex_stay_1", func(tx *store.Tx) error {
			f := store.MetricFilter{Scope: here, WorkSpaceIDs: []string{"ws-1"}, From: start, To: start.Add(time.Hour)}
			return tx.PastStays(ctx, f, func(workspaces.Stay) {})
		}},
		"metrics of all": {"stay_until", func(tx *store.Tx) error {
			return tx.PastStays(ctx, store.MetricFilter{Scope: here, From: start, To: start.Add(time.Hour)}, func(workspaces.Stay) {})
		}},
		"happenings of one": {"sqlite_autoindex_happening_1", func(tx *store.Tx) error {
			f := store.MetricFilter{Scope: here, WorkSpaceIDs: []string{"ws-1"}, From: start, To: start.Add(time.Hour)}
			return tx.Happenings(ctx, f, func(workspaces.Happening) {})
		}},
		"happenings of all": {"happening_at", func(tx *store.Tx) error {
			return tx.Happenings(ctx, store.MetricFilter{Scope: here, From: start, To: start.Add(time.Hour)}, func(workspaces.Happening) {})
		}},
		"metrics of one pool": {"sqlite_autoindex_pool_stay_1", func(tx *store.Tx) error {
			f := store.PoolMetricFilter{Scope: here, PoolIDs: []string{"wspool-1"}, From: start, To: start.Add(time.Hour)}
			return tx.PoolStays(ctx, f, func(workspaces.PoolStay) {})
		}},
		"refusals of one pool": {"sqlite_autoindex_pool_refusal_1", func(tx *store.Tx) error {
			f := store.PoolMetricFilter{Scope: here, PoolIDs: []string{"wspool-1"}, From: start, To: start.Add(time.Hour)}
			return tx.PoolRefusals(ctx, f, func(workspaces.PoolRefusals) {})
		}},
		"user has": {"workspace_user", func(tx *store.Tx) error {
			_, err := tx.UserHasWorkSpace(ctx, here, "d-1", "u")
			return err
		}},
		"users": {"sqlite_autoindex_directory_user_1", func(tx *store.Tx) error {
			_, err := tx.Users(ctx, store.UserFilter{Scope: here, DirectoryID: "d-1", Limit: 25})
			return err
		}},
		"tags": {"sqlite_autoindex_tag_1" + sorts, func(tx *store.Tx) error {
			_, err := tx.Tags(ctx, here, "ws-1")
			return err
		}},
		"groups": {"ip_group_page", func(tx *store.Tx) error {
			_, err := tx.IPGroups(ctx, store.IPGroupFilter{Scope: here, After: 7, Limit: 25})
			return err
		}},
		"group named": {"ip_group_name", func(tx *store.Tx) error {
			_, _, err := tx.IPGroupNamed(ctx, here, "n")
			return err
		}},
		"groups of a directory": {"sqlite_autoindex_ip_group_association_1" + sorts, func(tx *store.Tx) error {
			_, err := tx.DirectoryIPGroups(ctx, here, "d-1")
			return err
		}},
		"group is associated": {"ip_group_directories", func(tx *store.Tx) error {
			_, err := tx.IPGroupIsAssociated(ctx, here, "wsipg-1")
			return err
		}},
		"bundles": {"bundle_page", func(tx *store.Tx) error {
			_, err := tx.Bundles(ctx, store.BundleFilter{Scope: here, After: 7, Limit: 25})
			return err
		}},
		"mirror of a bundle": {"bundle_page", func(tx *store.Tx) error {
			_, _, err := tx.BundleMirror(ctx, here, "us-east-1", "wsb-1")
			return err
		}},
		"bundles of an image": {"bundle_image", func(tx *store.Tx) error {
			_, err := tx.ImageHasBundles(ctx, here, "wsi-1")
			return err
		}},
		"own images": {"image_page", func(tx *store.Tx) error {
			_, err := tx.Images(ctx, store.ImageFilter{Scope: here, Owned: true, After: 7, Limit: 25})
			return err
		}},
		"shared images": {"image_shared" + sorts, func(tx *store.Tx) error {
			_, err := tx.Images(ctx, store.ImageFilter{Scope: here, Shared: true, Limit: 25})
			return err
		}},
		"image being captured": {"image_capture", func(tx *store.Tx) error {
			_, _, err := tx.ImageBeingCaptured(ctx, here, "ws-1")
			return err
		}},
		"next image due": {"image_wake", func(tx *store.Tx) error {
			_, err := tx.NextDue(ctx, workspaces.KindImage)
			return err
		}},
		"logo": {"client_logo_hash", func(tx *store.Tx) error {
			_, _, err := tx.ClientLogo(ctx, "d-1", "p", "h")
			return err
		}},
		"branding": {"sqlite_autoindex_client_branding_1", func(tx *store.Tx) error {
			_, err := tx.ClientBrandings(ctx, here, "d-1")
			return err
		}},
		"token": {"sqlite_autoindex_client_token_1", func(tx *store.Tx) error {
			_, _, err := tx.ClientToken(ctx, here, "d-1", "t", time.Time{})
			return err
		}},
	} {
		plan, err := s.Explained(c.f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		index, few := strings.CutSuffix(c.index, sorts)
		if strings.HasPrefix(name, "count") {
			index = "COVERING INDEX " + index // the rows themselves are not looked at
		} else {
			index = "INDEX " + index
		}
		if !strings.Contains(plan, index+" (") || !few && strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s: want %s:\n%s", name, c.index, plan)
		}
	}
}

// TestPlansOfUpdates looks at those that can only run in an Update.
func TestPlansOfUpdates(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.SQLite(t))
	for query, index := range map[string]string{
		store.TakenAddresses: "workspace_address (subnet_id=? AND address_offset>? AND address_offset<?)\nRIGHT\n" +
			"SEARCH workspace USING COVERING INDEX workspace_held_address",
		"UPDATE workspace SET next_snapshot_at = $1 WHERE (account, region, id) IN (SELECT account, region, id FROM workspace" +
			" WHERE next_snapshot_at > 0 AND deadline = 0 AND next_snapshot_at <= $2 ORDER BY next_snapshot_at LIMIT $3)": "workspace_snapshot",
		"UPDATE workspace SET wake_at = $1 WHERE (account, region, id) IN (SELECT account, region, id FROM workspace" +
			" WHERE wake_at > 0 AND wake_at <= $2 ORDER BY wake_at LIMIT $3)": "workspace_wake",
		"DELETE FROM client_token WHERE expires_at <= $1": "client_token_expiry",
	} {
		plan, err := s.Explained(func(tx *store.Tx) error { return tx.Explain(t.Context(), query) })
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
		if !strings.Contains(plan, index) || strings.Contains(plan, "SCAN workspace") {
			t.Errorf("%s: want %s:\n%s", query, index, plan)
		}
	}
}
