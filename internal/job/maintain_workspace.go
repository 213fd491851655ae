package job

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"carrel/internal/compute"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Keeping a WorkSpace up to date in its maintenance window. One that is stopped is started for it, in MAINTENANCE, and takes
// all steps; one that runs takes 1, 3 and 5 beside its state, and those who use it go on.
//
//	1  begin, some at a time, and write when to look again         undo: none; it is begun again in the next night
//	2  start the desktop                                           undo: 4
//	3  run the script, which is known by a name of its own         undo: 4; else the script's own
//	4  stop the desktop                                            undo: none; giving up is ERROR, as for StopWorkspaces
//	5  the state as before, and when it is maintained next; reboot what runs, where that is asked for and nobody is connected
//
// DescribeWorkspaces shows what went wrong. A script that fails has had its turn; where the engine fails or has no room there is
// another night.

// Maintenance says whether and how WorkSpaces are maintained.
type Maintenance struct {
	On       bool
	Windows  workspaces.MaintenanceWindows
	Script   string        // for the desktop's shell
	Limit    time.Duration // how long it may take, of the machine's time; 0: compute.MaxRun
	Parallel int           // how many WorkSpaces are maintained at once, in all processes together
	Reboot   bool          // what is always on is rebooted afterwards, where nobody is connected
}

const (
	// looksTogether is at how many maintenances one transaction looks.
	looksTogether = 100
	// busyPause is how long a WorkSpace is left alone in which something else is going on.
	busyPause = 30 * time.Minute
	// The phases of one that is started for it.
	upkeepStarted = 1
	upkeepRun     = 2
)

// MaintainDue begins the maintenance of what is due, as far as there is room, and returns when to look again: the zero
// time where nothing is to come. Where waiting is true, there is more that waits for room.
func (r *Runner) MaintainDue(ctx context.Context) (next time.Time, waiting bool, err error) {
	for {
		var running int
		err := r.Store.View(func(tx *store.Tx) error {
			if next, err = tx.NextMaintenance(ctx); err == nil {
				running, err = tx.CountMaintained(ctx)
			}
			return err
		})
		if err != nil || next.IsZero() || next.After(r.Clock.Now()) {
			return next, false, err
		}
		var begun []workspaces.Ref
		if running < r.Maintenance.Parallel {
			err = r.Store.Update(ctx, func(tx *store.Tx) error {
				if running, err = tx.CountMaintained(ctx); err != nil {
					return err
				}
				if begun, err = r.beginMaintenances(ctx, tx, r.Maintenance.Parallel-running); err != nil {
					return err
				}
				return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: begun})
			})
		}
		if err != nil {
			return next, false, err
		}
		for _, ref := range begun {
			r.Log.InfoContext(ctx, "maintaining a WorkSpace", "id", ref.ID)
		}
		if running+len(begun) >= r.Maintenance.Parallel {
			return next, true, nil
		}
	}
}

// beginMaintenances takes step 1 for as many as there is room for, and puts off those for which it is no time.
func (r *Runner) beginMaintenances(ctx context.Context, tx *store.Tx, room int) (begun []workspaces.Ref, err error) {
	now := r.Clock.Now()
	due, err := tx.MaintenancesDue(ctx, now, looksTogether)
	if err != nil {
		return nil, err
	}
	for _, d := range due {
		at, err := r.maintenanceTime(ctx, tx, d, now)
		if err != nil {
			return nil, err
		}
		if at.IsZero() || at.After(now) {
			if err := tx.PutOffMaintenance(ctx, d.Scope, d.ID, at); err != nil {
				return nil, err
			}
			continue
		}
		if len(begun) >= room {
			continue // it stays due
		}
		read := d.Generation
		if err := d.Maintain(now); err != nil {
			return nil, err
		}
		saved, err := tx.SaveWorkSpace(ctx, d.WorkSpace, read)
		if err == nil {
			err = tx.PutOffMaintenance(ctx, d.Scope, d.ID, r.Maintenance.Windows.NextNight(d.Upkeep(d.MaintainedAt), now))
		}
		if err != nil {
			return nil, err
		}
		if saved {
			begun = append(begun, d.Ref())
		}
	}
	return begun, nil
}

