package simulated

import (
	"os"
	"path/filepath"
	"testing"

	"carrel/internal/compute"
)

// TestFailedWriteIsRepaired needs the journal's file in its hands: outside of the
// package nothing makes a write fail half-way.
func TestFailedWriteIsRepaired(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, _, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.close() }()
	x := desktop{Spec: compute.Desktop{ID: "ws-1"}, Whole: true}
	if err := j.append(entry{desktop: x}); err != nil {
		t.Fatal(err)
	}

	good := j.file
	readOnly, err := os.Open(j.path)
	if err != nil {
		t.Fatal(err)
	}
	j.file = readOnly
	if err := j.append(entry{desktop: desktop{Spec: x.Spec, Running: true}}); err == nil {
		t.Fatal("a write that failed is not reported")
	}
	_ = readOnly.Close()
	j.file = good
	if _, err := good.WriteString(`{"spec":{"ID":"ws-`); err != nil { // what a full disk had room for
		t.Fatal(err)
	}

	y := desktop{Spec: compute.Desktop{ID: "ws-2"}, Whole: true}
	if err := j.append(entry{desktop: y}); err != nil {
		t.Fatalf("append after a failure: %v", err)
	}
	got, err := j.read()
	if err != nil || len(got.desktops) != 2 || *got.desktops["ws-1"] != x || *got.desktops["ws-2"] != y {
		t.Errorf("read = %+v, %v, want the two that were written", got, err)
	}
}

// TestLostFileIsAnError reads a journal that names a file which it does not have.
func TestLostFileIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	line := `{"spec":{"ID":"ws-1"},"whole":true,"disks":{"home":{"a":"0123"}}}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "desktops.jsonl"), []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openJournal(dir); err == nil {
		t.Error("a file that is nowhere is not reported")
	}
}
