package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"carrel/internal/awsjson"
	"carrel/internal/cli"
	"carrel/internal/clock"
	"carrel/internal/directory"
	"carrel/internal/directory/embedded"
	"carrel/internal/gateway/metering"
	"carrel/internal/gateway/stream"
	"carrel/internal/installation"
	"carrel/internal/job"
	"carrel/internal/journal"
	"carrel/internal/moto"
	"carrel/internal/operation"
	"carrel/internal/reconcile"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// shutdownPatience is how long requests that are under way may take once the process has
// been told to stop. Work that is cut off is taken up at the next start.
const shutdownPatience = 10 * time.Second

// server is a Carrel put together from its configuration.
type server struct {
	config *cli.Config
	log    *slog.Logger
	clock  *clock.Clock // the service's time
	real   *clock.Clock // the machine's time
	store  *store.Store
	engine engine
	runner *job.Runner

	ways         *moto.Ways // moto's; nil where they never are kept
	journal      *journal.Journal
	player       *journal.Player
	streams      *stream.Streams
	installation string // what tells its things on the engine from those of others
}

// gcPercent lets the heap grow to five times what lives before it is collected. Little
// lives in a server whose state is in a database, so that this costs a few megabytes and
// saves a tenth of its work under load. GOGC in the environment wins.
const gcPercent = 400

// serve runs a server until the context ends.
func serve(ctx context.Context, c *cli.Config, log *slog.Logger) (err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	folder := c.Folder()
	if err := folder.Make(); err != nil {
		return err
	}
	if err := folder.Lock(); err != nil {
		return err
	}
	s := &server{config: c, log: log, clock: clock.New(), real: clock.New()}
	if c.CI {
		s.ways = new(moto.Ways)
	}
	database := c.Database
	if database == "" {
		database = folder.Database()
	}
	if s.store, err = store.Open(ctx, database); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	s.journal = s.newJournal()
	declared, err := c.Subnets()
	if err != nil {
		return err
	}
	first := installation.FirstStart{
		Folder: folder, Account: c.Account, Region: c.Region, OtherRegions: c.OtherRegions, Subnets: declared, Now: s.clock.Now(),
		Chance: s.journal.Chance("network"),
	}
	if s.installation, err = installation.Identify(ctx, s.store); err != nil {
		return err
	}
	if s.engine, err = openEngine(ctx, c, s.installation, s.clock, log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.engine.close()) }()
	first.Claim = s.engine.claim
	if _, err = first.Do(ctx, s.store); err != nil {
		return err
	}
	if err := s.openFaults(ctx); err != nil {
		return err
	}
	if err := s.openJournal(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.journal.Close()) }()
	return s.run(ctx, folder)
}

// run answers requests and works jobs until the context ends or one of them fails.
func (s *server) run(ctx context.Context, folder installation.Folder) error {
	core, hasher, err := s.core(ctx)
	if err != nil {
		return err
	}
	if s.engine.reset != nil { // on a real engine it would take too long to wait for all that is at work
		s.journal.Rest = s.runner.Rest
	}
	recorder := metering.New(s.store, s.log)
	recorder.Note = s.journal.Act
	s.streams = stream.New(stream.Config{
		Driver: s.engine.driver, Store: s.store, Clock: s.clock, Real: s.real, Log: s.log, Observe: recorder.Observe, Note: s.journal.Act,
	})
	portal, err := s.portal(ctx, core)
	if err != nil {
		return err
	}
	identity, err := s.identity(folder)
	if err != nil {
		return err
	}
	handler, err := s.handler(core, hasher, portal)
	if err != nil {
		return err
	}
	workers, err := s.runner.Workers()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --listen", err)
	}
	if err := workers.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, listener.Close())
	}
	front := &http.Server{
		Handler: handler, ConnContext: awsjson.ConnContext, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.repair(ctx) })
	group.Go(func() error {
		portal.Run(ctx)
		return nil
	})
	group.Go(func() error {
		s.stream(ctx, recorder)
		return nil
	})
	ready := make(chan struct{})
	group.Go(func() error {
		if err := s.replay(ctx); err != nil {
			return errors.Join(err, listener.Close())
		}
		close(ready)
		return serveOn(awsjson.Whole(listener), front, identity)
	})
	group.Go(func() error {
		<-ctx.Done()
		return stop(ctx, front, workers)
	})
	select {
	case <-ready:
	case <-ctx.Done():
		return group.Wait()
	}
	if err := s.announce(ctx, folder, listener.Addr(), identity); err != nil {
		return errors.Join(err, front.Close(), group.Wait())
	}
	return group.Wait()
}

