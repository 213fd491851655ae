package job

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"carrel/internal/compute"
	"carrel/internal/sidechannel"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Settings of a pool's user go between the store and a desktop in an archive, which lies on the desktop for
// a moment: a script makes it of the home, or unpacks it there, and the side channel carries it. Both are the
// user's own doing as far as the desktop goes, so that nothing in the home can lead out of it.

const (
	// maxSettings is the most that is kept of one user, in bytes of the archive.
	maxSettings = 16 << 20
	// settingsLimit is how long the script may take, of the machine's time.
	settingsLimit = time.Minute
	// settingsPause is how soon the script is looked at again in its first settingsHurry: most take a fraction of
	// a second, for which a user waits. Later the engine says when.
	settingsPause = 300 * time.Millisecond
	settingsHurry = 5 * time.Second
)

// errSettings says that there is more than is kept.
var errSettings = fmt.Errorf("the settings are more than %d MiB", maxSettings>>20)

//go:embed pool_settings.sh
var settingsScript string

// settingsFile is the archive's name on a desktop, settingsScript knows it too.
const settingsFile = ".carrel-settings"

func (r *Runner) sideOf(s *workspaces.PoolSession) sidechannel.Client {
	return sidechannel.Client{Dial: func(ctx context.Context) (net.Conn, error) { return r.Driver.DialSide(ctx, s.DesktopID) }}
}

// bringSettings puts what is kept of the user into the desktop.
func (r *Runner) bringSettings(ctx context.Context, s *workspaces.PoolSession) (again time.Time, err error) {
	if !s.Brought {
		var archive []byte
		err := r.Store.View(func(tx *store.Tx) (err error) {
			archive, err = tx.PoolSettings(ctx, s)
			return err
		})
		if err != nil {
			return time.Time{}, fmt.Errorf("%w: %w", errNotKnown, err)
		}
		if archive == nil {
			return time.Time{}, nil // it has been deleted since
		}
		// A call that died has left a whole file, and the script takes the one of this name.
		_, err = r.sideOf(s).Put(ctx, sidechannel.Desktop, settingsFile, bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			return time.Time{}, err
		}
		s.Brought = true
		if err := r.savePoolSession(ctx, s, s.Generation); err != nil {
			return time.Time{}, fmt.Errorf("%w: %w", errNotKnown, err)
		}
	}
	return r.runSettings(ctx, s, "bring")
}

// takeSettings returns what is to be kept of the user.
func (r *Runner) takeSettings(ctx context.Context, s *workspaces.PoolSession) (archive []byte, again time.Time, err error) {
	if again, err = r.runSettings(ctx, s, "take"); err != nil || !again.IsZero() {
		return nil, again, err
	}
	content, size, err := r.sideOf(s).Get(ctx, sidechannel.Desktop, settingsFile)
	if errors.Is(err, sidechannel.ErrNoFile) {
		err = fmt.Errorf("%w: %w", errSettings, err)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	defer content.Close()
	if size > maxSettings {
		return nil, time.Time{}, errSettings
	}
	archive, err = io.ReadAll(content)
	return archive, time.Time{}, err
}

// runSettings runs the script with a verb.
func (r *Runner) runSettings(ctx context.Context, s *workspaces.PoolSession, verb string) (again time.Time, err error) {
	again, err = r.Driver.Run(ctx, s.DesktopID, compute.Script{
		Name: "settings-" + verb, Text: settingsScript, Argument: verb, Limit: settingsLimit,
	})
	now := r.Clock.Now()
	if soon := now.Add(settingsPause); again.After(soon) && now.Sub(s.ChangedAt) < settingsHurry {
		again = soon
	}
	return again, err
}
