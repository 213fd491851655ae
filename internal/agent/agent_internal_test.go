package agent

import (
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"carrel/internal/clock"
)

func TestBackoffForgetsAfterAHealthyRun(t *testing.T) {
	t.Parallel()
	var deaths backoff
	for _, step := range []struct{ ran, want time.Duration }{
		{0, shortestWait},
		{time.Second, 2 * shortestWait},
		{healthyAfter - 1, 4 * shortestWait},
		{healthyAfter, shortestWait},
		{0, 2 * shortestWait},
	} {
		if got := deaths.after(step.ran); got != step.want {
			t.Errorf("after %v: %v, want %v", step.ran, got, step.want)
		}
	}
}

func TestEverySignalHasItsAction(t *testing.T) {
	t.Parallel()
	for signal, want := range map[syscall.Signal]action{
		syscall.SIGCHLD: reap, syscall.SIGPWR: halt, syscall.SIGTERM: halt, sigRTMin3: halt, syscall.SIGINT: reboot,
		syscall.SIGHUP: ignore, syscall.SIGQUIT: ignore, syscall.SIGPIPE: ignore,
	} {
		if got := actionFor(signal); got != want {
			t.Errorf("%v: %v, want %v", signal, got, want)
		}
	}
}

func TestALogStaysWithinItsBounds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.log")
	log, err := openLog(path, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{strings.Repeat("a", 60), strings.Repeat("b", 60), strings.Repeat("c", 1000)} {
		if n, err := log.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	current, _ := os.ReadFile(path)
	previous, _ := os.ReadFile(path + ".1")
	if string(current) != strings.Repeat("c", 100) || string(previous) != strings.Repeat("b", 60) {
		t.Errorf("current %q, previous %q", current, previous)
	}
}

func TestStatusFileFollows(t *testing.T) {
	t.Parallel()
	timekeeper := clock.New()
	timekeeper.Freeze()
	board := &statusBoard{path: filepath.Join(t.TempDir(), "status.json"), clock: timekeeper}
	board.update(func(s *Status) { s.Phase = PhaseStarting })
	began := timekeeper.Now()
	if err := timekeeper.Advance(time.Minute); err != nil {
		t.Fatal(err)
	}
	board.update(func(s *Status) { s.Error = "of note"; s.Display.started(7) })
	content, err := os.ReadFile(board.path)
	if err != nil {
		t.Fatal(err)
	}
	var got Status
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	want := Status{Phase: PhaseStarting, Since: began, Error: "of note", Display: Program{PID: 7}}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestRFBSocketIsRootsAlone(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "rfb") //nolint:usetesting // a socket's path is short, which the test's own directory may not be
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rfb.sock")
	for range 2 { // the second time in the place of the first
		socket, err := listen(path)
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	connection, err := new(net.Dialer).DialContext(t.Context(), "unix", path)
	if err != nil {
		t.Fatalf("nobody has accepted yet, and still a connection must wait rather than fail: %v", err)
	}
	connection.Close()
}

func TestDisplayOpensNoPortAndGetsTheSocket(t *testing.T) {
	t.Parallel()
	socket, ready, output := os.Stdin, os.Stderr, os.Stdout
	cmd := displayCommand(Config{User: "Jane", UID: 10001, Geometry: "1280x800"}, socket, ready, output)
	line := strings.Join(cmd.argv, " ")
	if cmd.argv[len(cmd.argv)-1] != "-inetd" || !strings.Contains(line, "-nolisten tcp") || strings.Contains(line, "-rfbport") {
		t.Errorf("command %q", line)
	}
	if cmd.stdin != socket || cmd.extra[1] != ready || cmd.uid != 10001 {
		t.Errorf("command %+v", cmd)
	}
}

func TestTheDisplayMayFinishItsLine(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe() // a write returns once all of it was read, and fails when the reader is closed
	ready := awaitLine(reader)
	for _, part := range []string{"0", "\n"} {
		select {
		case <-ready:
			t.Fatalf("ready before %q", part)
		default:
		}
		if _, err := io.WriteString(writer, part); err != nil {
			t.Fatalf("write of %q: %v", part, err)
		}
	}
	<-ready
}

func TestADisplayThatDiesIsNotReady(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	ready := awaitLine(reader)
	if _, err := io.WriteString(writer, "0"); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	if _, err := writer.Write(nil); err == nil {
		t.Error("the pipe is still open")
	}
	select {
	case <-ready:
		t.Error("ready on half a line")
	default:
	}
}

func TestTemporaryDirectoriesDoNotFollowTheUsersLinks(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	victim := filepath.Join(root, "victim")
	if err := os.Mkdir(victim, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(root, "tmp/.X11-unix")); err != nil {
		t.Fatal(err)
	}
	if err := prepareTemporary(root); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{
		"victim": os.ModeDir | 0o700, "tmp": os.ModeDir | os.ModeSticky | 0o777, "tmp/.X11-unix": os.ModeDir | os.ModeSticky | 0o777,
	} {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), mode)
		}
	}
}