// repair makes good what went wrong, until the context ends.
func (s *server) repair(ctx context.Context) error {
	r := &reconcile.Reconciler{Store: s.store, Clock: s.clock, Real: s.real, Driver: s.engine.driver, Runner: s.runner, Log: s.log}
	if s.engine.faults != nil {
		r.Looks = s.engine.faults.Looks(ctx, s.real)
	}
	return r.Run(ctx)
}

// stream serves streams until the context ends, and has the recorder write what they tell, to the last of it.
func (s *server) stream(ctx context.Context, recorder *metering.Recorder) {
	recording, stop := context.WithCancel(context.WithoutCancel(ctx))
	var record sync.WaitGroup
	record.Go(func() { recorder.Run(recording) })
	s.streams.Run(ctx)
	stop()
	record.Wait()
}

// stop ends requests and work beside each other: a request may wait for work, and work must have ended when the store closes.
func stop(ctx context.Context, front *http.Server, workers store.Workers) error {
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer cancel()
	var group errgroup.Group
	group.Go(func() error { return front.Shutdown(patience) })
	group.Go(func() error { return workers.StopAndCancel(patience) })
	return group.Wait()
}

// core puts together what operations and jobs work with.
func (s *server) core(ctx context.Context) (*operation.Core, *embedded.Hasher, error) {
	c, limits := s.config, s.config.LimitsOf()
	sources, err := c.Sources()
	if err != nil {
		return nil, nil, err
	}
	applications, err := c.Catalogue(s.clock.Now())
	if err != nil {
		return nil, nil, err
	}
	networks, err := s.networks(ctx)
	if err != nil {
		return nil, nil, err
	}
	hasher := embedded.NewHasher()
	directories := embedded.New(s.store, hasher)
	if c.Users == "any" {
		directories = directory.Any(directories)
	}
	if s.engine.faults != nil {
		directories = s.engine.faults.Users(directories)
	}
	bundles := workspaces.PublicBundles(c.Image)
	if c.CI {
		bundles = append(bundles, workspaces.WellKnownBundles(c.Image)...)
	}
	maintenance, err := s.maintenance()
	if err != nil {
		return nil, nil, err
	}
	s.store.Maintains = maintenance.On
	s.runner = &job.Runner{
		Store: s.store, Clock: s.clock, Driver: s.engine.driver, Limits: limits, Directories: directories, Log: s.log,
		Installation: s.installation, Applications: applications, Maintenance: maintenance, SecurityGroups: c.GroupIDs(),
	}
	return &operation.Core{
		Store: s.store, Clock: s.clock, Limits: limits, Bundles: bundles, Directories: directories,
		Encryption: s.engine.encrypts, AnySubnet: c.CI, DedicatedTenancy: c.CI, AnyImageSource: c.CI, AnySecurityGroup: c.CI, Networks: networks, Ways: s.ways,
		Installation: s.installation, ImageSources: sources, Applications: applications, SecurityGroups: c.GroupIDs(),
	}, hasher, nil
}

// maintenance says how WorkSpaces are kept up to date.
func (s *server) maintenance() (job.Maintenance, error) {
	c := s.config.Maintenance
	zone, err := c.Zone()
	if err != nil {
		return job.Maintenance{}, err
	}
	script, err := c.Text()
	return job.Maintenance{
		On: c.On(s.engine.name), Windows: workspaces.MaintenanceWindows{Zone: zone}, Script: script, Limit: c.Limit, Parallel: c.Parallel, Reboot: c.Reboot,
	}, err
}
