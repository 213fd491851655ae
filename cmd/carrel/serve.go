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
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"carrel/internal/api/ds"
	"carrel/internal/api/dsdata"
	monitoringapi "carrel/internal/api/monitoring"
	"carrel/internal/api/sts"
	taggingapi "carrel/internal/api/tagging"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
	"carrel/internal/branding"
	"carrel/internal/cli"
	"carrel/internal/clock"
	"carrel/internal/control"
	"carrel/internal/directory"
	"carrel/internal/directory/embedded"
	"carrel/internal/forward"
	"carrel/internal/gateway"
	"carrel/internal/gateway/metering"
	"carrel/internal/gateway/stream"
	"carrel/internal/installation"
	"carrel/internal/job"
	"carrel/internal/journal"
	"carrel/internal/operation"
	"carrel/internal/operation/directorydata"
	"carrel/internal/operation/directoryservice"
	"carrel/internal/operation/monitoring"
	"carrel/internal/operation/securitytoken"
	"carrel/internal/operation/tagging"
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
	if s.installation, err = first.Do(ctx, s.store); err != nil {
		return err
	}
	if s.engine, err = openEngine(ctx, c, s.installation, s.clock, log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.engine.close()) }()
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
	core, hasher, err := s.core()
	if err != nil {
		return err
	}
	recorder := metering.New(s.store, s.log)
	s.streams = stream.New(stream.Config{
		Driver: s.engine.driver, Store: s.store, Clock: s.clock, Real: s.real, Log: s.log, Observe: recorder.Observe,
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
	repair := &reconcile.Reconciler{Store: s.store, Clock: s.clock, Real: s.real, Driver: s.engine.driver, Runner: s.runner, Log: s.log}
	group, ctx := errgroup.WithContext(ctx)
	if s.engine.faults != nil {
		repair.Looks = s.engine.faults.Looks(ctx, s.real)
	}
	group.Go(func() error { return repair.Run(ctx) })
	group.Go(func() error {
		portal.Run(ctx)
		return nil
	})
	group.Go(func() error {
		recording, stop := context.WithCancel(context.WithoutCancel(ctx))
		var record errgroup.Group
		record.Go(func() error {
			recorder.Run(recording)
			return nil
		})
		s.streams.Run(ctx)
		stop() // when the last stream has told of its end
		return record.Wait()
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
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
		defer cancel()
		// Beside each other: a request may wait for work, and work must have ended when the store closes.
		var stop errgroup.Group
		stop.Go(func() error { return front.Shutdown(patience) })
		stop.Go(func() error { return workers.StopAndCancel(patience) })
		return stop.Wait()
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

// core puts together what operations and jobs work with.
func (s *server) core() (*operation.Core, *embedded.Hasher, error) {
	c, limits := s.config, s.config.LimitsOf()
	sources, err := c.Sources()
	if err != nil {
		return nil, nil, err
	}
	applications, err := c.Catalogue(s.clock.Now())
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
	s.runner = &job.Runner{
		Store: s.store, Clock: s.clock, Driver: s.engine.driver, Limits: limits, Directories: directories, Log: s.log,
		Installation: s.installation, Applications: applications,
	}
	return &operation.Core{
		Store: s.store, Clock: s.clock, Limits: limits, Bundles: bundles, Directories: directories,
		Encryption: s.engine.encrypts, AnySubnet: c.CI, DedicatedTenancy: c.CI, AnyImageSource: c.CI,
		Installation: s.installation, ImageSources: sources, Applications: applications,
	}, hasher, nil
}

// handler puts together what answers on the server's one address.
func (s *server) handler(core *operation.Core, hasher *embedded.Hasher, portal *gateway.Portal) (http.Handler, error) {
	metrics := newMetrics(s.streams.Collectors()...)
	proxies, err := s.config.Proxies()
	if err != nil {
		return nil, err
	}
	to, err := s.config.ForwardTo()
	if err != nil {
		return nil, err
	}
	cloudWatch, err := monitoring.New(core, to != nil)
	if err != nil {
		return nil, err
	}
	services := servicesOf(core, hasher, cloudWatch)
	config := awsjson.Config{
		Services:      services,
		Authenticator: s.authenticator(),
		Now:           time.Now,
		Logger:        s.log,
		Observe:       metrics.observe,
		Secure:        gateway.Proxies(proxies).Secure,
	}
	remember, err := operation.Remember(s.store)
	if err != nil {
		return nil, err
	}
	var held func(id string) bool
	if faults := s.engine.faults; faults != nil {
		config.Middleware = append(config.Middleware, faults.Middleware())
		held = faults.Holds
	}
	config.Middleware = append(config.Middleware, remember)
	if s.config.Instant {
		config.Middleware = append(config.Middleware, operation.Instant(s.store, s.clock, held))
	}
	if s.journals() {
		config.Middleware = append(config.Middleware, s.journal.Middleware())
	}
	if to != nil {
		config.Unknown = forward.New(to, s.log)
		s.log.Info("requests for other services are passed on", "forward", to.Redacted()) //nolint:noctx // there is none yet
	}
	wire, err := awsjson.New(config)
	if err != nil {
		return nil, err
	}
	beside := &control.Control{
		Store: s.store, Clock: s.clock, Driver: s.engine.driver, Log: s.log, ForTests: s.config.Control, Reset: s.engine.reset, Files: s.engine.files,
		Faults: s.engine.faults,
		Signed: func(next http.Handler) http.Handler { return wire.Signed(wsapi.Service.Name, next) },
	}
	mux := http.NewServeMux()
	mux.Handle("/", wire)
	portal.Register(mux)
	mux.Handle(workspaces.BrandingPath, branding.Handler(s.store, s.log))
	answers := s.journal.Control(beside.Handler())
	s.player = s.playerOf(services)
	s.player.Control = answers
	mux.Handle("/_carrel/", answers)
	if s.config.Control {
		mux.Handle(control.MotoReset, resetBoth(answers, config.Unknown))
	}
	mux.Handle("GET /metrics", metrics.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /readyz", s.ready)
	return signedFirst(wire, mux), nil
}

// servicesOf are the services that Carrel answers.
func servicesOf(core *operation.Core, hasher *embedded.Hasher, cloudWatch *monitoring.Service) []awsjson.ServiceHandlers {
	return []awsjson.ServiceHandlers{
		{Service: wsapi.Service, Handlers: operation.WorkSpaces{Core: core}.Handlers()},
		{Service: ds.Service, Handlers: directoryservice.New(core, hasher).Handlers()},
		{Service: dsdata.Service, Handlers: directorydata.New(core).Handlers()},
		{Service: sts.Service, Handlers: securitytoken.New().Handlers()},
		{Service: taggingapi.Service, Handlers: tagging.New(core).Handlers()},
		{Service: monitoringapi.Service, Handlers: cloudWatch.Handlers(), PassOn: true},
	}
}

// signedFirst gives what carries a signature of AWS to the wire, whatever its path: the paths
// of other services, such as S3's, may be those of the portal too, and a mux tidies paths up
// that were signed as they are. Carrel's own signed endpoints stay where they are.
func signedFirst(wire, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed := strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") || r.URL.Query().Has("X-Amz-Signature")
		if signed && !strings.HasPrefix(r.URL.Path, "/_carrel/") {
			wire.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// ready answers whether the database and the engine do.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	err := s.store.View(func(tx *store.Tx) error {
		_, err := tx.Setting(r.Context(), "installation")
		return err
	})
	if err == nil {
		_, err = s.engine.driver.About(r.Context())
	}
	if err != nil {
		s.log.WarnContext(r.Context(), "not ready", "error", err)
		http.Error(w, "not ready; the server's log says why", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