// maintenanceTime returns when a WorkSpace is to be maintained, and now only where nothing stands in the way; the zero
// time is never.
func (r *Runner) maintenanceTime(ctx context.Context, tx *store.Tx, d store.DueMaintenance, now time.Time) (time.Time, error) {
	windows := r.Maintenance.Windows
	at := windows.Next(d.Upkeep(d.MaintainedAt), now)
	if at.IsZero() || at.After(now) {
		return at, nil
	}
	registration, found, err := tx.WorkspaceDirectory(ctx, d.Scope, d.DirectoryID)
	if err != nil {
		return at, err
	}
	if found && !registration.Settings.Creation.MaintenanceMode {
		return windows.Next(d.Upkeep(now), now), nil // as if it had been maintained
	}
	busy := d.Aside != "" || !workspaces.ActionMaintain.Allowed(d.State) && !workspaces.ActionUpdate.Allowed(d.State)
	if !busy {
		deployment, found, err := tx.Deployment(ctx, d.Scope, d.ID)
		if err != nil {
			return at, err
		}
		busy = found && !deployment.WakeAt.IsZero() // a desktop runs one script at a time
	}
	if busy {
		return windows.Next(d.Upkeep(d.MaintainedAt), now.Add(busyPause)), nil
	}
	return at, nil
}

// maintainWorkSpace takes steps 2 to 4.
func (r *Runner) maintainWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (again time.Time, err error) {
	switch w.Phase {
	case upkeepStarted:
		if again, err = r.updateWorkSpace(ctx, w); errors.Is(err, compute.ErrNotRunning) {
			w.Phase = 0 // it went away; the script is run anew
		}
	case upkeepRun:
		return r.Driver.Stop(ctx, w.ID)
	default:
		again, err = r.Driver.Start(ctx, w.ID)
	}
	if err != nil || !again.IsZero() {
		return again, err
	}
	w.Phase++
	return r.Clock.Now(), nil
}

// stopAnyway has a desktop be stopped whose start or script was given up, and notes why.
func (r *Runner) stopAnyway(ctx context.Context, w *workspaces.WorkSpace, failed error) (again time.Time, err error) {
	if w.Phase == upkeepRun {
		return time.Time{}, failed
	}
	r.Log.WarnContext(ctx, "a maintenance does not succeed", "id", w.ID, "error", failed)
	now := r.Clock.Now()
	w.ErrorCode, w.ErrorMessage = explain(failed)
	w.Phase, w.Attempts, w.Deadline = upkeepRun, 0, now.Add(workspaces.ActionStop.Lookup().Within)
	return now, nil
}

// updateWorkSpace takes step 3. Each maintenance has a run of its own, by when it began.
func (r *Runner) updateWorkSpace(ctx context.Context, w *workspaces.WorkSpace) (again time.Time, err error) {
	return r.Driver.Run(ctx, w.ID, compute.Script{
		Name: "maintenance-" + w.ChangedAt.UTC().Format("20060102t150405"), Text: r.Maintenance.Script, Limit: r.Maintenance.Limit,
	})
}

// said is what a script that failed said last.
func said(err error) string {
	_, said, _ := strings.Cut(err.Error(), compute.ErrScript.Error()+": ")
	return cmp.Or(said, "the script failed and said nothing")
}

// maintenanceFailed is the ErrorCode of a WorkSpace whose script has failed.
const maintenanceFailed = "MaintenanceFailed"

// endMaintenance takes step 5 for a WorkSpace that has come to rest, and has been written.
func (r *Runner) endMaintenance(ctx context.Context, tx *store.Tx, ended *workspaces.WorkSpace) error {
	if ended.ErrorCode != "" && ended.ErrorCode != maintenanceFailed {
		return nil // step 1 has written that there is another night
	}
	now := r.Clock.Now()
	if err := tx.NoteMaintenance(ctx, ended.Scope, ended.ID, now, r.Maintenance.Windows.Next(ended.Upkeep(now), now)); err != nil {
		return err
	}
	if ended.ErrorCode != "" || !r.Maintenance.Reboot || ended.Properties.RunningMode != workspaces.AlwaysOn {
		return nil
	}
	connections, err := tx.Connections(ctx, ended.Scope, []string{ended.ID})
	if err != nil || connections[ended.ID].Connected {
		return err
	}
	w, found, err := tx.WorkSpace(ctx, ended.Scope, ended.ID)
	if err != nil || !found || !workspaces.ActionReboot.Allowed(w.State) {
		return err
	}
	read := w.Generation
	if err := w.Begin(workspaces.ActionReboot, now); err != nil {
		return err
	}
	if saved, err := tx.SaveWorkSpace(ctx, w, read); err != nil || !saved {
		return err
	}
	return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: []workspaces.Ref{w.Ref()}})
}
