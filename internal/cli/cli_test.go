package cli_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/internal/api/ds"
	"carrel/internal/api/dsdata"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
	"carrel/internal/cli"
	"carrel/internal/clock"
	"carrel/internal/compute/simulated"
	"carrel/internal/control"
	"carrel/internal/directory/embedded"
	"carrel/internal/installation"
	"carrel/internal/job"
	"carrel/internal/operation"
	"carrel/internal/operation/directorydata"
	"carrel/internal/operation/directoryservice"
	"carrel/internal/reconcile"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const (
	account = "123456789012"
	region  = "us-east-1"
)

// command is a run of carrel in a test.
type command struct {
	parts cli.Parts
	stdin string
	env   []string
}

// result is what a run of carrel came to.
type result struct {
	code        int
	out, errOut string
}

func (c command) run(t *testing.T, args ...string) result {
	t.Helper()
	return c.runUntil(t.Context(), args...)
}

// runUntil is run with a context of its own.
func (c command) runUntil(ctx context.Context, args ...string) result {
	var out, errOut bytes.Buffer
	c.parts.In, c.parts.Out, c.parts.Err = strings.NewReader(c.stdin), &out, &errOut
	c.parts.Env = append([]string{}, c.env...)
	code := cli.Run(ctx, c.parts, args)
	return result{code: code, out: out.String(), errOut: errOut.String()}
}

// succeed fails the test unless the run was one that worked.
func (r result) succeed(t *testing.T) result {
	t.Helper()
	if r.code != cli.ExitOK {
		t.Fatalf("got exit code %d; it said: %s", r.code, r.errOut)
	}
	return r
}

// fail fails the test unless the run ended with the code and said so.
func (r result) fail(t *testing.T, code int, said string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.errOut, said) {
		t.Errorf("got exit code %d and %q, want %d and something with %q", r.code, r.errOut, code, said)
	}
}

// prints fails the test unless the run printed all of the texts.
func (r result) prints(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.out, text) {
			t.Errorf("got %q, want something with %q", r.out, text)
		}
	}
}

// server is a Carrel without the process around it: the store, the wire, the operations, the
// jobs and the simulated engine, put together as main does.
type server struct {
	folder installation.Folder
	store  *store.Store
	engine *simulated.Driver
	http   *httptest.Server
}

func startServer(t *testing.T) *server {
	t.Helper()
	return startSlowServer(t, 0)
}

// startSlowServer is startServer with desktops that take some time to start.
func startSlowServer(t *testing.T, delay time.Duration) *server {
	t.Helper()
	s := &server{folder: installation.Folder{Path: filepath.Join(t.TempDir(), "data")}}
	must(t, s.folder.Make())
	var err error
	s.store, err = store.Open(t.Context(), s.folder.Database())
	must(t, err)
	t.Cleanup(func() { must(t, s.store.Close()) })
	first := installation.FirstStart{Folder: s.folder, Account: account, Region: region, Now: time.Now()}
	_, err = first.Do(t.Context(), s.store)
	must(t, err)
	clk := clock.New()
	s.engine, err = simulated.Open(simulated.Config{Clock: clk, AnyImage: true, Create: simulated.Behaviour{Min: delay, Max: delay}})
	must(t, err)
	t.Cleanup(func() { must(t, s.engine.Close()) })
	s.http = httptest.NewServer(s.handler(t, clk))
	t.Cleanup(s.http.Close)
	s.announce(t)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// handler answers requests and starts to work jobs.
func (s *server) handler(t *testing.T, clk *clock.Clock) http.Handler {
	t.Helper()
	log, hasher := slog.New(slog.DiscardHandler), embedded.NewHasher()
	directories := embedded.New(s.store, hasher)
	core := &operation.Core{
		Store: s.store, Clock: clk, Limits: workspaces.OpenLimits(), Bundles: workspaces.PublicBundles("carrel/xfce"), Directories: directories,
	}
	runner := &job.Runner{Store: s.store, Clock: clk, Driver: s.engine, Limits: core.Limits, Directories: directories, Log: log}
	workers, err := runner.Workers()
	must(t, err)
	must(t, workers.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() { must(t, workers.StopAndCancel(context.WithoutCancel(t.Context()))) })
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	repaired := make(chan error, 1)
	repair := &reconcile.Reconciler{Store: s.store, Clock: clk, Real: clock.New(), Driver: s.engine, Runner: runner, Log: log}
	go func() { repaired <- repair.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-repaired)
	})
	wire, err := awsjson.New(awsjson.Config{
		Services: []awsjson.ServiceHandlers{
			{Service: wsapi.Service, Handlers: operation.WorkSpaces{Core: core}.Handlers()},
			{Service: ds.Service, Handlers: directoryservice.New(core, hasher).Handlers()},
			{Service: dsdata.Service, Handlers: directorydata.New(core).Handlers()},
		},
		Authenticator: awsjson.NewSigV4(keys{s.store}, time.Now), Now: time.Now, Logger: log,
	})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/", wire)
	mux.Handle("/_carrel/", (&control.Control{
		Store: s.store, Clock: clk, Driver: s.engine, Log: log,
		Signed: func(next http.Handler) http.Handler { return wire.Signed(wsapi.Service.Name, next) },
	}).Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return mux
}

// announce tells the clients of the folder where the server is.
func (s *server) announce(t *testing.T) {
	t.Helper()
	about := installation.Server{Endpoint: s.http.URL, Region: region, Account: account}
	must(t, s.store.View(func(tx *store.Tx) error {
		subnets, err := tx.Subnets(t.Context())
		for _, subnet := range subnets {
			about.VPCID, about.SubnetIDs = subnet.VPCID, append(about.SubnetIDs, subnet.ID)
		}
		return err
	}))
	must(t, s.folder.PutServer(about))
}

// keys finds access keys in the store, as main's does.
type keys struct{ store *store.Store }

func (k keys) Key(ctx context.Context, id string) (key awsjson.Key, err error) {
	err = k.store.View(func(tx *store.Tx) error {
		found, ok, err := tx.AccessKey(ctx, id)
		if err == nil && !ok {
			err = awsjson.ErrUnknownKey
		}
		key = awsjson.Key{Secret: found.Secret, Account: found.Account}
		return err
	})
	return key, err
}

// carrel runs a command on the server's data folder.
func (s *server) carrel(t *testing.T, args ...string) result {
	t.Helper()
	return command{}.run(t, append(args, "--data", s.folder.Path)...)
}
