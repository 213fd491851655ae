package incus_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"carrel/internal/compute"
	"carrel/internal/sidechannel"
)

// xfce is an engine with one desktop of the real image (desktop/), or of the one that
// CARREL_TEST_IMAGE names.
type xfce struct {
	*engine
	*testing.T
	id      string
	channel sidechannel.Client
}

func openXFCE(t *testing.T) *xfce {
	t.Helper()
	e := open(t)
	e.image = cmp.Or(os.Getenv("CARREL_TEST_IMAGE"), "carrel/xfce")
	images, err := e.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(images, func(i compute.Image) bool { return i.Name == e.image }) {
		if os.Getenv("CARREL_TEST_REQUIRE") == "1" {
			t.Fatal("there is no image ", e.image)
		}
		t.Skip("there is no image ", e.image, "; carrel image build makes it")
	}
	desktop := e.desktop(10, e.subnet)
	desktop.MemoryMiB, desktop.RootGiB = 1024, 4
	if err := e.finish(func(ctx context.Context) (time.Time, error) { return e.Create(ctx, desktop) }); err != nil {
		t.Fatal(err)
	}
	x := &xfce{engine: e, T: t, id: desktop.ID}
	x.channel.Dial = func(ctx context.Context) (net.Conn, error) { return e.DialSide(ctx, desktop.ID) }
	return x
}

// run runs a line of the shell as a user of the desktop and returns whether it succeeded.
func (x *xfce) run(user, line string) bool {
	x.Helper()
	ctx, cancel := context.WithTimeout(x.Context(), patience)
	defer cancel()
	status, said, err := x.Exec(ctx, x.id, "su", user, "-c", "export XDG_RUNTIME_DIR=/run/user/10001; "+line)
	if err != nil {
		x.Fatalf("%s: %v", line, err)
	}
	if said != "" {
		x.Logf("%s: status %d: %s", line, status, said)
	}
	return status == 0
}

func (x *xfce) holds(user, line string) {
	x.Helper()
	if !x.run(user, line) {
		x.Errorf("in the desktop, for %s, this does not hold: %s", user, line)
	}
}

func (x *xfce) put(folder sidechannel.Folder, name string, content []byte) (sidechannel.File, error) {
	x.Helper()
	return x.channel.Put(x.Context(), folder, name, bytes.NewReader(content), int64(len(content)))
}

// TestFilesOfARealDesktop puts a file into a desktop, where it is the user's, and takes
// one that the user made.
func TestFilesOfARealDesktop(t *testing.T) {
	t.Parallel()
	x := openXFCE(t)
	file, err := x.put(sidechannel.Desktop, "Übung 1.txt", []byte("for jane"))
	if err != nil || file.Name != "Übung 1.txt" {
		t.Fatal(file, err)
	}
	x.holds("root", `test "$(stat -c '%u:%g %a' '/home/jane/Desktop/Übung 1.txt')" = "10001:10001 644"`)
	x.holds("jane", `test "$(cat ~/Desktop/Übung\ 1.txt)" = "for jane"`)
	x.holds("jane", `mkdir -p ~/Documents && echo by jane > ~/Documents/report.txt`)
	content, _, err := x.channel.Get(t.Context(), sidechannel.Documents, "report.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if got, _ := io.ReadAll(content); string(got) != "by jane\n" {
		t.Errorf("took %q", got)
	}

	// The channel can do what the user can, and no more; and nobody in the desktop reaches it.
	x.holds("root", `test "$(ps -o user= -C exe)" = jane`)
	x.holds("root", `touch /home/jane/Documents/secret && chmod 600 /home/jane/Documents/secret`)
	if _, _, err := x.channel.Get(t.Context(), sidechannel.Documents, "secret"); !errors.Is(err, sidechannel.ErrDenied) {
		t.Errorf("root's file: %v, want ErrDenied", err)
	}
	x.holds("jane", `rm -rf ~/Downloads && ln -s /tmp ~/Downloads`)
	if _, err := x.put(sidechannel.Downloads, "x", nil); !errors.Is(err, sidechannel.ErrDenied) {
		t.Errorf("a folder that leads out of the home: %v, want ErrDenied", err)
	}
	x.holds("jane", `! socat -u OPEN:/dev/null UNIX-CONNECT:/run/carrel/side.sock`)
	x.holds("root", `test -z "$(ss -ltnH)"`)
	if _, err := x.put(sidechannel.Desktop, "large", make([]byte, 1200<<20)); !errors.Is(err, sidechannel.ErrNoRoom) {
		t.Errorf("1.2 GB into a user volume of 1 GiB: %v, want ErrNoRoom", err)
	}
	x.holds("jane", `test "$(ls -A ~/Desktop)" = 'Übung 1.txt'`)
}

