package job_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/job/jobtest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// runningPool makes a pool with so many desktops ready, changed as a test wants it.
func runningPool(t *testing.T, w *jobtest.World, desired int, change ...func(*workspaces.Pool)) (id string) {
	t.Helper()
	id = pool(w, desired).ID
	changePool(w, id, func(p *workspaces.Pool) {
		for _, f := range change {
			f(p)
		}
	})
	w.Settle()
	wantPool(t, w, id, workspaces.PoolRunning, desired)
	return id
}

func keeping(p *workspaces.Pool) { p.SettingsGroup = "lab" }

// join has a user sign in to a pool.
func join(t *testing.T, w *jobtest.World, pool, user string) *workspaces.PoolSession {
	t.Helper()
	s, err := w.API.JoinPool(w.Context(), pool, user)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pass has everything done that was asked for, and what is due within so long.
func pass(w *jobtest.World, within time.Duration) {
	before := ""
	for end := w.Clock.Now().Add(within); ; {
		if now := standing(w); now != before { // River would have been handed something
			hand(w)
			before = now
		}
		next := w.NextDue()
		if next.IsZero() || next.After(end) {
			w.Advance(max(end.Sub(w.Clock.Now()), 0))
			return
		}
		w.Advance(max(next.Sub(w.Clock.Now())+time.Microsecond, 0))
		w.WakeDue()
	}
}

// standing tells apart what pools, their desktops and sessions have come to.
func standing(w *jobtest.World) (text string) {
	w.View(func(ctx context.Context, tx *store.Tx) error {
		desktops, err := tx.EveryPoolDesktop(ctx)
		for _, d := range desktops {
			text += fmt.Sprintln(d.ID, d.State)
		}
		pools, e := tx.Pools(ctx, store.PoolFilter{Scope: jobtest.Scope()})
		err = errors.Join(err, e)
		for _, p := range pools.Pools {
			page, e := tx.PoolSessions(ctx, store.PoolSessionFilter{Scope: p.Scope, PoolID: p.ID})
			err = errors.Join(err, e)
			for _, s := range page.Sessions {
				text += fmt.Sprintln(s.ID, s.State)
			}
			text += fmt.Sprintln(p.ID, p.Generation)
		}
		return err
	})
	return text
}

// hand makes due, but for sessions that last, what waits for the watchdog.
func hand(w *jobtest.World) {
	w.Update(func(ctx context.Context, tx *store.Tx) error {
		now := w.Clock.Now()
		err := errors.Join(tx.HastenAll(ctx, workspaces.KindPoolDesktop, now), tx.HastenAll(ctx, workspaces.KindPool, now))
		pools, e := tx.Pools(ctx, store.PoolFilter{Scope: jobtest.Scope()})
		err = errors.Join(err, e)
		for _, p := range pools.Pools {
			page, e := tx.PoolSessions(ctx, store.PoolSessionFilter{Scope: p.Scope, PoolID: p.ID})
			err = errors.Join(err, e)
			for _, s := range page.Sessions {
				if s.State != workspaces.PoolSessionActive {
					err = errors.Join(err, tx.PutOff(ctx, workspaces.KindPoolSession, s.Ref(), now))
				}
			}
		}
		return err
	})
}

// sessionNow returns the session, nil where it is over.
func sessionNow(w *jobtest.World, s *workspaces.PoolSession) (now *workspaces.PoolSession) {
	w.View(func(ctx context.Context, tx *store.Tx) error {
		found, exists, err := tx.PoolSession(ctx, s.Scope, s.ID)
		if now = nil; exists {
			now = found
		}
		return err
	})
	return now
}

// connect opens a stream to the session's desktop, and returns what closes it.
func connect(w *jobtest.World, s *workspaces.PoolSession) (leave func()) {
	st := store.Stream{Scope: s.Scope, WorkSpaceID: s.DesktopID, ID: "a", OpenedAt: w.Clock.Now()}
	w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.OpenStream(ctx, st) })
	return func() {
		w.Update(func(ctx context.Context, tx *store.Tx) error { return tx.CloseStream(ctx, st, w.Clock.Now()) })
	}
}

