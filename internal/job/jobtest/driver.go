package jobtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"carrel/internal/compute"
)

// Driver does what the engine below it does, unless a test has it otherwise, and sees that
// no two calls for one desktop are under way at once.
type Driver struct {
	compute.Driver

	mu       sync.Mutex
	around   Around
	calls    []Call
	made     map[string]compute.Desktop // as Create was last asked for them
	under    map[string]string
	overlaps []string
}

// Call is one call that changes something.
type Call struct {
	Method string // Create, Start, Stop, Reboot, Rebuild, Restore, Receive, Resize, Snapshot, DropSnapshot, Delete, Capture, MakeImage, DeleteImage, Run
	ID     string // the desktop's, or the image's name
}

// Around stands around each call that changes something; do makes it.
type Around func(ctx context.Context, call Call, do func(context.Context) (time.Time, error)) (time.Time, error)

// Over returns a driver over an engine.
func Over(engine compute.Driver) *Driver {
	return &Driver{Driver: engine, under: make(map[string]string), made: make(map[string]compute.Desktop)}
}

// Do puts a function around all calls from now on; nil: none.
func (d *Driver) Do(around Around) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.around = around
}

// Fail has all calls of a method fail with err from now on; nil: do what the engine does.
func (d *Driver) Fail(method string, err error) {
	d.Do(func(ctx context.Context, call Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
		if err != nil && call.Method == method {
			return time.Time{}, err
		}
		return do(ctx)
	})
}

// Calls returns and forgets the calls so far.
func (d *Driver) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	calls := d.calls
	d.calls = nil
	return calls
}

// Made returns what Create was last asked for with the id.
func (d *Driver) Made(id string) compute.Desktop {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.made[id]
}

// Overlaps returns the calls that came while another for the same desktop was under way.
func (d *Driver) Overlaps() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.overlaps
}

func (d *Driver) enter(call Call) (Around, func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if other := d.under[call.ID]; other != "" {
		d.overlaps = append(d.overlaps, fmt.Sprintf("%s of %s during %s", call.Method, call.ID, other))
	}
	d.under[call.ID] = call.Method
	d.calls = append(d.calls, call)
	return d.around, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.under, call.ID)
	}
}

func (d *Driver) do(ctx context.Context, call Call, do func(context.Context) (time.Time, error)) (time.Time, error) {
	around, leave := d.enter(call)
	defer leave()
	if around == nil {
		return do(ctx)
	}
	return around(ctx, call, do)
}

// Create implements [compute.Driver].
func (d *Driver) Create(ctx context.Context, desktop compute.Desktop) (time.Time, error) {
	d.mu.Lock()
	d.made[desktop.ID] = desktop
	d.mu.Unlock()
	return d.do(ctx, Call{"Create", desktop.ID}, func(ctx context.Context) (time.Time, error) { return d.Driver.Create(ctx, desktop) })
}

// Start implements [compute.Driver].
func (d *Driver) Start(ctx context.Context, id string) (time.Time, error) {
	return d.do(ctx, Call{"Start", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.Start(ctx, id) })
}

// Stop implements [compute.Driver].
func (d *Driver) Stop(ctx context.Context, id string) (time.Time, error) {
	return d.do(ctx, Call{"Stop", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.Stop(ctx, id) })
}

// Reboot implements [compute.Driver].
func (d *Driver) Reboot(ctx context.Context, id string) (time.Time, error) {
	return d.do(ctx, Call{"Reboot", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.Reboot(ctx, id) })
}

// Delete implements [compute.Driver].
func (d *Driver) Delete(ctx context.Context, id string) (time.Time, error) {
	return d.do(ctx, Call{"Delete", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.Delete(ctx, id) })
}

// Capture implements [compute.Driver].
func (d *Driver) Capture(ctx context.Context, id, image string) (time.Time, error) {
	return d.do(ctx, Call{"Capture", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.Capture(ctx, id, image) })
}

// MakeImage implements [compute.Driver].
func (d *Driver) MakeImage(ctx context.Context, name string, from compute.ImageSource) (time.Time, error) {
	return d.do(ctx, Call{"MakeImage", name}, func(ctx context.Context) (time.Time, error) { return d.Driver.MakeImage(ctx, name, from) })
}

// DeleteImage implements [compute.Driver].
func (d *Driver) DeleteImage(ctx context.Context, name string) (time.Time, error) {
	return d.do(ctx, Call{"DeleteImage", name}, func(ctx context.Context) (time.Time, error) { return d.Driver.DeleteImage(ctx, name) })
}

// Run implements [compute.Driver].
func (d *Driver) Run(ctx context.Context, id string, s compute.Script) (time.Time, error) {
	return d.do(ctx, Call{"Run", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.Run(ctx, id, s) })
}

// Rebuild implements [compute.Driver].
func (d *Driver) Rebuild(ctx context.Context, desktop compute.Desktop, user string) (time.Time, error) {
	return d.do(ctx, Call{"Rebuild", desktop.ID}, func(ctx context.Context) (time.Time, error) { return d.Driver.Rebuild(ctx, desktop, user) })
}

// Restore implements [compute.Driver].
func (d *Driver) Restore(ctx context.Context, id, name string) (time.Time, error) {
	return d.do(ctx, Call{"Restore", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.Restore(ctx, id, name) })
}

// Receive implements [compute.Driver].
func (d *Driver) Receive(ctx context.Context, id string, from compute.Home) (time.Time, error) {
	return d.do(ctx, Call{"Receive", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.Receive(ctx, id, from) })
}

// Resize implements [compute.Driver].
func (d *Driver) Resize(ctx context.Context, desktop compute.Desktop) (time.Time, error) {
	return d.do(ctx, Call{"Resize", desktop.ID}, func(ctx context.Context) (time.Time, error) { return d.Driver.Resize(ctx, desktop) })
}

// Snapshot implements [compute.Driver].
func (d *Driver) Snapshot(ctx context.Context, id string, s compute.Snapshot) (time.Time, error) {
	return d.do(ctx, Call{"Snapshot", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.Snapshot(ctx, id, s) })
}

// DropSnapshot implements [compute.Driver].
func (d *Driver) DropSnapshot(ctx context.Context, id, name string) (time.Time, error) {
	return d.do(ctx, Call{"DropSnapshot", id}, func(ctx context.Context) (time.Time, error) { return d.Driver.DropSnapshot(ctx, id, name) })
}
