package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/api/dsdata"
	"carrel/internal/clock"
	"carrel/internal/workspaces"
)

func TestRedacted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		input any
		lacks string
		has   []string
	}{
		"a directory": {&ds.CreateDirectoryRequest{Name: new("a.example.com"), Password: new("s3cret!"), Size: new("Small")}, "s3cret", []string{"a.example.com", Redacted}},
		"a connector": {
			&ds.ConnectDirectoryRequest{Name: new("a"), Password: new("s3cret!"), ConnectSettings: &ds.DirectoryConnectSettings{CustomerUserName: new("admin")}},
			"s3cret",
			[]string{"admin", Redacted},
		},
		"a user":    {&ds.ResetUserPasswordRequest{UserName: new("jane"), NewPassword: new("s3cret!")}, "s3cret", []string{"jane", Redacted}},
		"a trust":   {&ds.CreateTrustRequest{TrustPassword: new("s3cret!")}, "s3cret", []string{Redacted}},
		"no secret": {&dsdata.CreateUserRequest{SAMAccountName: new("PasswordKeeper"), DirectoryId: new("d-1")}, Redacted, []string{"PasswordKeeper"}},
	} {
		got := string(redacted(c.input, false))
		if strings.Contains(got, c.lacks) {
			t.Errorf("%s: %s", name, got)
		}
		for _, part := range c.has {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %s has no %s", name, got, part)
			}
		}
	}
}

// TestStandIns: what stands for a password is taken, or refused for the same reason, and tells nothing else of it.
func TestStandIns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ user, password, is string }{
		{"jane", "weak", "aaaa"},
		{"jane", "Pässword 9", "Aéaaaaaa-0"},
		{"jane", "Xx-jAne-2026", "Aa-jAne-0000"},
		{"Administrator", "administrator-1A", "administrator-0A"},
		{"jane", strings.Repeat("aB3", 30), strings.Repeat("aA0", 30)},
		{"", "", ""},
	} {
		refused := workspaces.CheckPassword(c.user, c.password)
		got := like(c.password, c.user)
		if again := workspaces.CheckPassword(c.user, got); got != c.is || like(got, c.user) != got || fmt.Sprint(again) != fmt.Sprint(refused) {
			t.Errorf("%q of %s: %q is refused with %v, not %v", c.password, c.user, got, again, refused)
		}
	}
	for _, user := range []string{"jane", "ted", "Journal", "-by", "zq9", "administrator"} {
		in := &ds.ResetUserPasswordRequest{UserName: &user, NewPassword: new("Good-enough-1")}
		var out struct{ NewPassword string }
		if err := json.Unmarshal(redacted(in, false), &out); err != nil || workspaces.CheckPassword(user, out.NewPassword) != nil {
			t.Errorf("%s could not have %q, %v", user, out.NewPassword, err)
		}
	}
}

// TestSecretsAreKnown goes through all members of the models that sound like a secret.
func TestSecretsAreKnown(t *testing.T) {
	t.Parallel()
	for member, secret := range map[string]bool{
		"Password": true, "NewPassword": true, "TrustPassword": true, "SharedSecret": true,
		"ForgotPasswordLink": false, "ServiceAccountSecretArn": false, "UserName": false,
	} {
		if isSecret(member) != secret {
			t.Errorf("%s is a secret: %v", member, !secret)
		}
	}
}

func TestQueryOf(t *testing.T) {
	t.Parallel()
	if got := queryOf(&dsdata.CreateUserRequest{DirectoryId: new("d-1"), SAMAccountName: new("jane")}); len(got) != 1 || got["DirectoryId"] != "d-1" {
		t.Errorf("got %v", got)
	}
	for _, none := range []any{nil, &ds.CreateDirectoryRequest{Name: new("a")}, &api.Unmodelled{}} {
		if got := queryOf(none); got != nil {
			t.Errorf("%T: got %v", none, got)
		}
	}
}

// TestTornLine opens a journal behind what a crash has left.
func TestTornLine(t *testing.T) {
	t.Parallel()
	for left, kept := range map[string]string{"": "", mark + "\n": mark + "\n", mark + "\nb": mark + "\n", mark + "b": "", "{": ""} {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, []byte(left), 0o600); err != nil {
			t.Fatal(err)
		}
		j := New(clock.New(), slog.New(slog.DiscardHandler), nil, "")
		if err := errors.Join(j.Open(path, Start{}), j.Close(), j.Close()); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if rest, found := strings.CutPrefix(string(got), kept+`{"carrel_journal":1,`); err != nil || !found || strings.Count(rest, "\n") != 1 {
			t.Errorf("%q became %q, %v", left, got, err)
		}
	}
}

// TestNoJournal gives it a file of something else.
func TestNoJournal(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a letter", "a letter\n", "{}\n", `{"carrel": 1}`} {
		path := filepath.Join(t.TempDir(), "letter")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := New(clock.New(), slog.New(slog.DiscardHandler), nil, "").Open(path, Start{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q is taken for a journal: %v", text, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

// full is a disk that is full.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }
func (full) Close() error              { return nil }

func TestJournalEndsWhereItCannotBeWritten(t *testing.T) {
	t.Parallel()
	j := New(clock.New(), slog.New(slog.DiscardHandler), nil, "")
	j.file = full{}
	if err := j.write(Record{}); err == nil || !strings.Contains(err.Error(), "ends here") {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(j.write(Record{}), j.Close()); err != nil {
		t.Errorf("got %v", err)
	}
}

// TestControlWritesWhatHadAnEffect leaves out what only asks, and what was refused.
func TestControlWritesWhatHadAnEffect(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	c := clock.New()
	c.FreezeAt(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	j := New(c, slog.New(slog.DiscardHandler), nil, "")
	if err := j.Open(path, Start{}); err != nil {
		t.Fatal(err)
	}
	handler := j.Control(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("bad") {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	for _, request := range []string{
		"GET /_carrel/clock", "POST /_carrel/clock?bad", "POST /_carrel/clock", "POST /_carrel/faults", "DELETE /_carrel/faults/fault-1",
		"PUT /_carrel/desktops/x", "PUT /_carrel/regions/eu-west-1", "POST /_carrel/reset", "POST /moto-api/reset",
	} {
		method, target, _ := strings.Cut(request, " ")
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(`{"advance": "1h"}`)))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if err != nil || len(lines) != 7 || lines[1] != `{"at":"2026-03-01T12:00:00Z","scale":0,"control":"POST /_carrel/clock","input":{"advance":"1h"}}` {
		t.Errorf("%s, %v", text, err)
	}
}
