package workspaces

import "time"

// Migrate begins to migrate the WorkSpace to another bundle. It returns the WorkSpace that takes its
// place once it is AVAILABLE, which still lacks an address, and the snapshot that is to be taken for it.
// Errors: CodeInvalidParameter, CodeInvalidState, CodeInProgress.
// Source: MigrateWorkspace and the table of volumes in spec, section E.
func (w *WorkSpace) Migrate(c *Chance, b Bundle, all Snapshots, now time.Time) (target *WorkSpace, from Snapshot, err error) {
	if b.ID == w.BundleID {
		return nil, from, Errorf(CodeInvalidParameter, "The WorkSpace %s has the bundle %s already.", w.ID, b.ID)
	}
	if a, _ := w.Running(); a == ActionMigrate {
		return nil, from, Errorf(CodeInProgress, "The WorkSpace %s is being migrated already.", w.ID).About(w.ID)
	}
	p := w.Properties
	p.ComputeType, p.Protocols, p.OperatingSystem = b.ComputeType, []string{b.Protocol}, b.OS
	p.RootGiB, p.UserGiB = max(p.RootGiB, b.RootGiB), max(p.UserGiB, b.UserGiB)
	target = &WorkSpace{
		Scope: w.Scope, ID: NewWorkSpaceID(c), DirectoryID: w.DirectoryID, UserName: w.UserName, Name: w.Name, BundleID: b.ID, Image: b.Image,
		Properties: p, RootEncrypted: w.RootEncrypted, UserEncrypted: w.UserEncrypted, EncryptionKey: w.EncryptionKey,
		ComputerName: NewComputerName(c), CreatedAt: now, StandIn: true,
	}
	if err := target.Begin(ActionCreate, now); err != nil {
		return nil, from, err
	}
	if err := w.Begin(ActionMigrate, now); err != nil {
		return nil, from, err
	}
	from = w.BeginSnapshot(all, false, now)
	w.FromSnapshot, w.Migrating = from.Name, target.ID
	target.Migrating, target.Deadline = w.ID, w.Deadline
	return target, from, nil
}

// IsMigratedTo reports whether the WorkSpace is at this moment being migrated to the other.
func (w *WorkSpace) IsMigratedTo(target *WorkSpace) bool {
	a, _ := w.Running()
	return a == ActionMigrate && w.Migrating == target.ID && target.Migrating == w.ID
}

// Migration is the two WorkSpaces of a migration that is under way.
type Migration struct {
	Source *WorkSpace // nil: it is not there any more, or has nothing to do with it any more
	Target *WorkSpace // likewise
}

// MigrationOf returns the migration of a WorkSpace that has one, with the other that it names,
// nil where that is gone.
func MigrationOf(w, other *WorkSpace) Migration {
	if a, _ := w.Running(); a == ActionMigrate {
		if other == nil || !w.IsMigratedTo(other) {
			other = nil
		}
		return Migration{Source: w, Target: other}
	}
	if other == nil || !other.IsMigratedTo(w) {
		other = nil
	}
	return Migration{Source: other, Target: w}
}

// Succeed makes the target its user's, AVAILABLE, and terminates the source. Where there is no
// source any more, it has failed.
func (m Migration) Succeed(l Limits, now time.Time) error {
	if m.Source == nil || m.Target == nil {
		return m.Fail("", now)
	}
	if err := m.Source.Begin(ActionTerminate, now); err != nil {
		return err
	}
	m.Target.Finish(now)
	m.Target.StandIn, m.Source.StandIn = m.Source.StandIn, true
	m.Target.ScheduleSnapshot(l, now)
	return nil
}

// Fail returns the source to the state that it had, with the reason, and terminates the target.
func (m Migration) Fail(why string, now time.Time) error {
	if m.Source != nil {
		m.Source.Fail(now, "MigrationFailed", why)
	}
	if m.Target != nil {
		return m.Target.Begin(ActionTerminate, now)
	}
	return nil
}
