package workspaces_test

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"carrel/internal/workspaces"
)

// zones are those whose clocks do what others' do not: change at midnight, by half an hour, or not at all.
func zones() []string {
	return []string{
		"UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "America/Havana", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe",
		"Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Chatham", "America/Asuncion",
	}
}

func windowsIn(t interface {
	Helper()
	Fatal(args ...any)
}, name string,
) workspaces.MaintenanceWindows {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return workspaces.MaintenanceWindows{Zone: zone}
}

// night returns in which window a time is, by the day on which that begins, in which of its nights, and whether that is open.
func night(zone *time.Location, mode string, t time.Time) (begins string, night int, open bool) {
	t = t.In(zone)
	day := time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC)
	hours, nights := 5, 14
	first := day
	if mode == workspaces.AlwaysOn {
		hours, nights = 4, 1
		for first.Weekday() != time.Sunday {
			first = first.AddDate(0, 0, -1)
		}
	} else {
		for first.Weekday() != time.Monday || first.Day() < 15 || first.Day() > 21 {
			first = first.AddDate(0, 0, -1)
		}
	}
	night = int(day.Sub(first).Hours() / 24)
	return first.Format(time.DateOnly), night, night < nights && t.Hour() < hours
}

func TestMaintenanceWindows(t *testing.T) {
	t.Parallel()
	at := func(zone, text string) time.Time {
		t, err := time.ParseInLocation("2006-01-02 15:04", text, windowsIn(t, zone).Zone)
		if err != nil {
			panic(err)
		}
		return t
	}
	const long, berlin = "2020-01-01 00:00", "Europe/Berlin"
	// What is wanted is the own slot in the window that begins on a day, or one of the nights after that.
	for name, c := range map[string]struct {
		zone, mode, made, done, now, want string
	}{
		"before the window":           {"UTC", workspaces.AutoStop, long, "", "2026-03-02 10:00", "slot 2026-03-16"},
		"in it, before the slot":      {"UTC", workspaces.AutoStop, long, "", "2026-03-16 00:00", "slot 2026-03-16"},
		"before its first month":      {"UTC", workspaces.AutoStop, long, "", "2026-01-05 00:00", "slot 2026-01-19"},
		"done this month":             {"UTC", workspaces.AutoStop, long, "2026-03-17 01:00", "2026-03-17 02:00", "slot 2026-04-20"},
		"done before, far ahead":      {"UTC", workspaces.AutoStop, long, "2026-03-17 01:00", "2026-12-30 12:00", "night 2026-12-31"},
		"missed, window over":         {"UTC", workspaces.AutoStop, long, "", "2026-03-30 03:00", "slot 2026-04-20"},
		"missed, last night":          {"UTC", workspaces.AutoStop, long, "", "2026-03-29 04:59", "now"},
		"missed, by day":              {"UTC", workspaces.AutoStop, long, "", "2026-03-28 12:00", "night 2026-03-29"},
		"missed, last day":            {"UTC", workspaces.AutoStop, long, "", "2026-03-29 05:00", "slot 2026-04-20"},
		"several windows missed":      {"UTC", workspaces.AutoStop, long, "2025-11-18 00:30", "2026-03-29 00:00", "now"},
		"made in the window":          {"UTC", workspaces.AutoStop, "2026-03-17 10:00", "", "2026-03-29 00:00", "slot 2026-04-20"},
		"made six days before it":     {"UTC", workspaces.AutoStop, "2026-03-10 00:00", "", "2026-03-29 00:00", "slot 2026-04-20"},
		"made eight days before it":   {"UTC", workspaces.AutoStop, "2026-03-08 00:00", "", "2026-03-29 00:00", "now"},
		"never for others' to start":  {"UTC", workspaces.Manual, long, "", "2026-03-29 00:00", "never"},
		"clock went back":             {"UTC", workspaces.AutoStop, "2027-01-01 00:00", "2027-06-01 00:00", "2026-03-29 00:00", "now"},
		"a month that begins so":      {"UTC", workspaces.AutoStop, long, "", "2026-06-01 00:00", "slot 2026-06-15"}, // a Monday
		"the latest third Monday":     {"UTC", workspaces.AutoStop, long, "2026-06-16 01:00", "2026-06-16 01:00", "slot 2026-07-20"},
		"over new year":               {"UTC", workspaces.AutoStop, long, "", "2027-01-03 04:59", "now"},
		"within, over a month's end":  {"UTC", workspaces.AutoStop, long, "", "2026-09-01 00:00", "slot 2026-09-21"},
		"another zone":                {berlin, workspaces.AutoStop, long, "", "2026-03-02 10:00", "slot 2026-03-16"},
		"the clocks go forward":       {berlin, workspaces.AutoStop, long, "", "2026-03-29 03:00", "now"}, // 02:59 is an hour and a minute before
		"Sundays":                     {"UTC", workspaces.AlwaysOn, long, "", "2026-03-17 10:00", "slot 2026-03-22"},
		"on Sunday, missed":           {"UTC", workspaces.AlwaysOn, long, "", "2026-03-22 03:59", "now"},
		"on Sunday, too late":         {"UTC", workspaces.AlwaysOn, long, "", "2026-03-22 04:00", "slot 2026-03-29"},
		"on Sunday, done":             {"UTC", workspaces.AlwaysOn, long, "2026-03-22 01:00", "2026-03-22 02:00", "slot 2026-03-29"},
		"Sunday at the end of summer": {berlin, workspaces.AlwaysOn, long, "", "2026-10-25 03:59", "now"},
		"too young for this Sunday":   {"UTC", workspaces.AlwaysOn, "2026-03-18 00:00", "", "2026-03-18 00:00", "slot 2026-03-29"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := workspaces.Upkeep{ID: "ws-123456789", RunningMode: c.mode, CreatedAt: at(c.zone, c.made)}
			if c.done != "" {
				u.MaintainedAt = at(c.zone, c.done)
			}
			now, zone := at(c.zone, c.now), windowsIn(t, c.zone)
			next := zone.Next(u, now)
			begins, _, open := night(zone.Zone, c.mode, next)
			got := "never"
			switch {
			case next.IsZero():
			case next.Equal(now):
				got = "now"
			case begins > c.now || zone.Next(workspaces.Upkeep{ID: u.ID, RunningMode: c.mode, CreatedAt: at("UTC", long)}, at("UTC", begins+" 00:00")).Equal(next):
				got = "slot " + begins
			default:
				got = "night " + next.In(zone.Zone).Format(time.DateOnly)
			}
			if got != c.want || got != "never" && !open {
				t.Errorf("%s, %v, not %s (open: %v)", got, next, c.want, open)
			}
		})
	}
}

