package operation_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/aws/smithy-go"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/api/dsdata"
	monitoringapi "carrel/internal/api/monitoring"
	"carrel/internal/api/sts"
	taggingapi "carrel/internal/api/tagging"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/directory"
	"carrel/internal/directory/embedded"
	"carrel/internal/fault"
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
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// The account and region of a test that does not care, and others that have nothing to do with them.
const (
	account   = "111111111111"
	stranger  = "222222222222"
	region    = "eu-central-1"
	farRegion = "us-east-1"
)

// The networks of the installation: two zones in region, two in farRegion, and others to go wrong with.
const (
	vpc     = "vpc-0123456789abcdef0"
	subnetA = "subnet-0aaaaaaaaaaaaaaa0"
	subnetB = "subnet-0bbbbbbbbbbbbbbb0"
	sameAZ  = "subnet-0aaaaaaaaaaaaaaa2" // in subnetA's zone
	other   = "subnet-0ccccccccccccccc0" // in another VPC
	small1  = "subnet-0ddddddddddddddd1" // three addresses
	small2  = "subnet-0ddddddddddddddd2" // three addresses
	farA    = "subnet-0eeeeeeeeeeeeeee1"
	farB    = "subnet-0eeeeeeeeeeeeeee2"
	nowhere = "subnet-0fffffffffffffff0" // does not exist
)

const (
	value       = "wsb-carrelval" // 80 and 10 GiB
	standard    = "wsb-carrelstd" // 80 and 50 GiB
	performance = "wsb-carrelprf" // 80 and 100 GiB
)

// patience is how long a test waits for what has to come.
const patience = 30 * time.Second

// setup is what a test may change about its server.
type setup struct {
	operation.Core
	engine   simulated.Config
	instant  bool
	postgres bool
	anybody  bool // any user name will do
	faulty   bool // faults can be set
	faults   *fault.Faults
	journal  *journal.Journal
	runner   *job.Runner
}

// server is a Carrel with simulated desktops behind a real HTTP server.
type server struct {
	http   *httptest.Server
	store  *store.Store
	clock  *clock.Clock
	engine *simulated.Driver
	faults *fault.Faults
	file   string               // SQLite's
	api    operation.WorkSpaces // for what is no operation
}

