package workspaces

import "time"

// PoolDesktop is one desktop of a pool. It is made, waits for a user, is theirs for a session, and is
// removed; its volumes go with it. The id is chosen and written before the engine hears of it.
type PoolDesktop struct {
	Scope
	ID            string
	Number        int64 // in its pool, from 1 on; 0 where nobody counted
	PoolID        string
	DirectoryID   string
	Design        PoolDesign
	SubnetID      string
	AddressOffset int64 // of Address within the subnet
	Address       string
	ComputerName  string

	State      PoolDesktopState
	Generation int64
	ChangedAt  time.Time
	Deadline   time.Time // when making it is given up; zero otherwise
	WakeAt     time.Time
	Attempts   int

	left []PoolStay // see Left
}

// PoolDesktopState is where a pool's desktop is in its life. No operation shows it.
type PoolDesktopState string

// The states.
const (
	PoolDesktopMaking   PoolDesktopState = "MAKING"
	PoolDesktopReady    PoolDesktopState = "READY"
	PoolDesktopInUse    PoolDesktopState = "IN_USE" // a session's
	PoolDesktopRemoving PoolDesktopState = "REMOVING"
)

// poolDesktopWork is how long a desktop may be in the making, as long as a WorkSpace.
const poolDesktopWork = 20 * time.Minute

// NewPoolDesktop makes the next desktop of a pool, still to be made on the engine, and to be given an address. What
// is left to chance, here and with the address, follows from the pool and the desktop's number in it.
func NewPoolDesktop(p *Pool, now time.Time) (*PoolDesktop, *Chance) {
	p.Numbered++
	c := p.chance(p.Numbered)
	d := &PoolDesktop{
		Scope: p.Scope, ID: NewPoolDesktopID(c), Number: p.Numbered, PoolID: p.ID, DirectoryID: p.DirectoryID, Design: p.Design,
		ComputerName: NewComputerName(c),
	}
	d.enter(PoolDesktopMaking, now)
	return d, c
}

// chance is the one of the pool's n'th desktop; a pool without a seed leaves it to the machine's.
func (p *Pool) chance(n int64) *Chance {
	if p.Seed == (Seed{}) {
		return nil
	}
	return NewChance(p.Seed.Of(n))
}

// Place gives the desktop an address of a subnet.
func (d *PoolDesktop) Place(s Subnet, offset int64) {
	d.SubnetID, d.AddressOffset, d.Address = s.ID, offset, s.Address(offset).String()
}

// Ref names the desktop as it is now.
func (d *PoolDesktop) Ref() Ref { return Ref{Scope: d.Scope, ID: d.ID, Generation: d.Generation} }

// Made ends the making.
func (d *PoolDesktop) Made(now time.Time) { d.enter(PoolDesktopReady, now) }

// Assign gives a desktop that is ready to a session.
func (d *PoolDesktop) Assign(now time.Time) { d.enter(PoolDesktopInUse, now) }

// Runs reports whether the desktop is made and not to be removed.
func (d *PoolDesktop) Runs() bool { return d.State == PoolDesktopReady || d.State == PoolDesktopInUse }

// Remove begins to take the desktop away. It is for good.
func (d *PoolDesktop) Remove(now time.Time) { d.enter(PoolDesktopRemoving, now) }

func (d *PoolDesktop) enter(s PoolDesktopState, now time.Time) {
	if stay, is := d.Stay(now); is {
		d.left = append(d.left, stay)
	}
	d.State, d.ChangedAt, d.Deadline, d.WakeAt, d.Attempts = s, now, time.Time{}, time.Time{}, 0
	switch s {
	case PoolDesktopMaking:
		d.Deadline, d.WakeAt = now.Add(poolDesktopWork), now.Add(Watchdog)
	case PoolDesktopRemoving:
		d.WakeAt = now.Add(Watchdog)
	case PoolDesktopReady, PoolDesktopInUse:
		// It rests.
	}
	d.Generation++
}
