package simulated

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
)

// Driver is a simulated engine. All methods may be called from any goroutine.
type Driver struct {
	cfg     Config
	clock   *clock.Clock
	serving sync.WaitGroup // the streams' servers

	mu       sync.Mutex
	closed   bool
	journal  *journal                         // nil: in memory only
	state                                     // all that outlives the process
	byPlace  map[place]string                 // the id of the desktop that has an address
	awake    int                              // of desktops: at least as many as take up capacity
	displays map[string]*display              // of desktops that somebody looks at
	sides    map[string]map[net.Conn]struct{} // the connections to side channels, by desktop
	left     map[string]bool                  // desktops whose users have signed out since they were started

	naming sync.Mutex // held while a file that comes in finds its name
}

// place is an address in one of the networks.
type place struct {
	subnet  string
	address netip.Addr
}

var _ compute.Driver = (*Driver)(nil)

// Open returns the engine that a configuration describes, with the desktops that its
// journal has. Errors are the configuration's or the journal's.
func Open(cfg Config) (*Driver, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	d := &Driver{
		cfg: cfg, clock: cfg.Clock,
		state:   state{desktops: make(map[string]*desktop), images: make(map[string]*osImage)},
		byPlace: make(map[place]string), displays: make(map[string]*display), sides: make(map[string]map[net.Conn]struct{}),
		left: make(map[string]bool),
	}
	if d.clock == nil {
		d.clock = clock.New()
	}
	if cfg.Dir == "" {
		return d, nil
	}
	journal, all, err := openJournal(cfg.Dir)
	if err != nil {
		return nil, err
	}
	for _, x := range all.desktops {
		d.put(*x)
	}
	d.images = all.images
	d.journal = journal
	return d, nil
}

// Close ends all streams and lets go of the journal. Every method but Close then
// answers ErrUnavailable. The desktops are there again at the next Open: to close a
// driver is no gentler to them than to kill the process.
func (d *Driver) Close() error {
	defer d.serving.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	for id := range d.displays {
		d.darken(id)
	}
	for id := range d.sides {
		d.darken(id)
	}
	if d.journal == nil {
		return nil
	}
	return d.journal.close()
}

// enter locks the engine, unless the caller has given up or the engine is closed.
func (d *Driver) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", compute.ErrUnavailable, err)
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil, fmt.Errorf("%w: the simulated engine is closed", compute.ErrUnavailable)
	}
	return d.mu.Unlock, nil
}

// Create implements [compute.Driver].
func (d *Driver) Create(ctx context.Context, spec compute.Desktop) (time.Time, error) {
	from := spec.Home
	spec.Home = nil
	return d.do(ctx, order{method: creating, spec: spec, from: from}, check(spec))
}

// Start implements [compute.Driver].
func (d *Driver) Start(ctx context.Context, id string) (time.Time, error) {
	return d.do(ctx, order{method: starting, spec: compute.Desktop{ID: id}}, nil)
}

// Stop implements [compute.Driver].
func (d *Driver) Stop(ctx context.Context, id string) (time.Time, error) {
	return d.do(ctx, order{method: stopping, spec: compute.Desktop{ID: id}}, nil)
}

// Reboot implements [compute.Driver].
func (d *Driver) Reboot(ctx context.Context, id string) (time.Time, error) {
	return d.do(ctx, order{method: rebooting, spec: compute.Desktop{ID: id}}, nil)
}

// Delete implements [compute.Driver].
func (d *Driver) Delete(ctx context.Context, id string) (time.Time, error) {
	return d.do(ctx, order{method: deleting, spec: compute.Desktop{ID: id}}, nil)
}

// do carries out an order that is not invalid.
func (d *Driver) do(ctx context.Context, o order, invalid error) (time.Time, error) {
	if invalid != nil {
		return time.Time{}, invalid
	}
	leave, err := d.enter(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer leave()
	return d.advance(o)
}

// List implements [compute.Driver]. The machines are in no order.
func (d *Driver) List(ctx context.Context) ([]compute.Machine, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	now := d.clock.Now()
	machines := make([]compute.Machine, 0, len(d.desktops))
	for _, stored := range d.desktops {
		if x, _ := d.settle(*stored, now); !x.Gone {
			machines = append(machines, x.machine())
		}
	}
	return machines, nil
}

// About implements [compute.Driver].
func (d *Driver) About(ctx context.Context) (compute.About, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return compute.About{}, err
	}
	defer leave()
	return compute.About{
		Name: "simulated", Version: "1",
		SizesEnforced:   true, // there is nothing to write to that could grow
		ReachEnforced:   true, // nor anybody to exchange packets with
		Images:          d.describeImages(),
		DesktopsRunning: d.count(func(x desktop) bool { return x.Running }),
	}, nil
}

// Break makes the screen of a running desktop stop answering: its streams end, Dial
// fails with ErrUnavailable and List says so, until Mend, a reboot, or a stop and a
// start. Errors: ErrNotFound, ErrNotRunning, ErrUnavailable.
func (d *Driver) Break(ctx context.Context, id string) error {
	return d.touch(ctx, id, func(x desktop) desktop { x.Broken = true; return x })
}

// Mend undoes Break. Mending what is not broken succeeds. Errors: those of Break.
func (d *Driver) Mend(ctx context.Context, id string) error {
	return d.touch(ctx, id, func(x desktop) desktop { x.Broken = false; return x })
}

// touch changes the screen of a running desktop.
func (d *Driver) touch(ctx context.Context, id string, change func(desktop) desktop) error {
	leave, err := d.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	x, err := d.running(id)
	if err != nil {
		return err
	}
	if x = change(x); x.Broken {
		d.darken(id)
	}
	return d.commit(x, nil)
}

// Desktop returns what a desktop was made as, and whether there is one.
func (d *Driver) Desktop(id string) (compute.Desktop, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x, _ := d.settle(d.get(id), d.clock.Now())
	return x.Spec, !x.Gone
}