// TestPoolRace has many users come at once, each in several tabs, to fewer or more desktops: nobody shares
// one, nobody has two, and none is left while somebody is sent away.
func TestPoolRace(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		w := jobtest.New(t, url, engine(0))
		random := rand.New(rand.NewPCG(1, 2)) // a test's
		for range 4 {
			users, desktops := 1+random.IntN(8), 1+random.IntN(6)
			id := runningPool(t, w, desktops)
			sessions, refused := rush(t, w, id, users)
			if want := min(users, desktops); len(sessions) != want || refused != users-want {
				t.Errorf("%d users on %d desktops: %d sessions, %d refused", users, desktops, len(sessions), refused)
			}
			taken := make(map[string]string)
			for user, s := range sessions {
				if other, twice := taken[s.DesktopID]; twice {
					t.Errorf("%s and %s are both on %s", user, other, s.DesktopID)
				}
				taken[s.DesktopID] = user
			}
			w.Settle() // until all are over
			wantPool(t, w, id, workspaces.PoolRunning, desktops)
			_, left := poolNow(w, id)
			for _, d := range left {
				if user, used := taken[d.ID]; used {
					t.Errorf("the desktop that %s had is there again", user)
				}
			}
			changePool(w, id, func(p *workspaces.Pool) { p.BeginTerminate(w.Clock.Now()) })
			w.Settle()
		}
	})
}

// rush has so many users come, each three times, and returns the sessions by user, and how many users got none.
func rush(t *testing.T, w *jobtest.World, pool string, users int) (sessions map[string]*workspaces.PoolSession, refused int) {
	t.Helper()
	sessions = make(map[string]*workspaces.PoolSession)
	away := make(map[string]bool)
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 3 * users {
		all.Go(func() {
			user := fmt.Sprintf("user%d", i%users)
			s, err := w.API.JoinPool(w.Context(), pool, user)
			mu.Lock()
			defer mu.Unlock()
			if no, ok := errors.AsType[*workspaces.Error](err); ok && no.Code == workspaces.CodeUnavailable {
				away[user] = true
				return
			}
			if err != nil {
				t.Errorf("%s: %v", user, err)
				return
			}
			if other := sessions[user]; other != nil && other.ID != s.ID {
				t.Errorf("%s has two sessions", user)
			}
			sessions[user] = s
		})
	}
	all.Wait()
	for user := range away {
		if sessions[user] == nil {
			refused++
		}
	}
	return sessions, refused
}

