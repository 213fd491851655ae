package operation_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/compute/simulated"
	"carrel/internal/control"
	"carrel/internal/directory/embedded"
	"carrel/internal/job"
	"carrel/internal/journal"
	"carrel/internal/operation"
	"carrel/internal/operation/directoryservice"
	"carrel/internal/operation/monitoring"
	"carrel/internal/operation/tagging"
	"carrel/internal/store"
)

// recorded is a server with a journal, and what replays one on it.
type recorded struct {
	*server
	journal *journal.Journal
	control http.Handler
	player  *journal.Player
}

// record starts a server whose engine takes a minute for everything, so that nothing happens but
// when the clock is moved.
func record(t *testing.T, seed *uint64) *recorded {
	t.Helper()
	return recordWith(t, seed, time.Minute)
}

// recordWith starts a server whose engine takes as long for everything.
func recordWith(t *testing.T, seed *uint64, takes time.Duration) *recorded {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	var core *operation.Core
	var runner **job.Runner
	var r recorded
	r.server = start(t, faulty, func(set *setup) {
		set.Clock.FreezeAt(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		e := &set.engine
		for _, b := range []*simulated.Behaviour{
			&e.Create, &e.Start, &e.Stop, &e.Reboot, &e.Delete, &e.Rebuild, &e.Restore, &e.Capture, &e.MakeImage, &e.Resize, &e.Receive, &e.Run,
		} {
			b.Min, b.Max = takes, takes
		}
		set.DedicatedTenancy = true
		r.journal = journal.New(set.Clock, log, seed, "0")
		set.journal, core, runner = r.journal, &set.Core, &set.runner
	})
	beside := &control.Control{
		Store: r.store, Clock: r.clock, Log: log, ForTests: true, Faults: r.faults, Signed: func(h http.Handler) http.Handler { return h },
		Reset: func(context.Context) error { return nil }, API: r.api, Rest: (*runner).Rest,
	}
	r.journal.Rest = (*runner).Rest
	r.control = r.journal.Control(beside.Handler())
	r.player = &journal.Player{Store: r.store, Clock: r.clock, Journal: r.journal, Log: log, Control: r.control, API: r.api, Rest: (*runner).Rest}
	cloudWatch, err := monitoring.New(core, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range slices.Concat(
		r.api.Handlers(), directoryservice.New(core, embedded.NewHasher()).Handlers(), tagging.New(core).Handlers(), cloudWatch.Handlers(),
	) {
		r.player.Handlers = append(r.player.Handlers, r.faults.Middleware()(r.journal.Middleware()(h)))
	}
	r.directoryCalled(t, r.client().scope, "d-0123456789", "ted")
	r.directoryCalled(t, r.as(stranger, farRegion).scope, "d-9876543210", "ted")
	r.directoryCalled(t, r.as(account, farRegion).scope, "d-1111111111", "ted")
	t.Cleanup(func() {
		if err := r.journal.Close(); err != nil {
			t.Error(err)
		}
	})
	return &r
}

// begun is the line that a journal begins with.
func (r *recorded) begun(t *testing.T) journal.Start {
	t.Helper()
	s := journal.Start{Fresh: true}
	err := r.store.View(func(tx *store.Tx) (err error) {
		s.Subnets, err = tx.Subnets(t.Context())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask asks a control endpoint.
func (r *recorded) ask(t *testing.T, path, body string) {
	t.Helper()
	reply := httptest.NewRecorder()
	r.control.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/_carrel/"+path, strings.NewReader(body)))
	if reply.Code >= http.StatusMultipleChoices {
		t.Fatalf("%s: %s", path, reply.Body)
	}
}

// rest waits until nothing is to be done at the clock's time.
func (r *recorded) rest(t *testing.T) {
	t.Helper()
	r.await(t, "rest", func() (resting bool) {
		err := r.store.View(func(tx *store.Tx) (err error) {
			resting, err = tx.AtRest(t.Context(), r.clock.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return resting
	})
}

// all is everything that clients of an account see.
func (r *recorded) all(t *testing.T, c client) string {
	t.Helper()
	var b strings.Builder
	add := func(v any, err error) {
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(show(v) + "\n")
	}
	found := r.describe(t, c)
	add(found, nil)
	groups, err := c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{})
	if err == nil {
		add(groups.Result, nil)
	}
	directories, e := c.DescribeWorkspaceDirectories(t.Context(), &sdk.DescribeWorkspaceDirectoriesInput{})
	if err == nil && e == nil {
		add(directories.Directories, nil)
	}
	for _, w := range found {
		tags, e := c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: w.WorkspaceId})
		if e != nil {
			t.Fatal(e)
		}
		add(tags.TagList, nil)
		snapshots, e := c.DescribeWorkspaceSnapshots(t.Context(), &sdk.DescribeWorkspaceSnapshotsInput{WorkspaceId: w.WorkspaceId})
		if e != nil {
			t.Fatal(e)
		}
		add(snapshots.RebuildSnapshots, nil)
	}
	if err != nil || e != nil {
		t.Fatal(err, e)
	}
	return b.String()
}

// walk does something at random.
func (r *recorded) walk(t *testing.T, c client, dice *rand.Rand, directory string) {
	t.Helper()
	ctx := t.Context()
	id := "ws-000000000"
	if found := r.describe(t, c); len(found) > 0 && dice.IntN(10) > 0 {
		id = *found[dice.IntN(len(found))].WorkspaceId
	}
	switch dice.IntN(12) {
	case 0, 1, 2:
		in := &sdk.CreateWorkspacesInput{}
		for range 1 + dice.IntN(4) {
			in.Workspaces = append(in.Workspaces, order(directory, fmt.Sprintf("user%d", dice.IntN(20)), autoStop))
		}
		_, _ = c.CreateWorkspaces(ctx, in)
	case 3:
		_, _ = stopWorkSpaces(t, c, id)
	case 4:
		_, _ = startWorkSpaces(t, c, id)
	case 5:
		_, _ = rebootWorkSpaces(t, c, id)
	case 6:
		_, _ = terminateWorkSpaces(t, c, id)
	case 7:
		_, _ = c.CreateTags(ctx, &sdk.CreateTagsInput{ResourceId: &id, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String(fmt.Sprint(dice.IntN(9)))}}})
	case 8:
		_, _ = c.CreateIpGroup(ctx, &sdk.CreateIpGroupInput{GroupName: aws.String(fmt.Sprintf("g%d", dice.IntN(5)))})
	case 9:
		_, _ = c.ModifyWorkspaceProperties(ctx, &sdk.ModifyWorkspacePropertiesInput{WorkspaceId: &id, WorkspaceProperties: &types.WorkspaceProperties{
			RunningMode: types.RunningModeAlwaysOn,
		}})
	case 10:
		r.ask(t, "clock", fmt.Sprintf(`{"advance": "%ds"}`, 20+dice.IntN(60)))
	default:
		r.ask(t, "clock", fmt.Sprintf(`{"advance": "%dm"}`, 1+dice.IntN(90)))
	}
	r.rest(t)
}

// TestReplay does things at random, and compares what a replay of the journal leads to.
func TestReplay(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal")
			first := record(t, nil)
			if err := first.journal.Open(path, first.begun(t)); err != nil {
				t.Fatal(err)
			}
			c, far := first.client(), first.as(stranger, farRegion)
			dice := rand.New(rand.NewPCG(seed, 1)) // has to repeat itself
			d, e := "d-0123456789", "d-9876543210"
			first.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d})
			first.register(t, far, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &e})
			first.ask(t, "faults", `{"name": "error-after-n", "probability": 0.2, "seed": 3}`)
			first.ask(t, "faults", `{"name": "missing-user", "user": "user7"}`)
			first.ask(t, "faults", `{"name": "throttling", "probability": 0.1, "operation": "StopWorkspaces"}`)
			for range 60 {
				first.walk(t, c, dice, d)
				first.walk(t, far, dice, e)
			}
			want, wantFar, now := first.all(t, c), first.all(t, far), first.clock.Now()
			if strings.Count(want, "WorkspaceId") < 3 {
				t.Errorf("there is little to compare: %s", want)
			}
			file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.WriteString(`{"at": "2026-`); err != nil || file.Close() != nil { // as a crash leaves it
				t.Fatal(err)
			}

			second := record(t, nil)
			again := filepath.Join(t.TempDir(), "again")
			if err := second.journal.Open(again, second.begun(t)); err != nil {
				t.Fatal(err)
			}
			replay(t, second, path, true)
			if got := second.all(t, second.client()); got != want {
				t.Errorf("after the replay there is %s, not %s", got, want)
			}
			if got := second.all(t, second.as(stranger, farRegion)); got != wantFar {
				t.Errorf("after the replay there is %s, not %s", got, wantFar)
			}
			if got := second.clock.Now(); !got.Equal(now) || second.clock.Scale() != 0 {
				t.Errorf("the clock shows %v at %v, not %v", got, second.clock.Scale(), now)
			}
			// What was replayed is in the journal of the second, and can be replayed in its turn.
			third := record(t, nil)
			replay(t, third, again, false)
			if got := third.all(t, third.client()); got != want {
				t.Errorf("after the replay of the replay there is %s, not %s", got, want)
			}
		})
	}
}

