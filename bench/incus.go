package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute/incus"
	"carrel/internal/installation"
	"carrel/internal/rfb"
	"carrel/internal/store"
)

var errNoIncus = errors.New("no Incus answers")

// incusServer is a carrel with a project of its own on Incus.
type incusServer struct {
	*server
	project, installation string
}

// startOnIncus starts a carrel with real desktops. Errors: errNoIncus.
func startOnIncus(ctx context.Context, o options) (*incusServer, error) {
	if exec.CommandContext(ctx, "incus", "query", "/1.0").Run() != nil {
		return nil, errNoIncus
	}
	project := fmt.Sprintf("carrel-bench-%d", os.Getpid())
	s, err := startCarrel(ctx, o, "--engine", "incus", "--incus-project", project)
	if err != nil {
		return nil, err
	}
	id, err := s.installation(ctx)
	if err != nil {
		s.stop()
		return nil, err
	}
	return &incusServer{s, project, id}, nil
}

// stop ends the server and removes what it made in Incus.
func (s *incusServer) stop() {
	s.server.stop()
	if err := clean(context.Background(), s.project, s.installation); err != nil {
		fmt.Fprintln(os.Stderr, "cleaning Incus:", err)
	}
}

// benchIncus measures from CreateWorkspaces to AVAILABLE on real Incus, beside a bare
// incus launch of the same image and the time to its RFB greeting. The two take turns, so
// that both meet the same machine.
func benchIncus(ctx context.Context, o options, t *table) error {
	s, err := startOnIncus(ctx, o)
	if errors.Is(err, errNoIncus) {
		t.add("CreateWorkspaces to AVAILABLE on Incus", "not measured", "Incus does not answer", "")
		return nil
	}
	if err != nil {
		return err
	}
	defer s.stop()
	for _, count := range o.desktops {
		rounds := max(1, 10/count)
		var ours, bare []time.Duration
		for round := range rounds + 1 {
			o1, err := s.desktops(ctx, count, round)
			if err != nil {
				return err
			}
			b1, err := launches(ctx, o.image, count, round)
			if err != nil {
				return err
			}
			if round > 0 { // the first warms up both
				ours, bare = append(ours, o1...), append(bare, b1...)
			}
		}
		slices.Sort(ours)
		slices.Sort(bare)
		mine, theirs := ours[len(ours)/2], bare[len(bare)/2]
		target := ""
		if count < 25 {
			target = " (at most 1.5)"
		}
		t.add(fmt.Sprintf("CreateWorkspaces to AVAILABLE on Incus, %d at once, median", count),
			fmt.Sprintf("%.2f s", mine.Seconds()), fmt.Sprintf("incus launch to greeting: %.2f s", theirs.Seconds()),
			fmt.Sprintf("%.2f%s", mine.Seconds()/theirs.Seconds(), target))
	}
	return nil
}

// installation returns what the server's things in Incus are marked with.
func (s *server) installation(ctx context.Context) (id string, err error) {
	state, err := store.Open(ctx, installation.Folder{Path: s.dir}.Database())
	if err != nil {
		return "", err
	}
	err = state.View(func(tx *store.Tx) (err error) {
		id, err = tx.Setting(ctx, "installation")
		return err
	})
	return id, errors.Join(err, state.Close())
}

// clean removes what the server has made in Incus.
func clean(ctx context.Context, project, id string) error {
	driver, err := incus.Open(ctx, incus.Config{Project: project, Installation: id, Clock: clock.New()})
	if err != nil {
		return err
	}
	return driver.Remove(ctx)
}

// desktops makes WorkSpaces at once and returns how long each took; then it terminates them.
func (s *server) desktops(ctx context.Context, count, round int) ([]time.Duration, error) {
	var reply struct {
		PendingRequests []struct{ WorkspaceId string }
	}
	start := time.Now()
	out, err := s.workspaces(ctx, "CreateWorkspaces", createBody(s.directory, "wsb-carrelval", fmt.Sprintf("i%d-%d", count, round), count))
	if err == nil {
		err = json.Unmarshal(out, &reply)
	}
	if err != nil {
		return nil, err
	}
	took := make(map[string]time.Duration)
	for len(took) < len(reply.PendingRequests) {
		var page struct {
			Workspaces []struct{ WorkspaceId, State, ErrorMessage string }
		}
		out, err := s.workspaces(ctx, "DescribeWorkspaces", "{}")
		if err == nil {
			err = json.Unmarshal(out, &page)
		}
		if err != nil {
			return nil, err
		}
		for _, w := range page.Workspaces {
			if w.State == "ERROR" {
				return nil, errors.New(w.ErrorMessage)
			}
			if _, known := took[w.WorkspaceId]; w.State == "AVAILABLE" && !known {
				took[w.WorkspaceId] = time.Since(start)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	var ids []map[string]string
	var times []time.Duration
	for id, d := range took {
		ids, times = append(ids, map[string]string{"WorkspaceId": id}), append(times, d)
	}
	if err := s.call(ctx, "workspaces", "WorkspacesService.TerminateWorkspaces", map[string]any{"TerminateWorkspaceRequests": ids}, nil); err != nil {
		return nil, err
	}
	for {
		n, err := s.list(ctx, nil)
		if err != nil || n == 0 {
			return times, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// launches runs bare incus launch that often at once, and returns how long each took to
// answer with its RFB greeting.
func launches(ctx context.Context, image string, count, round int) ([]time.Duration, error) {
	times, errs := make([]time.Duration, count), make([]error, count)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range count {
		wg.Go(func() {
			errs[i] = launch(ctx, image, bareName(count, round, i))
			times[i] = time.Since(start)
		})
	}
	wg.Wait()
	for i := range count {
		wg.Go(func() {
			out, err := exec.CommandContext(ctx, "incus", "delete", "--force", bareName(count, round, i)).CombinedOutput()
			if err != nil && errs[i] == nil {
				errs[i] = fmt.Errorf("%w: %s", err, out)
			}
		})
	}
	wg.Wait()
	return times, errors.Join(errs...)
}

func bareName(count, round, i int) string {
	return fmt.Sprintf("carrel-bench-%d-%d-%d-%d", os.Getpid(), count, round, i)
}

func launch(ctx context.Context, image, name string) error {
	out, err := exec.CommandContext(ctx, "incus", "launch", image, name, "--storage", "carrel",
		"--config", "environment.CARREL_USER=bench", "--config", "security.idmap.isolated=true").CombinedOutput()
	if err != nil {
		return fmt.Errorf("incus launch: %w: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var state struct{ Pid int }
	if out, err = exec.CommandContext(ctx, "incus", "query", "/1.0/instances/"+name+"/state").Output(); err == nil {
		err = json.Unmarshal(out, &state)
	}
	if err != nil {
		return fmt.Errorf("incus query: %w", err)
	}
	// The screen's socket, seen from the host: the image is our own, so that no link lies there.
	socket := fmt.Sprintf("/proc/%d/root/run/carrel/rfb.sock", state.Pid)
	for !greets(ctx, socket) {
		if ctx.Err() != nil {
			return fmt.Errorf("%s does not greet", name)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// greets reports whether a screen answers.
func greets(ctx context.Context, socket string) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return false
	}
	defer conn.Close() // only read from
	return rfb.Greeting(ctx, conn) == nil
}