// start starts a server on an empty SQLite file.
func start(t *testing.T, change ...func(*setup)) *server {
	t.Helper()
	set := &setup{
		Core: operation.Core{
			Clock: clock.New(), Limits: workspaces.OpenLimits(), Bundles: workspaces.PublicBundles("image"), Encryption: true, Installation: "test",
			Applications: workspaces.SampleApplications(), SecurityGroups: []string{"sg-01234567"},
		},
		engine: simulated.Config{AnyImage: true, AnyGroup: true},
	}
	set.Limits.TerminatedStays = 0 // tests that look at it say how long
	for _, c := range change {
		c(set)
	}
	database := storetest.SQLite
	if set.postgres {
		database = storetest.Postgres
	}
	at := database(t)
	var err error
	if set.Store, err = store.Open(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	s := &server{store: set.Store, clock: set.Clock, file: at, api: operation.WorkSpaces{Core: &set.Core}}
	addSubnets(t, s.store)
	set.Directories = embedded.New(s.store, nil)
	if set.anybody {
		set.Directories = directory.Any(set.Directories)
	}
	set.engine.Clock = s.clock
	driver, err := simulated.Open(set.engine)
	if err != nil {
		t.Fatal(err)
	}
	s.engine = driver
	var engine compute.Driver = driver
	if set.faulty {
		set.faults = fault.New(s.store, s.clock)
		s.faults, engine, set.Directories = set.faults, set.faults.Engine(driver), set.faults.Users(set.Directories)
	}
	stop := work(t, set, engine)
	s.http = httptest.NewServer(wire(t, set))
	t.Cleanup(func() {
		s.http.Close()
		if err := errors.Join(stop(), driver.Close(), s.store.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// work starts what works the jobs, and returns what stops it.
func work(t *testing.T, set *setup, driver compute.Driver) (stop func() error) {
	t.Helper()
	log, core, faults := slog.New(slog.DiscardHandler), &set.Core, set.faults
	runner := &job.Runner{
		Store: core.Store, Clock: core.Clock, Driver: driver, Limits: core.Limits, Directories: core.Directories, Log: log,
		Installation: core.Installation, Applications: core.Applications, SecurityGroups: core.SecurityGroups,
	}
	set.runner = runner
	workers, err := runner.Workers()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	if err := workers.Start(ctx); err != nil {
		t.Fatal(err)
	}
	repair := &reconcile.Reconciler{
		Store: core.Store, Clock: core.Clock, Real: clock.New(), Driver: driver, Runner: runner, Log: log, DriftEvery: time.Hour,
	}
	if faults != nil {
		repair.Looks = faults.Looks(ctx, clock.New())
	}
	done := make(chan error, 1)
	go func() { done <- repair.Run(ctx) }()
	return func() error {
		err := workers.StopAndCancel(ctx)
		cancel()
		return errors.Join(err, <-done)
	}
}

// wire is the service's front, which reports every exception that its operation may not answer.
func wire(t *testing.T, set *setup) *awsjson.Handler {
	t.Helper()
	remember, err := operation.Remember(set.Store)
	if err != nil {
		t.Fatal(err)
	}
	middleware := []api.Middleware{set.Ways.Middleware(), remember, func(h api.Handler) api.Handler { return watched{h, t} }}
	var held func(string) bool
	if set.faults != nil {
		middleware = append([]api.Middleware{set.faults.Middleware()}, middleware...)
		held = set.faults.Holds
	}
	if set.instant {
		middleware = append(middleware, operation.Instant(set.Store, set.Clock, held))
	}
	if set.journal != nil {
		middleware = append(middleware, set.journal.Middleware())
	}
	cloudWatch, err := monitoring.New(&set.Core, false)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := awsjson.New(awsjson.Config{
		Services: []awsjson.ServiceHandlers{
			{Service: wsapi.Service, Handlers: operation.WorkSpaces{Core: &set.Core}.Handlers()},
			{Service: ds.Service, Handlers: directoryservice.New(&set.Core, embedded.NewHasher()).Handlers()},
			{Service: dsdata.Service, Handlers: directorydata.New(&set.Core).Handlers()},
			{Service: monitoringapi.Service, Handlers: cloudWatch.Handlers()},
			{Service: sts.Service, Handlers: securitytoken.New().Handlers()},
			{Service: taggingapi.Service, Handlers: tagging.New(&set.Core).Handlers()},
		},
		Authenticator: awsjson.AnyKey{DefaultAccount: account},
		Now:           time.Now,
		Logger:        slog.New(slog.DiscardHandler),
		Middleware:    middleware,
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// watched looks at what an operation answers.
type watched struct {
	api.Handler
	t *testing.T
}

// Invoke runs the operation.
func (w watched) Invoke(ctx context.Context, input any) (any, error) {
	output, err := w.Handler.Invoke(ctx, input)
	if err == nil {
		return output, nil
	}
	exception, ok := errors.AsType[*api.Exception](err)
	if !ok {
		w.t.Errorf("%s failed: %v", w.Spec().Name, err)
	} else if !mayAnswer(w.Spec(), exception.Name) {
		w.t.Errorf("%s answers %s, which it does not declare: %v", w.Spec().Name, exception.Name, err)
	}
	return nil, err
}

// mayAnswer reports whether an exception is declared or every operation's.
func mayAnswer(op api.Info, exception string) bool {
	return op.Declares(exception) || exception == api.ValidationException
}

func addSubnets(t *testing.T, s *store.Store) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		for _, n := range []struct{ id, vpc, region, zone, prefix string }{
			{subnetA, vpc, region, "a", "10.0.0.0/16"},
			{subnetB, vpc, region, "b", "10.1.0.0/16"},
			{sameAZ, vpc, region, "a", "10.2.0.0/24"},
			{other, "vpc-0fedcba9876543210", region, "b", "10.3.0.0/24"},
			{small1, vpc, region, "a", "10.4.0.0/29"},
			{small2, vpc, region, "b", "10.4.1.0/29"},
			{farA, vpc, farRegion, "a", "10.5.0.0/24"},
			{farB, vpc, farRegion, "b", "10.6.0.0/24"},
		} {
			prefix := netip.MustParsePrefix(n.prefix)
			err := tx.PutSubnet(t.Context(), workspaces.Subnet{
				ID: n.id, VPCID: n.vpc, Region: n.region, Zone: n.region + n.zone, Prefix: prefix, Gateway: prefix.Addr().Next(),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// client is the official SDK, calling for an account in a region.
type client struct {
	*sdk.Client
	scope workspaces.Scope
}

// as returns a client that calls as an account in a region.
func (s *server) as(account, region string) client {
	return client{sdk.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: &s.http.URL, HTTPClient: readOnce{s.http.Client()},
		Credentials: credentials.NewStaticCredentialsProvider(account, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}), workspaces.Scope{Account: account, Region: region}}
}

// readOnce sends requests with a body that can only be read. The SDK (smithy-go 1.28) gives
// net/http one that also writes itself, and closes it once the reply has begun; where a server
// is so fast that the request is just then looked at for more than its length, that looks like
// a failure to write, and the connection is closed under the reply.
type readOnce struct{ *http.Client }

// Do sends a request.
func (c readOnce) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.Client.Do(r)
}

// client returns the client of a test that does not care who calls.
func (s *server) client() client { return s.as(account, region) }

// directory adds an Active directory with users to Directory Service and returns its id.
func (s *server) directory(t *testing.T, scope workspaces.Scope, users ...string) string {
	t.Helper()
	id := workspaces.NewDirectoryID(nil)
	s.directoryCalled(t, scope, id, users...)
	return id
}

func (s *server) directoryCalled(t *testing.T, scope workspaces.Scope, id string, users ...string) {
	t.Helper()
	d := &workspaces.Directory{
		Scope: scope, ID: id, Type: workspaces.SimpleAD, Name: "corp.example.com", Size: "Small", VPCID: vpc,
		SubnetIDs: []string{subnetA, subnetB}, DNSAddresses: []string{"10.0.0.2", "10.1.0.2"},
		DataAccess: workspaces.DataAccessEnabled,
	}
	if scope.Region == farRegion {
		d.SubnetIDs = []string{farA, farB}
	}
	d.Alias = d.ID
	d.Enter(workspaces.StageActive, s.clock.Now())
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.InsertDirectory(t.Context(), d); err != nil {
			return err
		}
		for _, name := range users {
			u := &workspaces.User{Scope: scope, DirectoryID: d.ID, Name: name, Enabled: !strings.HasPrefix(name, "disabled")}
			if err := tx.PutUser(t.Context(), u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// change changes a directory of Directory Service behind the service's back.
func (s *server) change(t *testing.T, id string, f func(*workspaces.Directory)) {
	t.Helper()
	scope := s.client().scope
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		d, found, err := tx.Directory(t.Context(), scope, id)
		if err != nil || !found {
			return errors.Join(errors.New("no directory "+id), err)
		}
		read := d.Generation
		f(d)
		_, err = tx.SaveDirectory(t.Context(), d, read)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// home makes a registered directory with users and returns its id.
func (s *server) home(t *testing.T, users ...string) string {
	t.Helper()
	return s.homeOf(t, s.client(), users...)
}

func (s *server) homeOf(t *testing.T, c client, users ...string) string {
	t.Helper()
	id := s.directory(t, c.scope, users...)
	s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id})
	return id
}

// register registers a directory and waits until it is, and returns its id.
func (s *server) register(t *testing.T, c client, in *sdk.RegisterWorkspaceDirectoryInput) string {
	t.Helper()
	out, err := c.RegisterWorkspaceDirectory(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s.await(t, "REGISTERED", func() bool {
		d := s.describeDirectory(t, c, *out.DirectoryId)
		return d != nil && d.State == types.WorkspaceDirectoryStateRegistered
	})
	return *out.DirectoryId
}

// describeDirectory returns a registration, nil where there is none.
func (*server) describeDirectory(t *testing.T, c client, id string) *types.WorkspaceDirectory {
	t.Helper()
	out, err := c.DescribeWorkspaceDirectories(t.Context(), &sdk.DescribeWorkspaceDirectoriesInput{DirectoryIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Directories) == 0 {
		return nil
	}
	return &out.Directories[0]
}

// order is an item of CreateWorkspaces.
func order(directoryID, user string, change ...func(*types.WorkspaceRequest)) types.WorkspaceRequest {
	r := types.WorkspaceRequest{DirectoryId: &directoryID, UserName: &user, BundleId: new(standard)}
	for _, c := range change {
		c(&r)
	}
	return r
}

// create makes WorkSpaces, which must work, waits for them and returns their ids.
func (s *server) create(t *testing.T, c client, orders ...types.WorkspaceRequest) []string {
	t.Helper()
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: orders})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range out.FailedRequests {
		t.Fatalf("%s: %s", *f.ErrorCode, *f.ErrorMessage)
	}
	ids := make([]string, len(out.PendingRequests))
	for i, w := range out.PendingRequests {
		ids[i] = *w.WorkspaceId
	}
	s.await(t, "AVAILABLE", func() bool {
		return !slices.ContainsFunc(s.describe(t, c, ids...), func(w types.Workspace) bool { return w.State != types.WorkspaceStateAvailable })
	})
	return ids
}

// describe returns WorkSpaces, all of them where none is named.
func (*server) describe(t *testing.T, c client, ids ...string) []types.Workspace {
	t.Helper()
	out, err := c.DescribeWorkspaces(t.Context(), &sdk.DescribeWorkspacesInput{WorkspaceIds: ids})
	if err != nil {
		t.Fatal(err)
	}
	return out.Workspaces
}

// awaitState waits until a WorkSpace is in a state.
func (s *server) awaitState(t *testing.T, c client, id string, want types.WorkspaceState) types.Workspace {
	t.Helper()
	var got types.Workspace
	s.await(t, id+" "+string(want), func() bool {
		found := s.describe(t, c, id)
		if len(found) == 1 {
			got = found[0]
		}
		return got.State == want
	})
	return got
}

// awaitGone waits until WorkSpaces are not described any more.
func (s *server) awaitGone(t *testing.T, c client, ids ...string) {
	t.Helper()
	s.await(t, "gone", func() bool { return len(s.describe(t, c, ids...)) == 0 })
}

// await returns when what is wanted has come. It looks after every change of the store.
func (s *server) await(t *testing.T, what string, come func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		changed := s.store.Changed()
		if come() {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// advance moves the service's clock, once the engine has begun with what is to be done on WorkSpaces.
func (s *server) advance(t *testing.T, d time.Duration, c client, ids ...string) {
	t.Helper()
	for _, id := range ids {
		s.await(t, "work on "+id, func() bool { return s.begun(t, c, id) })
	}
	if err := s.clock.Advance(d); err != nil {
		t.Fatal(err)
	}
}

// begun reports whether the engine has said how long it takes: the next turn of work is due
// sooner than the watchdog's. The clock must stand.
func (s *server) begun(t *testing.T, c client, id string) (begun bool) {
	t.Helper()
	err := s.store.View(func(tx *store.Tx) error {
		w, found, err := tx.WorkSpace(t.Context(), c.scope, id)
		begun = found && w.WakeAt.Before(s.clock.Now().Add(workspaces.Watchdog-time.Second))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return begun
}

// refused fails the test unless an operation has answered the exception, typed where the
// operation declares it, with a message that has the words.
func refused(t *testing.T, err error, want string, words ...string) {
	t.Helper()
	got, ok := errors.AsType[smithy.APIError](err)
	if !ok || got.ErrorCode() != want {
		t.Errorf("got %v, want %s", err, want)
		return
	}
	op, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		t.Errorf("%v is of no operation", err)
		return
	}
	known, _ := wsapi.Service.Operation(op.OperationName)
	if _, generic := errors.AsType[*smithy.GenericAPIError](err); generic == known.Spec().Declares(want) {
		t.Errorf("%s: %s is typed: %v, declared: %v", op.OperationName, want, !generic, generic)
	}
	if got.ErrorMessage() == "" && !slices.Contains(wordless(), want) {
		t.Errorf("%s: %s has no message", op.OperationName, want)
	}
	for _, w := range words {
		if !strings.Contains(got.ErrorMessage(), w) {
			t.Errorf("%s: %q does not say %q", op.OperationName, got.ErrorMessage(), w)
		}
	}
}

// wordless are the exceptions that model no members: the SDK has no place for their message.
func wordless() []string {
	return []string{incompatible, wrongCompute, wrongSystem, notInstallable}
}

// The names of exceptions that the tests expect.
const (
	invalid      = "InvalidParameterValuesException"
	validation   = "ValidationException"
	notFound     = "ResourceNotFoundException"
	exists       = "ResourceAlreadyExistsException"
	limit        = "ResourceLimitExceededException"
	badState     = "InvalidResourceStateException"
	notSupported = "OperationNotSupportedException"
	combination  = "InvalidParameterCombinationException"
	denied       = "AccessDeniedException"
	badNetwork   = "UnsupportedNetworkConfigurationException"
	unavailable  = "ResourceUnavailableException"
	inProgress   = "OperationInProgressException"
	inUse        = "ResourceInUseException"

	incompatible   = "IncompatibleApplicationsException"
	wrongCompute   = "ComputeNotCompatibleException"
	wrongSystem    = "OperatingSystemNotCompatibleException"
	notInstallable = "ApplicationNotSupportedException"

	unsupportedWorkSpace = "UnsupportedWorkspaceConfigurationException"
	associated           = "ResourceAssociatedException"
)

// pending makes desktops that take a minute of a clock that stands.
func pending(set *setup) {
	set.Clock.Freeze()
	set.engine.Create.Min, set.engine.Create.Max = time.Minute, time.Minute
}
