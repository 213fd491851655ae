package simulated

import (
	"context"
	"io/fs"
	"maps"
	"slices"

	"carrel/internal/compute"
)

// The files that came through side channels, by desktop and path. They last as long as
// the process.

const mostSideBytes = 1 << 20 // in a file

func (d *Driver) readSide(ctx context.Context, id, path string) ([]byte, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	content, there := d.homes[id][path]
	if !there {
		return nil, fs.ErrNotExist
	}
	return content, nil
}

func (d *Driver) writeSide(ctx context.Context, id, path string, content []byte) error {
	leave, err := d.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if len(content) > mostSideBytes {
		return compute.ErrCapacity
	}
	if d.homes[id] == nil {
		d.homes[id] = make(map[string][]byte)
	}
	d.homes[id][path] = content
	return nil
}

func (d *Driver) sidePaths(ctx context.Context, id string) ([]string, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return slices.Sorted(maps.Keys(d.homes[id])), nil
}
