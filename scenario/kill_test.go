package scenario_test

import (
	"context"
	crand "crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	dstypes "github.com/aws/aws-sdk-go-v2/service/directoryservice/types"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/installation"
	"carrel/internal/store/storetest"
)

// massacre is how the server is killed, and at what.
type massacre struct {
	clients int           // who create and terminate all the time
	each    int           // how many WorkSpaces each of them keeps
	kills   int           // how often the server is killed…
	within  time.Duration // …after it has lived for so long at the most
	pause   time.Duration // the longest between two requests of a client
	flags   []string      // for the server
}

// TestKill kills the server at random moments while clients create and terminate WorkSpaces.
// Nothing that was acknowledged is lost, everything comes to rest, and in the end nothing
// is left.
func TestKill(t *testing.T) {
	t.Parallel()
	simulated := massacre{clients: 6, each: 8, kills: 12, within: 1500 * time.Millisecond, pause: 20 * time.Millisecond, flags: []string{"--simulated-delay=200ms"}}
	t.Run("simulated", func(t *testing.T) {
		t.Parallel()
		simulated.run(t, &server{engine: "simulated"})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		simulated.run(t, &server{engine: "simulated", database: storetest.Postgres(t)})
	})
	t.Run("incus", func(t *testing.T) {
		if os.Getenv("CARREL_TEST_INCUS") != "1" {
			t.Skip("CARREL_TEST_INCUS is not 1: make test sets it, where it has started Incus")
		}
		t.Parallel()
		defer alone.Unlock()
		alone.Lock()
		massacre{clients: 4, each: 2, kills: 10, within: 6 * time.Second, pause: 2 * time.Second}.run(t, &server{engine: "incus"})
	})
}

// killing is a server that is being killed, and what its clients remember.
type killing struct {
	t         *testing.T
	server    *server
	flags     []string
	directory string
	client    atomic.Pointer[workspaces.Client] // of the server that runs, or ran last

	mu   sync.Mutex
	book map[string]fate
	lost int // requests without an answer
	met  int // kills that met the server at work on something
}

// fate is what a client knows of a WorkSpace whose creation was acknowledged.
type fate int

const (
	lives   fate = iota
	doubted      // its end was asked for, and no answer came
	dead         // its end was acknowledged
)

func (m massacre) run(t *testing.T, s *server) {
	t.Helper()
	s.dir = filepath.Join(t.TempDir(), "data")
	s.project = "carrel-kill-" + strings.ToLower(crand.Text()[:8])
	k := &killing{t: t, server: s, book: make(map[string]fate), flags: append([]string{"--users=any"}, m.flags...)}
	t.Cleanup(func() {
		if err := s.end(); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
		if t.Failed() {
			t.Log("the server's log:\n" + s.log.String())
		}
	})
	k.start()
	k.register()
	k.massacre(m)
	k.converge()
	k.takeAway()
	if err := s.signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if s.database == "" {
		k.checkDatabase()
	}
}

func (k *killing) start() {
	k.t.Helper()
	if err := k.server.start(k.flags...); err != nil {
		k.t.Fatalf("the server does not start: %v", err)
	}
	k.client.Store(k.server.client)
}