// TestPoolSessionEnds lets the time pass that ends sessions.
func TestPoolSessionEnds(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(0))
	id := runningPool(t, w, 1, func(p *workspaces.Pool) { p.Timeouts = workspaces.PoolTimeouts{Disconnect: 120, Maximum: 3600} })
	lasts := func(what string, s *workspaces.PoolSession, within time.Duration) {
		t.Helper()
		pass(w, within)
		if sessionNow(w, s) == nil {
			t.Fatalf("%s: it is over too soon", what)
		}
	}
	over := func(what string, s *workspaces.PoolSession, within time.Duration) {
		t.Helper()
		pass(w, within)
		if s := sessionNow(w, s); s != nil {
			t.Fatalf("%s: it goes on: %+v", what, s)
		}
		wantPool(t, w, id, workspaces.PoolRunning, 1)
		if _, d := poolNow(w, id); d[0].ID == s.DesktopID || d[0].State != workspaces.PoolDesktopReady {
			t.Fatalf("%s: the desktop %s is not replaced: %+v", what, s.DesktopID, d[0])
		}
	}

	s := join(t, w, id, "jane")
	lasts("nobody came", s, 119*time.Second)
	over("nobody came", s, 2*time.Second)

	s = join(t, w, id, "jane")
	leave := connect(w, s)
	lasts("connected", s, 50*time.Minute)
	leave()
	lasts("left", s, 119*time.Second)
	if again := join(t, w, id, "JANE"); again.ID != s.ID {
		t.Errorf("coming back gives another session: %+v", again)
	}
	leave = connect(w, s)
	lasts("back", s, 3*time.Minute)
	leave()
	over("left for good", s, 121*time.Second)

	s = join(t, w, id, "jane")
	leave = connect(w, s)
	lasts("connected for long", s, 3599*time.Second)
	over("connected for too long", s, 2*time.Second)
	leave()

	s = join(t, w, id, "jane")
	connect(w, s)
	if err := w.API.LeavePool(w.Context(), id, "Jane"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.API.JoinPool(w.Context(), id, "jane"); err == nil || !strings.Contains(err.Error(), "being ended") {
		t.Errorf("joining what ends: %v", err)
	}
	over("signed out", s, time.Second)

	// A desktop that dies takes its session with it.
	s = join(t, w, id, "jane")
	_, desktops := poolNow(w, id)
	if err := w.Runner.ReplacePoolDesktop(w.Context(), desktops[0]); err != nil {
		t.Fatal(err)
	}
	over("the desktop has died", s, time.Second)
}

