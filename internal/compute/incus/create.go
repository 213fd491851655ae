package incus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lxc/incus/v6/shared/api"
	"golang.org/x/sync/errgroup"

	"carrel/internal/compute"
)

const (
	// answerPatience is how long a call waits for a screen before it hands its worker
	// back. Nearly every screen answers within it.
	answerPatience = 10 * time.Second
	answerPause    = time.Second
	// answerLimit is how long after its start a screen that has not answered is
	// taken for broken.
	answerLimit = 2 * time.Minute
	// answerPoll is how often a screen that is about to come up is tried.
	answerPoll = 10 * time.Millisecond
)

// Create makes the desktop in five steps, each of which is skipped where it is done:
//
//  1. the subnet's network and, beside it, the user volume, which may be made from another's
//  2. what the network holds the desktop to
//  3. the instance, which Incus makes and starts in one operation
//  4. a start, where the instance stands still
//  5. the screen's greeting
//
// There is no undo: after an error the caller calls Create or Delete again, and both
// continue from what is there.
func (d *Driver) Create(ctx context.Context, desktop compute.Desktop) (again time.Time, err error) {
	if err := d.check(desktop); err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.booting)
	if release == nil {
		return again, err
	}
	defer release()

	instance, err := d.unfinished(ctx, desktop.ID)
	switch {
	case err != nil:
	case instance == nil:
		err = d.build(ctx, desktop, nil)
	case !active(instance):
		err = d.start(ctx, desktop.ID)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("create %s: %w", desktop.ID, err)
	}
	return d.answer(ctx, desktop.ID)
}

// unfinished returns the desktop's instance if a call before made one that can be
// continued with, else nil.
func (d *Driver) unfinished(ctx context.Context, id string) (*api.Instance, error) {
	if err := d.client.settle(ctx, about(id)); err != nil {
		return nil, err
	}
	instance, err := d.instance(ctx, id)
	switch {
	case missing(err):
		return nil, nil // the usual case
	case err != nil:
		return nil, err
	case active(instance) || ran(instance):
		return instance, nil
	}
	// It never ran: Incus may have died while it was unpacking the image, and nobody
	// has put anything on its disk.
	d.log.InfoContext(ctx, "making a half-made desktop anew", "desktop", id)
	return nil, d.removeInstance(ctx, id)
}

// build makes and starts what is missing of the desktop. Its instance carries the tags.
func (d *Driver) build(ctx context.Context, desktop compute.Desktop, tags map[string]string) error {
	fingerprint, err := d.image(ctx, desktop.Image)
	if err != nil {
		return err
	}
	var (
		card map[string]string
		home *userVolume
	)
	both, bothCtx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		home, err = d.makeHome(bothCtx, desktop)
		return err
	})
	both.Go(func() (err error) {
		card, err = d.card(bothCtx, desktop)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	if err := d.hold(ctx, desktop); err != nil {
		d.forgetNetwork(desktop.Subnet)
		return err
	}
	request := d.instanceRequest(desktop, fingerprint, card, home.pool)
	maps.Copy(request.Config, tags)
	err = d.client.change(ctx, http.MethodPost, "/instances", request)
	if err == nil {
		err = d.hold(ctx, desktop) // another process's change of the list may have undone it
	}
	if err != nil {
		d.forgetNetwork(desktop.Subnet)
	}
	return unlucky(err)
}

// unlucky is for what was refused only because something that it stands on went away
// meanwhile, or a dead process's own request reached Incus after we had looked: the next
// call sees how it stands.
func unlucky(err error) error {
	if missing(err) || conflicts(err) {
		return fmt.Errorf("%w: %s", compute.ErrFailed, err.Error())
	}
	return err
}

// image returns the fingerprint of the image with the alias.
func (d *Driver) image(ctx context.Context, alias string) (string, error) {
	var entry api.ImageAliasesEntry
	err := d.client.get(ctx, "/images/aliases/"+url.PathEscape(alias), &entry)
	if missing(err) {
		return "", fmt.Errorf("%w: %s", compute.ErrImage, alias)
	}
	return entry.Target, err
}

// answer waits until the desktop's screen has greeted.
func (d *Driver) answer(ctx context.Context, id string) (again time.Time, err error) {
	patience, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	for {
		instance, err := d.instance(ctx, id)
		if err != nil {
			return time.Time{}, fmt.Errorf("start %s: %w", id, err)
		}
		if !active(instance) {
			return time.Time{}, d.failed(ctx, id, "the desktop stopped as soon as it was started")
		}
		if d.greeted(patience, instance) {
			return time.Time{}, nil
		}
		switch {
		case ctx.Err() != nil:
			return time.Time{}, fmt.Errorf("start %s: %w", id, unavailable(ctx.Err()))
		case patience.Err() == nil: // it has just stopped, or started anew: look again
		case d.real.Now().Sub(instance.LastUsedAt) > answerLimit:
			return time.Time{}, d.failed(ctx, id, "the desktop runs, but its screen does not answer")
		default:
			return d.soon(ctx, answerPause), nil
		}
	}
}

// greeted polls the screen until it greets, the desktop stops or the context ends.
func (d *Driver) greeted(ctx context.Context, instance *api.Instance) bool {
	for {
		err := d.greet(ctx, instance)
		if err == nil {
			return true
		}
		if d.real.Sleep(ctx, answerPoll) != nil || errors.Is(err, compute.ErrNotRunning) {
			return false
		}
	}
}

// failed describes a desktop that came to nothing, in its own last words.
func (d *Driver) failed(ctx context.Context, id, what string) error {
	const lines = 12
	said := strings.Split(strings.TrimSpace(d.console(ctx, id)), "\n")
	said = said[max(0, len(said)-lines):]
	return fmt.Errorf("%w: %s: %s; its last words: %q", compute.ErrFailed, id, what, strings.Join(said, "\n"))
}

// console returns what the first process of a desktop wrote, or else LXC's own log.
func (d *Driver) console(ctx context.Context, id string) string {
	const attempts = 20
	for range attempts {
		text, err := d.client.text(ctx, "/instances/"+id+"/console")
		if err == nil && text != "" {
			return text
		}
		// While LXC takes a dead container apart, it cannot tell what that wrote.
		if d.real.Sleep(ctx, 100*time.Millisecond) != nil {
			break
		}
	}
	text, err := d.client.text(ctx, "/instances/"+id+"/logs/lxc.log")
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	return text
}

// active tells whether the instance has processes.
func active(instance *api.Instance) bool {
	switch instance.StatusCode {
	case api.Running, api.Frozen, api.Freezing, api.Thawed, api.Starting, api.Stopping:
		return true
	default:
		return false
	}
}

// ran tells whether the instance was ever started.
func ran(instance *api.Instance) bool { return instance.LastUsedAt.Unix() > 0 }
