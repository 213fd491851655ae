package jobtest

import (
	"context"
	"time"

	"carrel/internal/job"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// UpdatesNote is the script of maintenance windows: it writes on the root volume.
const UpdatesNote = "printf updated >/root/note"

// maintenance is how WorkSpaces are maintained: two at a time, by the time of UTC.
func maintenance() job.Maintenance {
	return job.Maintenance{On: true, Windows: workspaces.MaintenanceWindows{Zone: time.UTC}, Script: UpdatesNote, Parallel: 2}
}

// Maintain has WorkSpaces maintained as a configuration says, from now on.
func (w *World) Maintain(change func(*job.Maintenance)) {
	change(&w.maintenance)
	w.Runner.Maintenance = w.maintenance
}

// MaintainDue begins the maintenance of what is due, as the loop of maintenances does.
func (w *World) MaintainDue() (next time.Time, waiting bool) {
	w.tb.Helper()
	next, waiting, err := w.Runner.MaintainDue(w.ctx)
	if err != nil {
		w.tb.Fatalf("%v", err)
	}
	return next, waiting
}

// LookAtMaintenance has the maintenance of a WorkSpace be due to be looked at.
func (w *World) LookAtMaintenance(id string) {
	w.tb.Helper()
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		return tx.PutOffMaintenance(ctx, Scope(), id, w.Clock.Now())
	})
}

// LastNight is the last of a month's window, a Sunday: whatever was not maintained before is due in it.
const LastNight = 13

// ToNight moves the clock to the night of that number, from 0, of the next window of a month that has not begun, when all slots of
// Sundays have passed.
func (w *World) ToNight(number int) {
	w.tb.Helper()
	now := w.Clock.Now().UTC()
	monday := now.AddDate(0, 0, 1)
	for monday.Weekday() != time.Monday || monday.Day() < 15 || monday.Day() > 21 {
		monday = monday.AddDate(0, 0, 1)
	}
	w.Advance(time.Date(monday.Year(), monday.Month(), monday.Day()+number, 3, 59, 0, 0, time.UTC).Sub(now))
}
