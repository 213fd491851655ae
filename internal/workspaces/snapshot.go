package workspaces

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

// SnapshotEvery is how often the volumes of a WorkSpace are kept, of the clock's time.
// Source: the administration guide on restoring and rebuilding (spec, section E).
const SnapshotEvery = 12 * time.Hour

// SnapshotState is where a snapshot is in its life.
type SnapshotState string

// The states of a snapshot. A row comes before what the engine has, and goes after it.
const (
	SnapshotPending   SnapshotState = "PENDING"   // the engine has it, a part of it, or nothing
	SnapshotRedo      SnapshotState = "REDO"      // what the engine has of it is too old: to be removed and taken anew
	SnapshotAvailable SnapshotState = "AVAILABLE" // complete
	SnapshotDropping  SnapshotState = "DROPPING"  // a newer one is complete, and the engine is to remove it
)

// Snapshot is what was on a WorkSpace's volumes at one time.
type Snapshot struct {
	Seq        int64 // the order in which a WorkSpace's snapshots were begun
	Name       string
	TakenAt    time.Time
	Root       bool // of the root volume too; of the user volume always
	State      SnapshotState
	Generation int64 // the WorkSpace's when it was begun: what happened since is not in it
}

// Snapshots are all that a WorkSpace has, in the order of their Seq.
type Snapshots []Snapshot

// ForRebuild returns the snapshot whose user volume a rebuild takes: the latest.
func (all Snapshots) ForRebuild() (Snapshot, bool) {
	return all.last(func(s Snapshot) bool { return s.State == SnapshotAvailable })
}

// ForRestore returns the snapshot that a restore takes: the latest of a sound root volume.
func (all Snapshots) ForRestore() (Snapshot, bool) {
	return all.last(func(s Snapshot) bool { return s.State == SnapshotAvailable && s.Root })
}

// Unfinished returns the snapshot that is being taken.
func (all Snapshots) Unfinished() (Snapshot, bool) {
	return all.last(func(s Snapshot) bool { return s.State == SnapshotPending || s.State == SnapshotRedo })
}

// Outdated returns the complete ones that nothing would be made from any more.
func (all Snapshots) Outdated() Snapshots {
	rebuild, _ := all.ForRebuild()
	restore, _ := all.ForRestore()
	return all.those(func(s Snapshot) bool {
		return s.State == SnapshotAvailable && s.Seq != rebuild.Seq && s.Seq != restore.Seq
	})
}

// Dropping returns those that the engine is to remove.
func (all Snapshots) Dropping() Snapshots {
	return all.those(func(s Snapshot) bool { return s.State == SnapshotDropping })
}

func (all Snapshots) those(are func(Snapshot) bool) Snapshots {
	return slices.DeleteFunc(slices.Clone(all), func(s Snapshot) bool { return !are(s) })
}

func (all Snapshots) last(is func(Snapshot) bool) (Snapshot, bool) {
	for _, s := range slices.Backward(all) {
		if is(s) {
			return s, true
		}
	}
	return Snapshot{}, false
}

// Keeps reports whether WorkSpaces in a state are kept in automatic snapshots, and whether
// with their root volume: that of an unhealthy one may be what is wrong with it. One that is
// locked for maintenance is kept when the lock has ended.
func (s State) Keeps() (root, keeps bool) {
	return ActionKeep.Allowed(s), ActionKeep.Allowed(s) || ActionKeepUser.Allowed(s)
}

// unfinishedFor is how long a snapshot may be on its way before it would be too far from the
// time that it carries.
const unfinishedFor = 10 * time.Minute

// BeginSnapshot returns the snapshot that is to be taken now: the one that is on its way
// already, unless something has happened to the WorkSpace since.
func (w *WorkSpace) BeginSnapshot(all Snapshots, root bool, now time.Time) Snapshot {
	s, found := all.Unfinished()
	age := now.Sub(s.TakenAt)
	switch {
	case !found:
		var seq int64 = 1
		if len(all) > 0 {
			seq = all[len(all)-1].Seq + 1
		}
		s = Snapshot{Seq: seq, Name: fmt.Sprintf("s-%s-%d", now.Format("20060102t150405"), seq), State: SnapshotPending}
	case s.Generation == w.Generation && s.Root == root && age >= 0 && age < unfinishedFor:
		return s
	default:
		s.State = SnapshotRedo
	}
	s.TakenAt, s.Root, s.Generation = now, root, w.Generation
	return s
}

// ScheduleSnapshot sets when a WorkSpace that was just made, or made anew, is first kept: soon, and
// not all that were made together at once.
func (w *WorkSpace) ScheduleSnapshot(l Limits, now time.Time) {
	if w.Standby {
		return // it can be neither rebuilt nor restored, and its primary is kept
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(w.ID)) // a hash takes everything
	quarter := l.FirstSnapshot / 4
	w.NextSnapshotAt = now.Add(quarter + 2*quarter/1000*time.Duration(h.Sum32()%1000))
}