// register makes a directory for the WorkSpaces.
func (k *killing) register() {
	k.t.Helper()
	ctx := k.t.Context()
	ds := directoryservice.New(directoryservice.Options{
		Region: k.server.about.Region, BaseEndpoint: &k.server.about.Endpoint, Credentials: k.server.client.Options().Credentials,
	})
	made, err := ds.CreateDirectory(ctx, &directoryservice.CreateDirectoryInput{
		Name: aws.String("corp.example.com"), Password: aws.String("Str0ng-enough"), Size: dstypes.DirectorySizeSmall,
		VpcSettings: &dstypes.DirectoryVpcSettings{VpcId: &k.server.about.VPCID, SubnetIds: k.server.about.SubnetIDs},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	k.directory = aws.ToString(made.DirectoryId)
	err = eventually(func() error {
		_, err := k.server.client.RegisterWorkspaceDirectory(ctx, &workspaces.RegisterWorkspaceDirectoryInput{DirectoryId: &k.directory})
		if _, registered := errors.AsType[*types.ResourceAlreadyExistsException](err); registered {
			return nil
		}
		return err
	})
	if err == nil {
		err = eventually(func() error {
			out, err := k.server.client.DescribeWorkspaceDirectories(ctx, &workspaces.DescribeWorkspaceDirectoriesInput{})
			if err == nil && (len(out.Directories) == 0 || out.Directories[0].State != types.WorkspaceDirectoryStateRegistered) {
				err = errors.New("the directory is not registered")
			}
			return err
		})
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// massacre has clients at work while the server is killed and started again.
func (k *killing) massacre(m massacre) {
	k.t.Helper()
	ctx, stop := context.WithCancel(k.t.Context())
	var clients sync.WaitGroup
	for number := range m.clients {
		clients.Go(func() { k.work(ctx, number, m) })
	}
	defer clients.Wait()
	defer stop()
	for range m.kills {
		// Now and then it dies before it has really begun.
		life := time.Duration(rand.Int64N(int64(m.within)))
		if rand.IntN(4) == 0 {
			life /= 50
		}
		time.Sleep(life)
		if err := k.server.signal(syscall.SIGKILL); err != nil {
			k.t.Fatal(err)
		}
		k.start()
		k.look()
	}
	time.Sleep(m.within / 2)
}

// look notes whether the server that was just killed was at work on anything. What is wrong
// shows in the end.
func (k *killing) look() {
	states, err := k.all()
	if err == nil && slices.ContainsFunc(slices.Collect(maps.Values(states)), func(s types.WorkspaceState) bool { return s != types.WorkspaceStateAvailable }) {
		k.met++
	}
}

// work creates and terminates until the context ends, and books what was acknowledged.
func (k *killing) work(ctx context.Context, number int, m massacre) {
	var mine []string
	for n := 0; ctx.Err() == nil; n++ {
		if len(mine) < m.each && (len(mine) == 0 || rand.IntN(2) == 0) {
			mine = append(mine, k.create(ctx, fmt.Sprintf("user-%d-%d", number, n), fmt.Sprintf("guest-%d-%d", number, n))...)
		} else {
			i := rand.IntN(len(mine))
			if k.terminate(ctx, mine[i]) {
				mine = slices.Delete(mine, i, i+1)
			}
		}
		time.Sleep(time.Duration(rand.Int64N(int64(m.pause))))
	}
}

// once is for requests that must not be sent again behind the client's back.
func once(o *workspaces.Options) { o.RetryMaxAttempts = 1 }

// create asks for WorkSpaces and books those that were promised.
func (k *killing) create(ctx context.Context, users ...string) []string {
	in := &workspaces.CreateWorkspacesInput{}
	for _, user := range users {
		in.Workspaces = append(in.Workspaces, types.WorkspaceRequest{
			DirectoryId: &k.directory, UserName: &user, BundleId: aws.String("wsb-carrelstd"),
		})
	}
	out, err := k.client.Load().CreateWorkspaces(ctx, in, once)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.lost++
		return nil
	}
	for _, failed := range out.FailedRequests {
		k.t.Errorf("%s: %s", aws.ToString(failed.ErrorCode), aws.ToString(failed.ErrorMessage))
	}
	var ids []string
	for _, made := range out.PendingRequests {
		ids = append(ids, *made.WorkspaceId)
		k.book[*made.WorkspaceId] = lives
	}
	return ids
}

// terminate asks for the end of a WorkSpace, and reports whether that was promised.
func (k *killing) terminate(ctx context.Context, id string) bool {
	out, err := k.client.Load().TerminateWorkspaces(ctx, &workspaces.TerminateWorkspacesInput{
		TerminateWorkspaceRequests: []types.TerminateRequest{{WorkspaceId: &id}},
	}, once)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err != nil:
		k.lost++
		k.book[id] = doubted
		return false
	case len(out.FailedRequests) > 0:
		// It may be gone because an earlier request did arrive.
		if k.book[id] != doubted {
			k.t.Errorf("%s was promised and %s", id, aws.ToString(out.FailedRequests[0].ErrorMessage))
		}
	}
	k.book[id] = dead
	return true
}

// all returns the states of all WorkSpaces, and fails on one that is in ERROR.
func (k *killing) all() (map[string]types.WorkspaceState, error) {
	states := make(map[string]types.WorkspaceState)
	pages := workspaces.NewDescribeWorkspacesPaginator(k.server.client, &workspaces.DescribeWorkspacesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return nil, err
		}
		for _, w := range page.Workspaces {
			states[*w.WorkspaceId] = w.State
			if w.State == types.WorkspaceStateError {
				return nil, final{fmt.Errorf("%s is in ERROR: %s", *w.WorkspaceId, aws.ToString(w.ErrorMessage))}
			}
		}
	}
	return states, nil
}

// converge waits until everything rests, and holds it against the book and the engine.
func (k *killing) converge() {
	k.t.Helper()
	began := time.Now()
	var states map[string]types.WorkspaceState
	err := eventually(func() (err error) {
		if states, err = k.all(); err != nil {
			return err
		}
		for id, state := range states {
			if state != types.WorkspaceStateAvailable {
				return fmt.Errorf("%s is %s", id, state)
			}
		}
		return nil
	})
	if err != nil {
		k.t.Fatalf("it does not converge: %v", err)
	}
	rested := time.Since(began)
	count := make(map[fate]int)
	for id, fate := range k.book {
		count[fate]++
		if _, there := states[id]; fate == lives && !there {
			k.t.Errorf("%s was promised and is not there", id)
		} else if fate == dead && there {
			k.t.Errorf("the end of %s was promised and it is %s", id, states[id])
		}
	}
	k.t.Logf("%d WorkSpaces were promised, the end of %d, %d requests were lost, %d kills met work; all rested after %v with %d AVAILABLE",
		len(k.book), count[dead], k.lost, k.met, rested.Round(time.Millisecond), len(states))
	if count[dead] == 0 || k.met == 0 {
		k.t.Error("the kills did not meet anybody at work")
	}
	err = eventually(func() error {
		machines, err := k.server.desktops()
		if err != nil {
			return err
		}
		var ids []string
		for _, m := range machines {
			ids = append(ids, m.ID)
		}
		slices.Sort(ids)
		if want := slices.Sorted(maps.Keys(states)); !slices.Equal(ids, want) {
			return fmt.Errorf("the engine has %v, and the WorkSpaces are %v", ids, want)
		}
		return nil
	})
	if err != nil {
		k.t.Error(err)
	}
}

// takeAway terminates all that is there, and sees that nothing is left of it.
func (k *killing) takeAway() {
	k.t.Helper()
	states, err := k.all()
	if err != nil {
		k.t.Fatal(err)
	}
	for some := range slices.Chunk(slices.Collect(maps.Keys(states)), 25) {
		in := &workspaces.TerminateWorkspacesInput{}
		for _, id := range some {
			in.TerminateWorkspaceRequests = append(in.TerminateWorkspaceRequests, types.TerminateRequest{WorkspaceId: &id})
		}
		out, err := k.server.client.TerminateWorkspaces(context.Background(), in)
		if err != nil || len(out.FailedRequests) > 0 {
			k.t.Fatalf("%v %v", err, out)
		}
	}
	err = eventually(func() error {
		states, err := k.all()
		if err == nil && len(states) > 0 {
			err = fmt.Errorf("there are still %v", states)
		}
		return err
	})
	if err == nil {
		err = k.server.nothingLeft()
	}
	if err != nil {
		k.t.Error(err)
	}
}

// checkDatabase has SQLite look at the file.
func (k *killing) checkDatabase() {
	k.t.Helper()
	db, err := sql.Open("sqlite", installation.Folder{Path: k.server.dir}.Database())
	if err != nil {
		k.t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]string{
		"PRAGMA integrity_check":                                   "ok",
		"SELECT COUNT(*) FROM workspace":                           "0",
		"SELECT COUNT(*) FROM tag":                                 "0",
		"SELECT COUNT(*) FROM river_job WHERE state = 'discarded'": "0",
	} {
		var got string
		if err := db.QueryRowContext(k.t.Context(), query).Scan(&got); err != nil || got != want {
			k.t.Errorf("%s: %s, not %s (%v)", query, got, want, err)
		}
	}
}