func TestResolversTakeThePlaceOfALink(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "etc/resolv.conf")
	if err := os.Symlink("../run/somewhere", path); err != nil {
		t.Fatal(err)
	}
	if err := setResolvers(root, []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")}); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); string(content) != "nameserver 10.0.0.1\nnameserver fd00::1\n" {
		t.Errorf("%q, %v", content, err)
	}
	if info, _ := os.Lstat(path); info.Mode()&os.ModeSymlink != 0 {
		t.Error("still a link")
	}
}

func TestHostsNamesTheMachineShortAndLong(t *testing.T) {
	t.Parallel()
	if got := hosts("desk.example.com"); !strings.Contains(got, "127.0.1.1 desk.example.com desk\n") {
		t.Errorf("got %q", got)
	}
	if got := hosts("desk"); !strings.Contains(got, "127.0.1.1 desk\n") {
		t.Errorf("got %q", got)
	}
}

func TestMachineIDIsMadeOnce(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for range 2 {
		if err := ensureMachineID(root); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(root, "etc/machine-id"))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, string(content))
	}
	if len(ids[0]) != 33 || ids[0] != ids[1] {
		t.Errorf("identities %q", ids)
	}
}

func TestOutputReachesTheLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.log")
	log, err := openLog(path, maxLog)
	if err != nil {
		t.Fatal(err)
	}
	output, err := log.pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(output, "a line\n"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if content, _ := os.ReadFile(path); string(content) == "a line\n" {
			return
		}
	}
	t.Error("the line did not arrive")
}

func TestTheSideProgramIsTheUsers(t *testing.T) {
	t.Parallel()
	socket := os.Stdin
	cmd := sideCommand(Config{UID: 10001, Lang: "C.UTF-8"}, account{name: "jane", uid: 10001, home: "/home/jane"}, []uint32{27}, socket, nil)
	if cmd.uid != 10001 || !slices.Equal(cmd.groups, []uint32{27}) || !slices.Equal(cmd.extra, []*os.File{socket}) ||
		!slices.Equal(cmd.argv, []string{"/proc/self/exe", SideArgument}) {
		t.Errorf("command %+v", cmd)
	}
	for _, variable := range []string{"HOME=/home/jane", "XDG_RUNTIME_DIR=/run/user/10001"} {
		if !slices.Contains(cmd.env, variable) {
			t.Errorf("environment %q is without %s", cmd.env, variable)
		}
	}
}

// TestACallerIsAwaited has two callers connect; each is waited for only until the one before has been accepted.
func TestACallerIsAwaited(t *testing.T) {
	t.Parallel()
	socket, err := listen(filepath.Join(t.TempDir(), "side.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	came := make(chan error)
	go func() { came <- awaitCaller(socket) }()
	select {
	case err := <-came:
		t.Fatalf("somebody came before anybody did: %v", err)
	default:
	}
	caller, err := new(net.Dialer).DialContext(t.Context(), "unix", socket.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	if err := <-came; err != nil {
		t.Error(err)
	}
}
