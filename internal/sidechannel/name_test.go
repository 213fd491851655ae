package sidechannel_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"carrel/internal/sidechannel"
)

func TestValidName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"report.pdf": true, ".profile": true, "...": true, "-rf": true, "a b": true, "%2F": true, `a\b`: true, "日本語": true,
		strings.Repeat("x", 255): true, strings.Repeat("x", 256): false, strings.Repeat("é", 128): false,
		"": false, ".": false, "..": false, "a/b": false, "/": false, "\x00": false, "a\nb": false, "\u0085": false, "\xff": false,
	} {
		if got := sidechannel.ValidName(name); got != want {
			t.Errorf("ValidName(%q) = %v", name, got)
		}
	}
}

func TestNumbered(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 125) + ".txt" // 254 bytes
	for _, c := range []struct {
		name string
		n    int
		want string
	}{
		{"report.pdf", 1, "report.pdf"},
		{"report.pdf", 2, "report (2).pdf"},
		{"report (2).pdf", 2, "report (2) (2).pdf"},
		{"src.tar.gz", 3, "src (3).tar.gz"},
		{"README", 2, "README (2)"},
		{".profile", 2, ".profile (2)"},
		{"v1.0 of the whole report", 2, "v1.0 of the whole report (2)"},
		{"a.", 2, "a (2)."},
		{long, 10, strings.Repeat("ä", 123) + " (10).txt"},
	} {
		if got := sidechannel.Numbered(c.name, c.n); got != c.want {
			t.Errorf("Numbered(%q, %d) = %q, want %q", c.name, c.n, got, c.want)
		}
	}
}

// FuzzNumbered holds that a number makes another name of a name, and a valid one.
func FuzzNumbered(f *testing.F) {
	f.Add("report.pdf", 2)
	f.Add(strings.Repeat("日", 85), 999)
	f.Add(".tar.gz", 12)
	f.Fuzz(func(t *testing.T, name string, n int) {
		if !sidechannel.ValidName(name) || n < 2 || n > 1_000_000 {
			t.Skip()
		}
		got := sidechannel.Numbered(name, n)
		if !sidechannel.ValidName(got) || got == name || !utf8.ValidString(got) {
			t.Errorf("Numbered(%q, %d) = %q", name, n, got)
		}
		if other := sidechannel.Numbered(name, n+1); other == got {
			t.Errorf("%q has the numbers %d and %d", got, n, n+1)
		}
	})
}
