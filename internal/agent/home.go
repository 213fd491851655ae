package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ownerOf returns who a file belongs to, where the system says so.
func ownerOf(info fs.FileInfo) (uid, gid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}

// makeHome sees to it that the user has a home directory, owned by the user. /home is the user volume: it outlives the
// root volume and may come from another desktop, so a home that is there is kept as it is, and handed over if its owner
// has another id. A new one is a copy of /etc/skel, made beside its place and renamed into it: a start that is cut
// short leaves no half-filled home behind that would count as complete next time.
//
// It runs before any process of the user, so nothing below /home changes meanwhile; still, no symbolic link is followed.
func makeHome(root string, user account) error {
	homes := filepath.Join(root, filepath.Dir(user.home))
	// A fresh volume is closed to everybody but root.
	if err := os.MkdirAll(homes, 0o755); err != nil { //nolint:gosec // everyone passes through /home
		return err
	}
	if err := os.Chmod(homes, 0o755); err != nil { //nolint:gosec // everyone passes through /home
		return err
	}
	home := filepath.Join(root, user.home)
	info, err := os.Lstat(home)
	switch {
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is not a directory", user.home)
	case err == nil:
		if uid, gid, ok := ownerOf(info); ok && (uid != user.uid || gid != user.uid) {
			return chownTree(home, user.uid)
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}

	next := filepath.Join(homes, "."+user.name+".new")
	if err := os.RemoveAll(next); err != nil {
		return err
	}
	if err := os.Mkdir(next, 0o700); err != nil {
		return err
	}
	if err := copyTree(filepath.Join(root, "etc/skel"), next); err != nil {
		return err
	}
	if err := chownTree(next, user.uid); err != nil {
		return err
	}
	return os.Rename(next, home)
}

func chownTree(dir string, uid int) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid) //nolint:gosec // nothing changes below it meanwhile: see makeHome
	})
}

// copyTree copies directories, regular files and symbolic links: all that /etc/skel may hold.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil || relative == "." {
			return err
		}
		target := filepath.Join(to, relative)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			return os.Mkdir(target, info.Mode().Perm())
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target) //nolint:gosec // the image's own /etc/skel, before anybody has started anything
		case info.Mode().IsRegular():
			return copyFile(path, target, info.Mode().Perm())
		default:
			return nil
		}
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
