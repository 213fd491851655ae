package scenario_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	wsapi "carrel/internal/api/workspaces"
)

// TestCommandLineIsWhole holds the scenarios of the AWS CLI against the API's model: each operation
// has a command there that must succeed.
func TestCommandLineIsWhole(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/command_line_*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	command := regexp.MustCompile(`(?m)^exec aws workspaces ([a-z-]+)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range command.FindAllStringSubmatch(string(text), -1) {
			have = append(have, match[1])
		}
	}
	for _, op := range wsapi.Service.Operations {
		if name := commandOf(op.Spec().Name); !slices.Contains(have, name) {
			t.Errorf("no scenario of testdata/command_line_*.txtar has: exec aws workspaces %s", name)
		}
	}
}

// hasCommandLine answers [command-line]: there is an AWS CLI that knows the newest operations.
// Those of distributions may be older.
var hasCommandLine = sync.OnceValues(func() (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// Without its arguments the command is refused, by the reason whether it is known.
	refusal, err := exec.CommandContext(ctx, "aws", "workspaces", commandOf(wsapi.ImportCustomWorkspaceImage.Name)).CombinedOutput()
	return err != nil && strings.Contains(string(refusal), "--image-name"), nil
})

// commandOf is what the AWS CLI calls an operation: its words in lower case, with dashes between them.
func commandOf(operation string) string {
	var b strings.Builder
	for i, r := range operation {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
