package simulated

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"carrel/internal/compute"
	"carrel/internal/sidechannel"
)

// sideFiles are the files on the user volume of a desktop, as its side channel has them.
// They lie in the folders of the volume, and have no times of their own.
type sideFiles struct {
	driver *Driver
	id     string
}

// List implements [sidechannel.Files].
func (s sideFiles) List(ctx context.Context) (sidechannel.Listing, error) {
	listing := sidechannel.Listing{Files: []sidechannel.File{}}
	paths, err := s.driver.Files(ctx, s.id, Home)
	if err != nil {
		return listing, err
	}
	for _, path := range paths {
		folder, name, nested := strings.Cut(path, "/")
		if !nested || !sidechannel.Folder(folder).Valid() || !sidechannel.Listed(name) {
			continue
		}
		content, err := s.driver.ReadFile(ctx, s.id, Home, path)
		if err != nil {
			continue // it has gone since
		}
		listing.Files = append(listing.Files, s.file(sidechannel.Folder(folder), name, content))
	}
	return listing, nil
}

// Open implements [sidechannel.Files].
func (s sideFiles) Open(ctx context.Context, folder sidechannel.Folder, name string) (io.ReadCloser, sidechannel.File, error) {
	content, err := s.driver.ReadFile(ctx, s.id, Home, string(folder)+"/"+name)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", sidechannel.ErrNoFile, err)
	}
	return io.NopCloser(bytes.NewReader(content)), s.file(folder, name, content), err
}

// Put implements [sidechannel.Files].
func (s sideFiles) Put(
	ctx context.Context, folder sidechannel.Folder, name string, content io.Reader, size int64,
) (sidechannel.File, error) {
	if size > mostBytes {
		return sidechannel.File{}, sidechannel.ErrNoRoom
	}
	held, err := io.ReadAll(io.LimitReader(content, mostBytes+1))
	if err != nil {
		return sidechannel.File{}, err
	}
	s.driver.naming.Lock() // so that no two files find the same name free
	defer s.driver.naming.Unlock()
	taken, err := s.driver.Files(ctx, s.id, Home)
	if err != nil {
		return sidechannel.File{}, err
	}
	free := name
	for n := 2; slices.Contains(taken, string(folder)+"/"+free); n++ {
		free = sidechannel.Numbered(name, n)
	}
	err = s.driver.WriteFile(ctx, s.id, Home, string(folder)+"/"+free, held)
	switch {
	case errors.Is(err, compute.ErrCapacity):
		err = fmt.Errorf("%w: %w", sidechannel.ErrNoRoom, err)
	case errors.Is(err, compute.ErrInvalid):
		err = fmt.Errorf("%w: %w", sidechannel.ErrName, err)
	}
	return s.file(folder, free, held), err
}

func (s sideFiles) file(folder sidechannel.Folder, name string, content []byte) sidechannel.File {
	return sidechannel.File{Folder: folder, Name: name, Size: int64(len(content)), Modified: s.driver.clock.Now()}
}