// TestSoundOfARealDesktop plays a tone in a desktop and hears it.
func TestSoundOfARealDesktop(t *testing.T) {
	t.Parallel()
	x := openXFCE(t)
	tone := make([]byte, sidechannel.SecondBytes)
	for frame := range sidechannel.SampleRate {
		sample := int16(10_000 * math.Sin(2*math.Pi*1000*float64(frame)/sidechannel.SampleRate))
		for channel := range sidechannel.Channels {
			at := frame*sidechannel.FrameBytes + 2*channel
			tone[at], tone[at+1] = byte(sample), byte(sample>>8)
		}
	}
	if _, err := x.put(sidechannel.Documents, "tone.raw", tone); err != nil {
		t.Fatal(err)
	}
	heard, err := x.channel.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	x.holds("root", `! pidof -q pulseaudio`) // it is there for those who play
	var playing sync.WaitGroup
	defer playing.Wait()
	playing.Go(func() {
		status, said, err := x.Exec(t.Context(), x.id, "su", "jane", "-c",
			"XDG_RUNTIME_DIR=/run/user/10001 paplay --raw --rate=48000 --channels=2 --format=s16le ~/Documents/tone.raw")
		if status != 0 || err != nil {
			t.Errorf("paplay: status %d: %s %v", status, said, err)
		}
	})

	defer time.AfterFunc(patience, func() { heard.Close() }).Stop()
	pcm := make([]byte, sidechannel.SecondBytes*9/10)
	if _, err := io.ReadFull(heard, pcm); err != nil {
		t.Fatalf("heard nothing, or not enough: %v", err)
	}
	if crossings := crossings(pcm); crossings < 1700 || crossings > 1900 {
		t.Errorf("a tone of 1000 Hz crosses zero %d times in 0.9 s", crossings)
	}
	x.holds("jane", `pactl info | grep -q 'Default Sink: carrel'`)
}

// crossings counts how often the left side of PCM changes its sign.
func crossings(pcm []byte) int {
	count, last := 0, int16(0)
	for ; len(pcm) >= sidechannel.FrameBytes; pcm = pcm[sidechannel.FrameBytes:] {
		sample := int16(pcm[0]) | int16(pcm[1])<<8
		if sample != 0 && last != 0 && (sample < 0) != (last < 0) {
			count++
		}
		if sample != 0 {
			last = sample
		}
	}
	return count
}

// TestSignOutOfARealDesktop has the X server die and the session be killed, which is no sign-out, and then the user sign out.
func TestSignOutOfARealDesktop(t *testing.T) {
	t.Parallel()
	x := openXFCE(t)
	if os.Getenv("CARREL_TEST_REQUIRE") != "1" && !x.run("root", `grep -q signOuts /usr/sbin/carrel-agent`) {
		t.Skip("the image's agent is of a time before it told of sign-outs; carrel image build makes it anew")
	}
	// A session that has just begun takes no wish to end: it has begun when its desktop is drawn.
	begun := func(before string) {
		t.Helper()
		x.holds("root", `for i in $(seq 300); do p=$(pgrep -u 10001 -x xfce4-session) && [ "$p" != "`+before+`" ] && pgrep -u 10001 -x xfdesktop && sleep 4 && exit; sleep 0.2; done; exit 1`)
	}
	told := make(chan error, 1)
	go func() {
		for {
			err := x.channel.AwaitSignOut(t.Context())
			if !errors.Is(err, sidechannel.ErrReply) { // a line that breaks is asked again
				told <- err
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	begun("")
	for _, end := range []string{`pkill -KILL -x Xvnc`, `pkill -KILL -x xfce4-session`} {
		x.holds("root", `pgrep -u 10001 -x xfce4-session >/tmp/ended; `+end)
		begun("$(cat /tmp/ended)")
		select {
		case err := <-told:
			t.Fatalf("%s is taken for a sign-out: %v", end, err)
		default:
		}
	}
	began := time.Now()
	x.holds("jane", `DISPLAY=:0 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/10001/bus timeout 20 xfce4-session-logout --logout --fast`)
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	t.Logf("told after %v", time.Since(began))
	x.holds("root", `grep -q '"signOuts":1' /run/carrel/status.json`)
	begun("")
	if err := x.channel.AwaitSignOut(t.Context()); err != nil {
		t.Errorf("asked again: %v", err)
	}
}