// TestMaintenanceOnceInAWindow lives through a year or two, looking as often as the loop would: whatever the zone and the id, each
// WorkSpace is maintained in the right nights, once in each window, and not at all while it is too young.
func TestMaintenanceOnceInAWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		windows := windowsIn(t, rapid.SampledFrom(zones()).Draw(t, "zone"))
		mode := rapid.SampledFrom([]string{workspaces.AutoStop, workspaces.AlwaysOn}).Draw(t, "mode")
		start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 3*365*24*60).Draw(t, "minute")) * time.Minute)
		u := workspaces.Upkeep{ID: fmt.Sprintf("ws-%09d", rapid.IntRange(0, 1<<20).Draw(t, "id")), RunningMode: mode, CreatedAt: start}
		before, now := "", start
		for range 30 {
			next := windows.Next(u, now)
			if next.Before(now) || next.Sub(now) > 60*24*time.Hour {
				t.Fatalf("after %v comes %v", now, next)
			}
			begins, which, open := night(windows.Zone, mode, next)
			if !open || begins <= before || next.Sub(u.CreatedAt) < workspaces.MaintainedFrom {
				t.Fatalf("%v is in the night %d of %s, open: %v; the last was in %q", next.In(windows.Zone), which, begins, open, before)
			}
			if mode == workspaces.AutoStop && which >= 12 {
				t.Fatalf("the slot %v is in the night %d, which is for those who missed theirs", next.In(windows.Zone), which)
			}
			if again := windows.Next(u, next); !again.Equal(next) {
				t.Fatalf("at %v it is put off to %v", next, again)
			}
			if other := windows.NextNight(u, next); mode == workspaces.AutoStop {
				if same, nights, open := night(windows.Zone, mode, other); same != begins || nights <= which || !open {
					t.Fatalf("who is put off at %v is at it at %v", next.In(windows.Zone), other.In(windows.Zone))
				}
			}
			before, u.MaintainedAt = begins, next
			now = next.Add(time.Duration(rapid.IntRange(0, 24*60).Draw(t, "later")) * time.Minute)
		}
	})
}

// TestMaintenanceAfterAJump moves the clock anywhere: it is maintained once, in the first night that is open then, or at its slot.
func TestMaintenanceAfterAJump(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		windows := windowsIn(t, rapid.SampledFrom(zones()).Draw(t, "zone"))
		mode := rapid.SampledFrom([]string{workspaces.AutoStop, workspaces.AlwaysOn}).Draw(t, "mode")
		minutes := func(label string) time.Time {
			return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 3*365*24*60).Draw(t, label)) * time.Minute)
		}
		u := workspaces.Upkeep{ID: fmt.Sprintf("ws-%09d", rapid.IntRange(0, 1<<20).Draw(t, "id")), RunningMode: mode, CreatedAt: minutes("created"), MaintainedAt: minutes("maintained")}
		now := minutes("now")
		next := windows.Next(u, now)
		begins, _, open := night(windows.Zone, mode, next)
		if next.Before(now) || next.Sub(now) > 60*24*time.Hour || !open {
			t.Fatalf("after %v comes %v, open: %v", now, next, open)
		}
		u.MaintainedAt = next
		if after, _, _ := night(windows.Zone, mode, windows.Next(u, next)); after <= begins {
			t.Fatalf("it is maintained twice in %s", begins)
		}
	})
}

// TestMaintenanceIsSpread has the WorkSpaces of a large installation not be maintained all at once.
func TestMaintenanceIsSpread(t *testing.T) {
	t.Parallel()
	windows := workspaces.MaintenanceWindows{Zone: time.UTC}
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	nights, minutes := make(map[int]int), make(map[time.Time]int)
	const n = 12_000
	for i := range n {
		next := windows.Next(workspaces.Upkeep{ID: fmt.Sprintf("ws-%09d", i), RunningMode: workspaces.AutoStop, CreatedAt: now.AddDate(-1, 0, 0)}, now)
		_, which, _ := night(time.UTC, workspaces.AutoStop, next)
		nights[which]++
		minutes[next]++
	}
	for which, got := range nights {
		if got < n/12*8/10 || got > n/12*12/10 {
			t.Errorf("%d in the night %d of %d", got, which, len(nights))
		}
	}
	for at, got := range minutes {
		if got > 20 { // four to be expected
			t.Errorf("%d at %v", got, at)
		}
	}
}
