package operation_test

import (
	"os"
	"slices"
	"testing"

	"carrel/internal/operation/effect"
)

// TestOperationsPage holds docs/operations.md against the comments of the methods, and the
// comments against what is carried out.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	names := operations(t)
	effects, err := effect.Read(".", "WorkSpaces", names)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, said := effects[name]; said == slices.Contains(unsupported(), name) {
			t.Errorf("%s: its effect is said: %v, and it is on the list of those that are not carried out: %v", name, said, !said)
		}
	}
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil || string(page) != effect.Page(names, effects, "internal/operation") {
		t.Errorf("docs/operations.md is not what the comments say: run go generate ./internal/operation (%v)", err)
	}
}
