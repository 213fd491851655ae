package incus

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

const (
	// scriptsFolder is where run.sh keeps the last script and what has come of it.
	scriptsFolder = "/var/lib/carrel/scripts/"
	runPause      = 2 * time.Second
	// runsStill is how run.sh ends while the script runs.
	runsStill = 75
)

//go:embed run.sh
var runProgram string

// Run has the desktop's shell run a script in the background, and asks it what has come of it. The
// script and its result are the desktop's: nothing of it needs this process or an operation of Incus's.
func (d *Driver) Run(ctx context.Context, id string, s compute.Script) (again time.Time, err error) {
	if err := s.Check(); err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	if again, err = d.run(ctx, id, s); err != nil {
		return time.Time{}, fmt.Errorf("run %s in %s: %w", s.Name, id, err)
	}
	return again, nil
}

func (d *Driver) run(ctx context.Context, id string, s compute.Script) (again time.Time, err error) {
	instance, err := d.instance(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	if !active(instance) {
		return time.Time{}, compute.ErrNotRunning
	}
	limit := strconv.Itoa(int(cmp.Or(s.Limit, compute.MaxRun).Seconds()))
	status, err := d.execute(ctx, id, map[string]string{"CARREL_SCRIPT": s.Text}, "/bin/sh", "-c", runProgram, "carrel-run", s.Name, limit, s.Argument)
	switch {
	case mentions(err, "not running"):
		return time.Time{}, fmt.Errorf("%w: %w", compute.ErrNotRunning, err)
	case err != nil:
		return time.Time{}, err
	case status == runsStill:
		return d.soon(ctx, runPause), nil
	case status == 1:
		said, err := d.client.text(ctx, "/instances/"+id+"/files?path="+url.QueryEscape(scriptsFolder+s.Name+"/said"))
		if err != nil {
			return time.Time{}, err
		}
		return time.Time{}, fmt.Errorf("%w: %s", compute.ErrScript, printable(strings.TrimSpace(said)))
	case status != 0:
		return time.Time{}, fmt.Errorf("%w: the desktop's shell ended with status %d", compute.ErrFailed, status)
	}
	return time.Time{}, nil
}

// execute runs a command as root in a desktop to its end, and returns its status.
func (d *Driver) execute(ctx context.Context, id string, environment map[string]string, command ...string) (status int, err error) {
	body, err := json.Marshal(api.InstanceExecPost{Command: command, Environment: environment})
	if err != nil {
		return 0, fmt.Errorf("%w: %w", compute.ErrInvalid, err)
	}
	operation, err := d.client.operate(ctx, http.MethodPost, "/instances/"+id+"/exec", nil, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	code, told := operation.Metadata["return"].(float64)
	if !told {
		return 0, fmt.Errorf("%w: incus does not tell how the command ended", compute.ErrFailed)
	}
	return int(code), nil
}