// TestPoolShrinks takes no desktop from a session, until the pool stops.
func TestPoolShrinks(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(time.Second))
	id := runningPool(t, w, 3)
	changePool(w, id, func(p *workspaces.Pool) { p.RunningMode = workspaces.AutoStop })
	jane, john := join(t, w, id, "jane"), join(t, w, id, "john")
	connect(w, jane)
	connect(w, john)
	one := 1
	changePool(w, id, func(p *workspaces.Pool) {
		if err := p.Change(workspaces.PoolChange{Desired: &one}, w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	})
	pass(w, time.Minute)
	wantPool(t, w, id, workspaces.PoolRunning, 2)
	if err := w.API.LeavePool(w.Context(), id, "jane"); err != nil {
		t.Fatal(err)
	}
	pass(w, time.Minute)
	wantPool(t, w, id, workspaces.PoolRunning, 1)
	if sessionNow(w, john) == nil {
		t.Error("john's session is over")
	}
	changePool(w, id, func(p *workspaces.Pool) {
		if err := p.BeginStop(w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	})
	pass(w, time.Minute)
	wantPool(t, w, id, workspaces.PoolStopped, 0)
	if s := sessionNow(w, john); s != nil {
		t.Errorf("john's session goes on: %+v", s)
	}
	if _, err := w.API.JoinPool(w.Context(), id, "jane"); err == nil {
		t.Error("jane is let in to a pool that is stopped")
	}
}

// putSetting has the session's desktop hold a file of the user's home.
func putSetting(t *testing.T, w *jobtest.World, s *workspaces.PoolSession, name, text string) {
	t.Helper()
	if err := w.Engine.WriteFile(t.Context(), s.DesktopID, simulated.Home, name, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// wantSetting fails the test unless the file holds the text; "": there is none.
func wantSetting(t *testing.T, w *jobtest.World, s *workspaces.PoolSession, name, want string) {
	t.Helper()
	got, err := w.Engine.ReadFile(t.Context(), s.DesktopID, simulated.Home, name)
	if string(got) != want || err != nil && (want != "" || !errors.Is(err, fs.ErrNotExist)) {
		t.Errorf("%s on %s is %q, %v, want %q", name, s.DesktopID, got, err, want)
	}
}

// prepared is a user's session once it is active.
func prepared(t *testing.T, w *jobtest.World, pool, user string) *workspaces.PoolSession {
	t.Helper()
	s := join(t, w, pool, user)
	pass(w, time.Minute)
	if s = sessionNow(w, s); s == nil || s.State != workspaces.PoolSessionActive {
		t.Fatalf("the session is not active: %+v", s)
	}
	return s
}

func leavePool(t *testing.T, w *jobtest.World, pool, user string) {
	t.Helper()
	if err := w.API.LeavePool(w.Context(), pool, user); err != nil {
		t.Fatal(err)
	}
	pass(w, time.Minute)
}

func TestPoolKeepsSettings(t *testing.T) {
	t.Parallel()
	w := jobtest.New(t, storetest.SQLite(t), engine(time.Second))
	id := runningPool(t, w, 2, keeping)
	s := prepared(t, w, id, "jane")
	putSetting(t, w, s, ".config/app.conf", "colour=blue")
	putSetting(t, w, s, ".cache/heap", "of no use")
	putSetting(t, w, s, "Documents/report.txt", "not settings")
	leavePool(t, w, id, "jane")
	leavePool(t, w, id, "john") // who has none

	s = prepared(t, w, id, "JANE")
	wantSetting(t, w, s, ".config/app.conf", "colour=blue")
	wantSetting(t, w, s, ".cache/heap", "")
	wantSetting(t, w, s, "Documents/report.txt", "")
	wantSetting(t, w, s, "Desktop/.carrel-settings", "")
	wantSetting(t, w, prepared(t, w, id, "john"), ".config/app.conf", "")

	// What is too much to be kept, or cannot be, takes nothing away.
	putSetting(t, w, s, ".config/app.conf", "colour=red")
	for i := range 2 {
		putSetting(t, w, s, fmt.Sprintf(".heap%d", i), strings.Repeat("x", 800_000))
	}
	leavePool(t, w, id, "jane")
	w.Driver.Fail("Run", fmt.Errorf("%w: no shell", compute.ErrFailed))
	s = join(t, w, id, "jane")
	pass(w, 10*time.Minute)
	if s = sessionNow(w, s); s == nil || s.State != workspaces.PoolSessionActive || s.SettingsGroup != "" {
		t.Fatalf("%+v", s)
	}
	w.Driver.Fail("", nil)
	leavePool(t, w, id, "jane")
	s = prepared(t, w, id, "jane")
	wantSetting(t, w, s, ".config/app.conf", "colour=blue")

	// Who ends what has not begun leaves what is kept.
	leavePool(t, w, id, "jane")
	join(t, w, id, "jane")
	leavePool(t, w, id, "jane")
	s = prepared(t, w, id, "jane")
	wantSetting(t, w, s, ".config/app.conf", "colour=blue")

	changePool(w, id, func(p *workspaces.Pool) { p.BeginTerminate(w.Clock.Now()) })
	w.Settle()
	w.View(func(ctx context.Context, tx *store.Tx) error {
		archive, err := tx.PoolSettings(ctx, s)
		if archive != nil {
			t.Errorf("%d bytes outlive their pool", len(archive))
		}
		return err
	})
}

// TestPoolSessionDying has the process die before or after each call of the engine, while a session with
// settings ends, and while the next begins.
func TestPoolSessionDying(t *testing.T) {
	t.Parallel()
	for at := range 6 {
		for _, called := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d, made: %v", at, called), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				config := engine(time.Second)
				config.Dir = filepath.Join(dir, "engine")
				w := jobtest.New(t, filepath.Join(dir, "carrel.db"), config)
				id := runningPool(t, w, 1, keeping)
				putSetting(t, w, prepared(t, w, id, "jane"), ".config/app.conf", "colour=blue")
				if err := w.API.LeavePool(w.Context(), id, "jane"); err != nil {
					t.Fatal(err)
				}
				dying(t, w, at, called)
				wantPool(t, w, id, workspaces.PoolRunning, 1)
				s := join(t, w, id, "jane")
				dying(t, w, at, called, time.Minute)
				wantSetting(t, w, s, ".config/app.conf", "colour=blue")
				w.Settle()
				wantPool(t, w, id, workspaces.PoolRunning, 1)
			})
		}
	}
}
