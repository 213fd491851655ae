package scenario_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestGuide runs what docs/automation.md shows: its Python with pytest, and its switches.
func TestGuide(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/automation.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)```(?:python|yaml)\n# (\\S+)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		files[block[1]] = block[2]
		if filepath.Ext(block[1]) != ".py" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, block[1]), []byte(block[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) != 4 {
		t.Fatalf("the page has %d files", len(files))
	}
	checkWorkflow(t, files[".github/workflows/desktops.yml"])
	checkSwitches(t, string(page))

	config := filepath.Join(dir, "aws-config")
	if err := os.WriteFile(config, []byte(awsConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	pytest := exec.CommandContext(t.Context(), pythonWith(t, "boto3", "pytest"), "-m", "pytest", "-q", "-p", "no:cacheprovider", dir) // a Python of this machine
	pytest.Dir = dir
	pytest.Env = append(clean(os.Environ()), "CARREL="+program, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+config, "PYTHONDONTWRITEBYTECODE=1")
	pytest.Cancel = func() error { return pytest.Process.Signal(os.Interrupt) }
	pytest.WaitDelay = 30 * time.Second
	out, err := pytest.CombinedOutput()
	if err != nil || !regexp.MustCompile(`\b8 passed`).Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
}

// pythonWith returns a Python that has the modules.
func pythonWith(t *testing.T, modules ...string) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import "+strings.Join(modules, ", ")).Run() == nil { // as it says
			return python
		}
	}
	if os.Getenv("CARREL_TEST_REQUIRE") == "1" {
		t.Fatalf("no Python has %v", modules)
	}
	t.Skipf("no Python has %v; scripts/install-packages.sh test installs them", modules)
	return ""
}

// checkWorkflow looks at the steps of the workflow.
func checkWorkflow(t *testing.T, text string) {
	t.Helper()
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct{ Run, Uses string }
		}
	}
	if err := yaml.Unmarshal([]byte(text), &workflow); err != nil {
		t.Fatal(err)
	}
	for _, step := range workflow.Jobs["test"].Steps {
		if (step.Run == "") == (step.Uses == "") {
			t.Errorf("a step of the workflow does nothing: %+v", step)
		}
	}
}

// checkSwitches holds every switch that the page names against the program's own help.
func checkSwitches(t *testing.T, page string) {
	t.Helper()
	help, err := exec.CommandContext(t.Context(), program, "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`\s--([a-z][a-z-]+)`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(string(help), "--"+name[1]+" ") {
			t.Errorf("carrel serve has no --%s", name[1])
		}
	}
}
