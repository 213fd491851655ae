package workspaces

import (
	"hash/fnv"
	"time"
)

// MaintenanceWindows are the times at which WorkSpaces are maintained, in the time zone of their region.
//
// Those that stop are maintained once a month, in one of the nights of the two weeks that begin on the third Monday,
// from 00:00 to 05:00; those that are always on every Sunday from 00:00 to 04:00. Each has a slot of its own, spread by
// its id, so that not all are at it at once. Who misses it has the rest of the window.
// Source: the Administration Guide on WorkSpace maintenance.
type MaintenanceWindows struct{ Zone *time.Location }

const (
	monthlyNights, monthlyHours = 14, 5
	weeklyHours                 = 4
	// monthlySlots is in how many of the nights there are slots: the last two are for whoever missed theirs.
	monthlySlots = 12
	// MaintainedFrom is how old a WorkSpace is at least when a window begins in which it is maintained. Source: as above.
	MaintainedFrom = 7 * 24 * time.Hour
	// untilDay is longer than any night is open, also where the clocks go back in it, and ends before the next.
	untilDay = 6 * time.Hour
)

// Upkeep is what decides when a WorkSpace is maintained.
type Upkeep struct {
	ID           string
	RunningMode  string
	CreatedAt    time.Time
	MaintainedAt time.Time // zero: never
}

// Next returns when a WorkSpace is to be maintained next: now, where its slot has passed and its window is open, or a
// time to come; the zero time for one that is started and stopped by others alone. However many windows have passed
// without it, it is maintained once.
func (v MaintenanceWindows) Next(u Upkeep, now time.Time) time.Time {
	if u.RunningMode == Manual {
		return time.Time{}
	}
	// What lies ahead was written before the clock went back, and does not count.
	var since time.Time
	if !u.CreatedAt.After(now) {
		since = u.CreatedAt.Add(MaintainedFrom)
	}
	if !u.MaintainedAt.After(now) && u.MaintainedAt.After(since) {
		since = u.MaintainedAt
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(u.ID)) // a hash takes everything
	for w := v.around(u.RunningMode, now); ; w = w.next() {
		if !since.Before(w.begins()) {
			continue // it was maintained in this one, or is too young for it
		}
		night, minute := w.slot(h.Sum64())
		if slot := w.at(night, minute); slot.After(now) {
			return slot
		}
		if w.isOpen(now) {
			return now
		}
		for night := range w.nights {
			if t := w.at(night, minute); t.After(now) {
				return t
			}
		}
	}
}

// NextNight is Next for one that is not to be maintained any more in the night that it is.
func (v MaintenanceWindows) NextNight(u Upkeep, now time.Time) time.Time {
	return v.Next(u, now.Add(untilDay))
}

// window is one of the MaintenanceWindows. Its days are those of the zone's calendar, at noon of UTC, where no clocks are changed.
type window struct {
	zone          *time.Location
	first         time.Time // the day of its first night
	nights, slots int
	hours         int
	monthly       bool
}

// around returns the window that a time is in or, between two, the one before.
func (v MaintenanceWindows) around(mode string, t time.Time) window {
	year, month, day := t.In(v.Zone).Date()
	today := noon(year, month, day)
	if mode == AlwaysOn {
		return window{zone: v.Zone, first: today.AddDate(0, 0, -int(today.Weekday())), nights: 1, slots: 1, hours: weeklyHours}
	}
	w := window{zone: v.Zone, first: thirdMonday(year, month), nights: monthlyNights, slots: monthlySlots, hours: monthlyHours, monthly: true}
	if w.first.After(today) {
		w.first = thirdMonday(year, month-1)
	}
	return w
}

// next returns the window after this one.
func (w window) next() window {
	if w.monthly {
		w.first = thirdMonday(w.first.Year(), w.first.Month()+1)
	} else {
		w.first = w.first.AddDate(0, 0, 7)
	}
	return w
}

func noon(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
}

func thirdMonday(year int, month time.Month) time.Time {
	first := noon(year, month, 1)
	return first.AddDate(0, 0, int(7+time.Monday-first.Weekday())%7+14)
}

// begins is the first moment of the window.
func (w window) begins() time.Time { return w.at(0, 0) }

// slot spreads by a hash: all but the last hour of a night, so that most of what begins late ends in it.
func (w window) slot(hash uint64) (night, minute int) {
	nights, minutes := uint64(w.slots), uint64(w.hours-1)*60 //nolint:gosec // both are small and above zero
	return int(hash % nights), int(hash / nights % minutes)  //nolint:gosec // likewise
}

// at returns the time so many minutes after midnight of a night. Where the clocks are put forward over it, it is the
// first time after that is open.
func (w window) at(night, minute int) time.Time {
	day := w.first.AddDate(0, 0, night)
	t := time.Date(day.Year(), day.Month(), day.Day(), 0, minute, 0, 0, w.zone)
	for range 24 * 4 {
		if w.isOpen(t) {
			break
		}
		t = t.Add(15 * time.Minute)
	}
	return t
}

// isOpen reports whether it is one of the window's nights.
func (w window) isOpen(t time.Time) bool {
	t = t.In(w.zone)
	year, month, day := t.Date()
	night := int(noon(year, month, day).Sub(w.first).Hours()) / 24
	return t.Hour() < w.hours && night >= 0 && night < w.nights
}

// Maintain begins to keep a WorkSpace up to date: one that is stopped is started for it, in the state MAINTENANCE, and
// stopped again; in one that runs it is done beside its state. Errors: CodeInvalidState, CodeInProgress.
func (w *WorkSpace) Maintain(now time.Time) error {
	action := ActionMaintain
	if ActionUpdate.Allowed(w.State) {
		action = ActionUpdate
	}
	if err := w.Begin(action, now); err != nil {
		return err
	}
	w.ErrorCode, w.ErrorMessage = "", ""
	return nil
}

// IsMaintained reports whether what is running is maintenance.
func (w *WorkSpace) IsMaintained() bool {
	a, _ := w.Running()
	return a == ActionMaintain || a == ActionUpdate
}

// Upkeep returns what decides when the WorkSpace is maintained.
func (w *WorkSpace) Upkeep(maintained time.Time) Upkeep {
	return Upkeep{ID: w.ID, RunningMode: w.Properties.RunningMode, CreatedAt: w.CreatedAt, MaintainedAt: maintained}
}