// TestReplayOfManyClients has requests come at once: the order in which they took effect is the journal's.
func TestReplayOfManyClients(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	first := record(t, nil)
	if err := first.journal.Open(path, first.begun(t)); err != nil {
		t.Fatal(err)
	}
	c, d := first.client(), "d-0123456789"
	first.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d})
	first.ask(t, "faults", `{"name": "error-after-n", "after": 3, "count": 9}`)
	var clients sync.WaitGroup
	for n := range 6 {
		clients.Go(func() {
			for i := range 8 {
				in := &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, fmt.Sprintf("user%d", i)), order(d, fmt.Sprintf("user-%d-%d", n, i))}}
				if _, err := c.CreateWorkspaces(t.Context(), in); err != nil { // of the first, one client's is made
					t.Error(err)
				}
				if _, err := c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: aws.String(fmt.Sprintf("g%d", i))}); err == nil {
					first.describe(t, c)
				}
			}
		})
	}
	clients.Wait()
	first.ask(t, "clock", `{"advance": "5m"}`)
	first.rest(t)
	want := first.all(t, c)
	second := record(t, nil)
	replay(t, second, path, false)
	if got := second.all(t, second.client()); got != want {
		t.Errorf("after the replay there is %s, not %s", got, want)
	}
}

// replay replays a journal, which must go as it went.
func replay(t *testing.T, r *recorded, path string, torn bool) { //nolint:revive // says what to expect
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	played, err := r.player.Play(t.Context(), file)
	if err != nil || len(played.Differences) > 0 || played.Requests < 20 || played.Torn != torn {
		t.Fatalf("%+v, %v", played, err)
	}
}

