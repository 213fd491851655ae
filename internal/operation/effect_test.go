package operation_test

import (
	"os"
	"testing"

	"carrel/internal/operation/effect"
)

// TestOperationsPage holds docs/operations.md against the comments of the methods.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	names := operations(t)
	effects, err := effect.Read(".", "WorkSpaces", names)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil || string(page) != effect.Page(names, effects, "internal/operation") {
		t.Errorf("docs/operations.md is not what the comments say: run go generate ./internal/operation (%v)", err)
	}
}
