package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// status is how it stands with something.
type status string

const (
	statusOK      status = "ok"
	statusWarn    status = "warn"    // it works without, but not as it could
	statusMissing status = "missing" // it does not work without
)

// finding is what doctor found of one thing, as doctor --output json prints it.
type finding struct {
	Status status `json:"status"`
	What   string `json:"what"`
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"` // what to do about it
}

func okf(what, format string, args ...any) finding {
	return finding{Status: statusOK, What: what, Found: fmt.Sprintf(format, args...)}
}

func newDoctor(s *shared) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is missing and how to get it",
		Long: "Look at what Carrel needs, and say what is missing and how to get it. Each line is ok, warn (it works without,\n" +
			"but not as it could) or missing (it does not work without); with something missing the exit code is 1.\n" +
			"Where AWS_ENDPOINT_URL names a server, that server is looked at instead of this machine.",
		Example: "  carrel doctor\n  carrel doctor --engine incus --output json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	s.engineFlags(cmd, "engine", "image")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.settle(); err != nil {
			return usageError{err}
		}
		d := &doctor{shared: s, machine: thisMachine()}
		var findings []finding
		for _, look := range d.looks() {
			findings = append(findings, look(cmd.Context())...)
		}
		if err := printFindings(s.Out, *output, findings); err != nil {
			return err
		}
		return verdict(findings)
	}
	return cmd
}

// doctor looks at an installation.
type doctor struct {
	*shared
	machine machine
}

// looks are what doctor looks at, in the order in which it is said.
func (d *doctor) looks() []func(context.Context) []finding {
	if d.elsewhere() {
		return []func(context.Context) []finding{d.serverElsewhere}
	}
	looks := []func(context.Context) []finding{d.user, d.dataFolder, d.database, d.portal}
	if d.config.Engine != "simulated" {
		looks = append(looks, d.kernel, d.incusEngine, d.imageTools)
	}
	return append(looks, d.localServer)
}

// elsewhere reports whether the server that is meant is another than the data folder's. What
// carrel env prints names the folder's own.
func (d *doctor) elsewhere() bool {
	r, err := d.remote()
	if err != nil {
		return d.isAbroad()
	}
	own, err := d.config.Folder().Server()
	return d.isAbroad() && (err != nil || own.Endpoint != r.endpoint)
}

func printFindings(w io.Writer, f format, findings []finding) error {
	if f == formatJSON {
		return printJSON(w, findings)
	}
	for _, found := range findings {
		text := fmt.Sprintf("%-8s %-16s %s\n", found.Status, found.What, strings.Join(strings.Fields(clean(found.Found)), " "))
		if found.Advice != "" {
			text += fmt.Sprintf("%25s → %s\n", "", found.Advice)
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// verdict is an error where something is missing.
func verdict(findings []finding) error {
	missing := 0
	for _, found := range findings {
		if found.Status == statusMissing {
			missing++
		}
	}
	switch missing {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("one thing that is needed is missing")
	default:
		return fmt.Errorf("%d things that are needed are missing", missing)
	}
}
