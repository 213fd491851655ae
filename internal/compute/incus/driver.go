package incus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/clock"
	"carrel/internal/compute"
)

// Deadlines on the engine, in real time. They end waits for an Incus that hangs, not
// for one that is slow: unpacking an image on its first use has taken 17 seconds.
const (
	changeLimit = 3 * time.Minute  // one verb on one desktop
	readLimit   = 30 * time.Second // List, Dial, About
)

const (
	// slotPatience is how long a call waits for its turn before it hands its worker
	// back and asks to be called again, slotPause later.
	slotPatience = 5 * time.Second
	slotPause    = time.Second
)

// Config says which Incus to use and what of it is ours.
type Config struct {
	// Socket is the path of Incus's Unix socket. Default: what Incus's own client
	// uses, that is $INCUS_SOCKET, $INCUS_DIR/unix.socket, /run/incus/unix.socket
	// or /var/lib/incus/unix.socket.
	Socket string
	// Project is the Incus project of the desktops; it is made when it is missing.
	// Default: carrel.
	Project string
	// Pool is the storage pool of all volumes, which must exist. Default: carrel.
	Pool string
	// EncryptedPool is the storage pool, on encrypted storage, of the volumes that are to
	// be encrypted; "": there are none.
	EncryptedPool string
	// Installation identifies this Carrel, e.g. by a UUID. What the driver makes
	// carries it, and the driver changes nothing that does not. Required.
	Installation string
	// Parallel is how many desktops are made or started at once; more only slow each
	// other down. Default: 4.
	Parallel int
	// Groups are the security groups that desktops can have.
	Groups []compute.SecurityGroup
	// Clock is the clock that returned times are of. Required.
	Clock *clock.Clock
	// Logger gets what an administrator may want to know. Default: slog.Default().
	Logger *slog.Logger
}

var _ compute.Driver = (*Driver)(nil)

// Driver is a [compute.Driver] on Incus. Its methods may be called from any goroutine.
type Driver struct {
	client        *client
	project       string
	pool          string
	encryptedPool string // "": there is none
	installation  string
	member        string   // our name in a cluster, "" outside of one
	cgroups       []string // where the kernel shows control groups
	groups        []compute.SecurityGroup
	firewall      string       // what Incus filters with: nftables, or xtables
	clock         *clock.Clock // the product's time, which may be frozen or advanced
	real          *clock.Clock // real time, which the engine lives in
	log           *slog.Logger
	booting       chan struct{} // a slot for each desktop that is being made or started
	ending        chan struct{} // a slot for each desktop that is being removed, stopped or kept
	imaging       chan struct{} // a slot for the image that is being made

	networks    sync.Mutex           // held while networks and their access list are looked at and changed
	networkSeen map[string]time.Time // by subnet id: when its network was last there and closed, in real time
}

// Open connects to Incus and makes the project if it is missing. Errors:
// ErrUnavailable when Incus does not answer, ErrInvalid when the configuration does
// not fit it.
func Open(ctx context.Context, config Config) (*Driver, error) {
	if config.Installation == "" || config.Clock == nil {
		return nil, fmt.Errorf("%w: incus: Installation and Clock are required", compute.ErrInvalid)
	}
	parallel := config.Parallel
	if parallel <= 0 {
		parallel = 4
	}
	d := &Driver{
		project:       cmp.Or(config.Project, "carrel"),
		pool:          cmp.Or(config.Pool, "carrel"),
		encryptedPool: config.EncryptedPool,
		installation:  config.Installation,
		clock:         config.Clock,
		real:          clock.New(),
		log:           cmp.Or(config.Logger, slog.Default()),
		cgroups:       groupFolders(),
		groups:        config.Groups,
		booting:       make(chan struct{}, parallel),
		ending:        make(chan struct{}, parallel),
		imaging:       make(chan struct{}, 1),
		networkSeen:   map[string]time.Time{},
	}
	d.client = newClient(cmp.Or(config.Socket, defaultSocket()), d.project)
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	if err := d.prepare(ctx); err != nil {
		return nil, fmt.Errorf("open incus: %w", err)
	}
	return d, nil
}

