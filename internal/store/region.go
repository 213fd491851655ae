package store

import (
	"context"
	"time"
)

// RegionDown is a region that the administrator has said is down.
type RegionDown struct {
	Name  string
	Since time.Time
}

// RegionsDown returns the regions that are down, by name.
func (t *Tx) RegionsDown(ctx context.Context) ([]RegionDown, error) {
	return list(ctx, t, func(row scanner) (r RegionDown, err error) {
		var since int64
		err = row.Scan(&r.Name, &since)
		r.Since = instantOf(since)
		return r, err
	}, "SELECT name, since FROM region_down ORDER BY name")
}

// IsRegionDown reports whether a region is down.
func (t *Tx) IsRegionDown(ctx context.Context, name string) (down bool, err error) {
	err = t.row(ctx, "SELECT EXISTS (SELECT 1 FROM region_down WHERE name = $1)", name).Scan(&down)
	return down, err
}

// PutRegionDown notes that a region is down; since when, where that is noted already, stays.
func (t *Tx) PutRegionDown(ctx context.Context, name string, since time.Time) error {
	return t.exec(ctx, "INSERT INTO region_down (name, since) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, micros(since))
}

// DeleteRegionDown notes that a region is up again, and succeeds where it is.
func (t *Tx) DeleteRegionDown(ctx context.Context, name string) error {
	return t.exec(ctx, "DELETE FROM region_down WHERE name = $1", name)
}
