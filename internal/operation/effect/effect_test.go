package effect_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carrel/internal/operation/effect"
)

// folder makes a package of one file with a method Do of Service with the comment.
func folder(t *testing.T, comment string) string {
	t.Helper()
	dir := t.TempDir()
	source := "package p\n\ntype Service struct{}\n\n" + comment + "\nfunc (s Service) Do() {}\n\nfunc (s Service) Other() {}\n\nfunc Do() {}\n"
	if err := os.WriteFile(filepath.Join(dir, "do.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := folder(t, "// Do makes a thing, e.g. a\n// good one.\n//\n// Effect: desktop, network. It is\n// made. Really.")
	got, err := effect.Read(dir, "Service", []string{"Do"})
	if err != nil {
		t.Fatal(err)
	}
	e := got["Do"]
	if len(got) != 1 || e.File != "do.go" || e.Does != "makes a thing, e.g. a good one." || e.Note != "It is made. Really." ||
		!slices.Equal(e.Kinds, []string{"desktop", "network"}) {
		t.Errorf("%+v", got)
	}
	page := effect.Page([]string{"Do"}, got, "internal/p")
	for _, want := range []string{
		"There are 1 operations. None is a record only.",
		"| Do | Makes a thing, e.g. a good one. | [do.go](../internal/p/do.go) | desktop, network | It is made. Really. |\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
}

func TestReadRefusesWhatNothingCarriesOut(t *testing.T) {
	t.Parallel()
	got, err := effect.Read(folder(t, "// Do does.\n//\n// Effect: answer. So."), "Service", []string{"Do", "Undo"})
	if err == nil || !strings.Contains(err.Error(), "no method of Service carries out Undo") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadRefusesWhatSaysNothing(t *testing.T) {
	t.Parallel()
	for comment, want := range map[string]string{
		"":                                       "do.go: Do says nothing of its effect",
		"// Do does.":                            "says nothing of its effect",
		"// Do does.\n//\n// Effect: magic. So.": `"magic", which is not a word`,
		"// Do does.\n//\n// Effect: record.":    "not how or why",
		"// Do does.\n//\n// Effect: ":           "says nothing of its effect",
		"// Do does.\n//\n// Effect: answer, desktop. So.": "cannot only answer",
	} {
		got, err := effect.Read(folder(t, comment), "Service", []string{"Do"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v", comment, got, err)
		}
	}
}