// prepare sees that the engine has what every desktop needs.
func (d *Driver) prepare(ctx context.Context) error {
	var server api.Server
	if err := d.client.get(ctx, "", &server); err != nil {
		return err
	}
	if server.Auth != "trusted" {
		return fmt.Errorf("%w: incus does not trust this user: run as root or as a member of incus-admin", compute.ErrInvalid)
	}
	d.firewall = server.Environment.Firewall
	if server.Environment.ServerClustered {
		d.member = server.Environment.ServerName
	}
	// First of all, because every other question is asked within the project.
	if err := d.makeProject(ctx); err != nil {
		return err
	}
	for _, pool := range d.pools() {
		err := d.client.get(ctx, "/storage-pools/"+pool, nil)
		if missing(err) {
			return fmt.Errorf("%w: there is no storage pool %q: scripts/incus-up.sh makes one", compute.ErrInvalid, pool)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makeProject makes a project of its own for desktops and volumes, so that they are
// out of the way of the administrator's. Images and networks are shared: an image is
// unpacked once for all, and bridges belong to the host anyway.
func (d *Driver) makeProject(ctx context.Context) error {
	err := d.client.get(ctx, "/projects/"+d.project, nil)
	if !missing(err) {
		return err
	}
	err = d.client.change(ctx, http.MethodPost, "/projects", api.ProjectsPost{
		Name: d.project,
		ProjectPut: api.ProjectPut{
			Description: "Carrel's desktops",
			Config: map[string]string{
				"features.images":          "false",
				"features.networks":        "false",
				"features.profiles":        "true",
				"features.storage.volumes": "true",
				tagInstallation:            d.installation,
			},
		},
	})
	if conflicts(err) {
		return nil // another Carrel process was faster
	}
	return err
}

// ours tells whether this installation made the thing with these settings.
func (d *Driver) ours(config map[string]string) bool {
	return config[tagInstallation] == d.installation
}

// instance returns the desktop's instance. Errors: ErrNotFound, also when there is
// one that is not ours, and ErrUnavailable.
func (d *Driver) instance(ctx context.Context, id string) (*api.Instance, error) {
	if !desktopID.MatchString(id) {
		return nil, fmt.Errorf("%w: %q", compute.ErrNotFound, id)
	}
	var instance api.Instance
	if err := d.client.get(ctx, "/instances/"+id, &instance); err != nil {
		return nil, err
	}
	if !d.ours(instance.Config) {
		return nil, fmt.Errorf("%w: instance %s of project %s is not this installation's", compute.ErrNotFound, id, d.project)
	}
	return &instance, nil
}

// slot waits for a free place in slots. When there is none soon, it returns the time
// to ask again instead; nobody's worker is held up for longer.
func (d *Driver) slot(ctx context.Context, slots chan struct{}) (release func(), again time.Time, err error) {
	release = func() { <-slots }
	patience, cancel := context.WithTimeout(ctx, slotPatience)
	defer cancel()
	select {
	case slots <- struct{}{}:
		return release, time.Time{}, nil
	case <-patience.Done():
	}
	if err := ctx.Err(); err != nil {
		return nil, time.Time{}, unavailable(err)
	}
	return nil, d.soon(ctx, slotPause), nil
}

// soon returns the time to ask again when the engine needs about as long as pause. The engine lives in real time: where
// the product's clock stands still or runs at another speed, the pause is made here, and the time to ask again is now.
func (d *Driver) soon(ctx context.Context, pause time.Duration) time.Time {
	if d.clock.Scale() == 1 {
		return d.clock.Now().Add(pause)
	}
	_ = d.real.Sleep(ctx, pause) // who asks again with a context that has ended is told so
	return d.clock.Now()
}

// persist repeats f while the engine is busy with the same thing, for a few seconds.
func (d *Driver) persist(ctx context.Context, f func() error) error {
	const attempts = 8
	pause := 50 * time.Millisecond
	for attempt := 1; ; attempt++ {
		err := f()
		if !busy(err) || attempt == attempts {
			return err
		}
		if d.real.Sleep(ctx, pause) != nil {
			return errors.Join(err, ctx.Err())
		}
		pause *= 2
	}
}

// defaultSocket finds the socket as Incus's own client does.
func defaultSocket() string {
	if socket := os.Getenv("INCUS_SOCKET"); socket != "" {
		return socket
	}
	if folder := os.Getenv("INCUS_DIR"); folder != "" {
		return filepath.Join(folder, "unix.socket")
	}
	if _, err := os.Lstat("/run/incus/unix.socket"); err == nil {
		return "/run/incus/unix.socket"
	}
	return "/var/lib/incus/unix.socket"
}
