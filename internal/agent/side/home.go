package side

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"carrel/internal/sidechannel"
)

// maxRead is how many entries of a folder are looked at for the latest files.
const maxRead = 20_000

// Home is the user's home directory as the side channel sees it. Links are followed within it, and not out of it.
type Home struct {
	root *os.Root
}

// OpenHome opens a home directory.
func OpenHome(path string) (*Home, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Home{root}, nil
}

// List implements [sidechannel.Files]. What has a name that cannot be said in UTF-8 is left out.
func (h *Home) List(ctx context.Context) (sidechannel.Listing, error) {
	listing := sidechannel.Listing{Files: []sidechannel.File{}}
	for _, folder := range sidechannel.Folders() {
		files, more := h.listFolder(ctx, folder)
		listing.Files = append(listing.Files, files...)
		listing.More = listing.More || more
	}
	slices.SortStableFunc(listing.Files, func(a, b sidechannel.File) int { return b.Modified.Compare(a.Modified) })
	if len(listing.Files) > sidechannel.MaxListed {
		listing.Files, listing.More = listing.Files[:sidechannel.MaxListed], true
	}
	return listing, ctx.Err()
}

// listFolder lists what can be read; a folder that is not there, or closed, has nothing to take.
func (h *Home) listFolder(ctx context.Context, folder sidechannel.Folder) (files []sidechannel.File, more bool) {
	path := h.path(folder)
	dir, err := h.root.Open(path)
	if err != nil {
		return nil, false
	}
	defer dir.Close()
	for seen := 0; seen < maxRead && ctx.Err() == nil; {
		entries, err := dir.ReadDir(256)
		for _, entry := range entries {
			if file, ok := h.file(folder, path, entry); ok {
				files = append(files, file)
			}
		}
		if err != nil {
			return files, false
		}
		seen += len(entries)
	}
	return files, true
}

// file describes an entry, if it is a file to take.
func (h *Home) file(folder sidechannel.Folder, path string, entry fs.DirEntry) (sidechannel.File, bool) {
	name := entry.Name()
	if !sidechannel.Listed(name) {
		return sidechannel.File{}, false
	}
	info, err := entry.Info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		info, err = h.root.Stat(filepath.Join(path, name))
	}
	if err != nil || !info.Mode().IsRegular() {
		return sidechannel.File{}, false
	}
	return sidechannel.File{Folder: folder, Name: name, Size: info.Size(), Modified: info.ModTime().UTC()}, true
}

// Open implements [sidechannel.Files]. What is not a regular file is not there; a pipe that nobody writes to must not
// keep the caller.
func (h *Home) Open(_ context.Context, folder sidechannel.Folder, name string) (io.ReadCloser, sidechannel.File, error) {
	file, err := h.root.OpenFile(filepath.Join(h.path(folder), name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, sidechannel.File{}, classify(err)
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, sidechannel.File{}, errors.Join(sidechannel.ErrNoFile, err, file.Close())
	}
	return file, sidechannel.File{Folder: folder, Name: name, Size: info.Size(), Modified: info.ModTime().UTC()}, nil
}

// mostNumbers is how many names are tried for a file whose name is taken.
const mostNumbers = 1000

// Put implements [sidechannel.Files]. The file has no name until it is complete and on the disk. So what is cut off
// leaves nothing behind, and no name of the user's is ever replaced.
func (h *Home) Put(
	_ context.Context, folder sidechannel.Folder, name string, content io.Reader, size int64,
) (sidechannel.File, error) {
	dir, err := h.open(folder)
	if err != nil {
		return sidechannel.File{}, classify(err)
	}
	defer dir.Close()
	if !hasRoom(dir, size) {
		return sidechannel.File{}, sidechannel.ErrNoRoom
	}
	fd, err := unix.Openat(int(dir.Fd()), ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return sidechannel.File{}, classify(&os.PathError{Op: "make a file in", Path: dir.Name(), Err: err})
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	if _, err := io.Copy(file, content); err != nil {
		return sidechannel.File{}, full(err)
	}
	if err := file.Sync(); err != nil {
		return sidechannel.File{}, full(err)
	}
	if name, err = link(file, dir, name); err != nil {
		return sidechannel.File{}, err
	}
	info, err := file.Stat()
	if err != nil {
		return sidechannel.File{}, err
	}
	return sidechannel.File{Folder: folder, Name: name, Size: info.Size(), Modified: info.ModTime().UTC()}, nil
}

// open opens the folder, which it makes where it is missing.
func (h *Home) open(folder sidechannel.Folder) (*os.File, error) {
	path := h.path(folder)
	dir, err := h.root.Open(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	if err := h.root.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	return h.root.Open(path)
}

// link gives a file its name, or the first numbered one that is free.
func link(file, dir *os.File, name string) (string, error) {
	self := fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	for n := 1; n <= mostNumbers; n++ {
		candidate := sidechannel.Numbered(name, n)
		err := unix.Linkat(unix.AT_FDCWD, self, int(dir.Fd()), candidate, unix.AT_SYMLINK_FOLLOW)
		switch {
		case err == nil:
			return candidate, nil
		case errors.Is(err, unix.ENAMETOOLONG): // for this file system
			return "", sidechannel.ErrName
		case !errors.Is(err, unix.EEXIST):
			return "", full(&os.PathError{Op: "name", Path: candidate, Err: err})
		}
	}
	return "", sidechannel.ErrTaken
}

// hasRoom tells early what is certain. A quota may say so only while the file is written.
func hasRoom(dir *os.File, size int64) bool {
	var stat unix.Statfs_t
	if err := unix.Fstatfs(int(dir.Fd()), &stat); err != nil || size <= 0 || stat.Bsize <= 0 {
		return true
	}
	return uint64(size)/uint64(stat.Bsize) < stat.Bavail
}

// full names the error of a volume that is full, and leaves others as they are.
func full(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w: %w", sidechannel.ErrNoRoom, err)
	}
	return err
}

// classify gives the error of opening something the protocol's name. What leads out of the home is denied too.
func classify(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EISDIR):
		return fmt.Errorf("%w: %w", sidechannel.ErrNoFile, err)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return full(err)
	}
	return fmt.Errorf("%w: %w", sidechannel.ErrDenied, err)
}
