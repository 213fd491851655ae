package cli_test

import (
	"strings"
	"testing"

	"carrel/internal/cli"
)

// commands are all the commands that do something.
func commands() []string {
	return []string{
		"serve", "env", "key create", "key list", "key delete", "user add", "user list", "user passwd", "user disable", "user delete",
		"network list", "directory list", "directory quickstart", "image build", "image list", "doctor", "watch", "screen", "version",
		"saml set", "saml show", "saml remove",
	}
}

func TestEveryCommandHelpsWithAnExample(t *testing.T) {
	t.Parallel()
	for _, name := range append([]string{"", "key", "user", "network", "directory", "image", "saml"}, commands()...) {
		r := command{}.run(t, append(strings.Fields(name), "--help")...).succeed(t)
		if !strings.Contains(r.out, "Examples:\n  ") || !strings.Contains(r.out, "carrel "+name) {
			t.Errorf("carrel %s: got %s", name, r.out)
		}
		for line := range strings.Lines(r.out) {
			if len(line) > 160 {
				t.Errorf("carrel %s: a long line: %s", name, line)
			}
		}
	}
}

func TestEveryCommandRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, name := range commands() {
		command{}.run(t, append(strings.Fields(name), "--no-such-flag")...).fail(t, cli.ExitUsage, "See carrel "+name+" --help.")
	}
	command{}.run(t, "wotch").fail(t, cli.ExitUsage, "there is no command carrel wotch; did you mean watch")
	command{}.run(t, "key", "crate").fail(t, cli.ExitUsage, "there is no command carrel key crate; did you mean create")
	command{}.run(t, "user", "list", "--output", "xml").fail(t, cli.ExitUsage, "must be table or json")
}

func TestVersion(t *testing.T) {
	t.Parallel()
	command{parts: cli.Parts{Version: "v1.2.3"}}.run(t, "version").succeed(t).prints(t, "carrel v1.2.3\n")
}