// TestSeededIDs has two servers give the same ids, whatever else they are asked in between.
func TestSeededIDs(t *testing.T) {
	t.Parallel()
	run := func(seed uint64, reads int) string {
		r := record(t, &seed)
		c, d := r.client(), ""
		out, err := c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: aws.String("g")})
		if err != nil {
			t.Fatal(err)
		}
		for range reads {
			r.describe(t, c)
			if _, err := r.as(stranger, region).CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: aws.String("g")}); err != nil && reads < 2 {
				t.Fatal(err)
			}
		}
		d = "d-0123456789"
		r.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d})
		ids := r.order(t, c, d, "a", "b")
		return *out.GroupId + strings.Join(ids, " ")
	}
	first, same, other := run(1, 0), run(1, 3), run(2, 0)
	if first != same || first == other {
		t.Errorf("%s, %s, %s", first, same, other)
	}
}

// TestSeededIDsOfManyClients has several clients ask at once: what each is given does not depend on who was first.
func TestSeededIDsOfManyClients(t *testing.T) {
	t.Parallel()
	run := func() string {
		seed := uint64(1)
		r := record(t, &seed)
		c, d := r.client(), "d-0123456789"
		r.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d})
		var clients sync.WaitGroup
		for n := range 6 {
			clients.Go(func() {
				in := &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "wanted-by-all"), order(d, fmt.Sprint("user", n))}}
				if _, err := c.CreateWorkspaces(t.Context(), in); err != nil {
					t.Error(err)
				}
				for range 3 { // the same again and again
					if _, err := c.CreateConnectionAlias(t.Context(), &sdk.CreateConnectionAliasInput{ConnectionString: aws.String(fmt.Sprintf("n%d.example.com", n))}); err == nil {
						break
					}
				}
			})
		}
		clients.Wait()
		var ids []string
		for _, w := range r.describe(t, c) {
			if *w.UserName != "wanted-by-all" { // whose is another's each time
				ids = append(ids, *w.UserName+" "+*w.WorkspaceId)
			}
		}
		aliases, err := c.DescribeConnectionAliases(t.Context(), &sdk.DescribeConnectionAliasesInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range aliases.ConnectionAliases {
			ids = append(ids, *a.ConnectionString+" "+*a.AliasId)
		}
		slices.Sort(ids)
		return strings.Join(ids, "\n")
	}
	if first, second := run(), run(); first != second || strings.Count(first, "\n") != 11 {
		t.Errorf("%s\n\nand\n\n%s", first, second)
	}
}

func TestReplayRefuses(t *testing.T) {
	t.Parallel()
	const start = `{"carrel_journal":1,"at":"2026-03-01T12:00:00Z","scale":1,"subnets":[]}` + "\n"
	for text, says := range map[string]string{
		"what?\n":                             "line 1: it is not a journal",
		`{"carrel_journal":2}` + "\n":         "line 1: it is not a journal of version 1",
		start + "what?\n" + start:             "line 2",
		start + `{"seed":"00"}` + "\n":        "line 2: there is no operation",
		start + `{"control":"PUT /x"}` + "\n": "line 2: PUT /x",
		start + `{"seed":"00","service":"workspaces","operation":"CreateIpGroup"}` + "\n": `"00" is no seed`,
	} {
		if _, err := record(t, nil).player.Play(t.Context(), strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %q", text, err, says)
		}
	}
	used := record(t, nil)
	used.home(t)
	if _, err := used.player.Play(t.Context(), strings.NewReader(start)); err == nil || !strings.Contains(err.Error(), "fresh server") {
		t.Errorf("got %v", err)
	}
	// One that answers otherwise is told of.
	r := record(t, nil)
	played, err := r.player.Play(t.Context(), io.MultiReader(strings.NewReader(start), strings.NewReader(
		`{"at":"2026-03-01T12:00:01Z","service":"workspaces","operation":"CreateIpGroup","account":"1","region":"eu-central-1","seed":"`+
			strings.Repeat("0", 64)+`","input":{"GroupName":"g"},"output":{"GroupId":"wsipg-000000000"}}`+"\n")))
	if err != nil || len(played.Differences) != 1 || !strings.Contains(played.Differences[0], "line 2: CreateIpGroup: the answer was") {
		t.Errorf("%+v, %v", played, err)
	}
}
