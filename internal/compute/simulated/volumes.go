package simulated

import (
	"context"
	"time"

	"carrel/internal/compute"
)

// Snapshot implements [compute.Driver].
func (d *Driver) Snapshot(ctx context.Context, id string, s compute.Snapshot) (time.Time, error) {
	return d.do(ctx, order{
		method: snapshotting, spec: compute.Desktop{ID: id}, with: with{Snapshot: s.Name, Root: s.Root},
	}, compute.CheckSnapshot(s.Name))
}

// DropSnapshot implements [compute.Driver].
func (d *Driver) DropSnapshot(ctx context.Context, id, name string) (time.Time, error) {
	return d.do(ctx, order{method: dropping, spec: compute.Desktop{ID: id}, with: with{Snapshot: name}}, nil)
}

// Rebuild implements [compute.Driver].
func (d *Driver) Rebuild(ctx context.Context, spec compute.Desktop, user string) (time.Time, error) {
	spec.Home = nil
	return d.do(ctx, order{method: rebuilding, spec: spec, with: with{Snapshot: user}}, check(spec))
}

// Restore implements [compute.Driver].
func (d *Driver) Restore(ctx context.Context, id, name string) (time.Time, error) {
	return d.do(ctx, order{method: restoring, spec: compute.Desktop{ID: id}, with: with{Snapshot: name}}, nil)
}

// Receive implements [compute.Driver].
func (d *Driver) Receive(ctx context.Context, id string, from compute.Home) (time.Time, error) {
	return d.do(ctx, order{
		method: receiving, spec: compute.Desktop{ID: id}, with: with{Snapshot: from.Snapshot, Desktop: from.Desktop}, from: &from,
	}, nil)
}

// Resize implements [compute.Driver].
func (d *Driver) Resize(ctx context.Context, spec compute.Desktop) (time.Time, error) {
	spec.Home = nil
	return d.do(ctx, order{method: resizing, spec: spec}, check(spec))
}

// Capture implements [compute.Driver].
func (d *Driver) Capture(ctx context.Context, id, image string) (time.Time, error) {
	return d.do(ctx, order{method: capturing, spec: compute.Desktop{ID: id}, with: with{Image: image}}, compute.CheckImage(image))
}
