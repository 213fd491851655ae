package computetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"carrel/internal/compute"
	"carrel/internal/sidechannel"
)

// side puts files into a desktop through its side channel and takes them back, hears
// its sound, and sees what becomes of all that when the desktop stops.
func (s *suite) side() {
	d := s.desktop()
	s.must("Create", s.create(d))
	channel := s.channel(d.ID)
	s.putsAndGets(channel)
	s.refusesFiles(channel)
	heard := s.hears(channel)

	s.must("Stop", s.stop(d.ID))
	s.goesSilent(heard)
	if _, err := channel.List(s.Context()); !errors.Is(err, compute.ErrNotRunning) {
		s.Errorf("files of a stopped desktop: %v, want ErrNotRunning", err)
	}
	s.reopen()
	s.must("Start", s.start(d.ID))
	if got, err := get(s.Context(), s.channel(d.ID), "plain.txt"); err != nil || string(got) != "of plain.txt" {
		s.Errorf("after a restart the file is %q, %v", got, err)
	}
}

func (s *suite) channel(id string) sidechannel.Client {
	return sidechannel.Client{Dial: func(ctx context.Context) (net.Conn, error) { return s.Driver.DialSide(ctx, id) }}
}

// putsAndGets puts files of all kinds of names, one of them twice.
func (s *suite) putsAndGets(channel sidechannel.Client) {
	s.Helper()
	want := make(map[string]string)
	for _, name := range []string{
		"plain.txt", "-rf", "a b%2F?#&+.txt", `back\slash "quoted".txt`, "Übergröße.pdf", "日本語のファイル.txt", "🙂.png",
		"\u202egnp.exe", strings.Repeat("ä", 100) + ".txt", "no extension", "dots ...",
	} {
		s.put(channel, name, name, want)
	}
	s.put(channel, "plain.txt", "plain (2).txt", want)
	s.put(channel, "e\u0301.txt", "é.txt", want) // as a Mac spells it
	s.put(channel, ".hidden", ".hidden", want)
	delete(want, ".hidden") // it is there, and not shown
	listing, err := channel.List(s.Context())
	if err != nil {
		s.Fatalf("List: %v", err)
	}
	for _, f := range listing.Files {
		if content, known := want[f.Name]; !known || f.Folder != sidechannel.Desktop || f.Size != int64(len(content)) {
			s.Errorf("List has %+v", f)
		}
		delete(want, f.Name)
	}
	if len(want) > 0 || listing.More {
		s.Errorf("List is without %q (more: %v)", want, listing.More)
	}
}

// put puts a file, finds it where it should be, and notes that.
func (s *suite) put(channel sidechannel.Client, name, wantName string, want map[string]string) {
	s.Helper()
	content := "of " + wantName
	file, err := channel.Put(s.Context(), sidechannel.Desktop, name, strings.NewReader(content), int64(len(content)))
	if err != nil || file.Name != wantName || file.Folder != sidechannel.Desktop || file.Size != int64(len(content)) {
		s.Errorf("Put of %q = %+v, %v", name, file, err)
		return
	}
	if got, err := get(s.Context(), channel, wantName); err != nil || string(got) != content {
		s.Errorf("Get of %q = %q, %v", wantName, got, err)
	}
	want[wantName] = content
}

func get(ctx context.Context, channel sidechannel.Client, name string) ([]byte, error) {
	content, size, err := channel.Get(ctx, sidechannel.Desktop, name)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	got, err := io.ReadAll(content)
	if err == nil && int64(len(got)) != size {
		err = errors.New("its length is not the one announced")
	}
	return got, err
}

// refusesFiles asks for what cannot be.
func (s *suite) refusesFiles(channel sidechannel.Client) {
	s.Helper()
	for name, want := range map[string]error{
		"missing.txt": sidechannel.ErrNoFile, "a/b": sidechannel.ErrName, "../x": sidechannel.ErrName,
		"bell\a": sidechannel.ErrName, strings.Repeat("x", 256): sidechannel.ErrName,
	} {
		if _, err := get(s.Context(), channel, name); !errors.Is(err, want) {
			s.Errorf("Get of %q: %v, want %v", name, err, want)
		}
	}
	if _, err := channel.Put(s.Context(), "Music", "x", strings.NewReader("x"), 1); !errors.Is(err, sidechannel.ErrNoFile) {
		s.Errorf("Put into a folder that is none: %v, want ErrNoFile", err)
	}
	broken := io.MultiReader(strings.NewReader("half"), failing{})
	if _, err := channel.Put(s.Context(), sidechannel.Desktop, "broken", broken, 8); !errors.Is(err, errBroken) {
		s.Errorf("Put of what breaks off: %v, want its own error", err)
	}
	if _, err := get(s.Context(), channel, "broken"); !errors.Is(err, sidechannel.ErrNoFile) {
		s.Errorf("a file that broke off: %v, want ErrNoFile", err)
	}
}

var errBroken = errors.New("the content broke off")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// hears listens until something is to be heard.
func (s *suite) hears(channel sidechannel.Client) io.ReadCloser {
	s.Helper()
	heard, err := channel.Listen(s.Context())
	if err != nil {
		s.Fatalf("Listen: %v", err)
	}
	s.Cleanup(func() { _ = heard.Close() })
	defer time.AfterFunc(noticeable, func() { _ = heard.Close() }).Stop()
	for pcm := make([]byte, 4096); ; {
		n, err := heard.Read(pcm)
		if err != nil {
			s.Fatalf("Listen hears nothing: %v", err)
		}
		if len(bytes.Trim(pcm[:n], "\x00")) > 0 {
			return heard
		}
	}
}

// goesSilent fails the test unless the sound ends.
func (s *suite) goesSilent(heard io.ReadCloser) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), noticeable)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = heard.Close() })()
	_, _ = io.Copy(io.Discard, heard)
	if ctx.Err() != nil {
		s.Errorf("the sound of a desktop that does not run any more is still open")
	}
}
