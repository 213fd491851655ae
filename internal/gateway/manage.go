package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"carrel/internal/workspaces"
)

// manage is what self-service permits beside restarting.
type manage struct {
	ComputeTypes []choice
	Modes        []choice
	Volumes      []choice
	Rebuild      bool
}

// Any reports whether there is anything to manage.
func (m manage) Any() bool {
	return len(m.ComputeTypes) > 0 || len(m.Modes) > 0 || len(m.Volumes) > 0 || m.Rebuild
}

// choice is one of a list to choose from.
type choice struct {
	Value, Label string
	Now          bool // what it is
}

// newManage returns what the user may choose for their WorkSpace now. Whether it can be done,
// and how often, is for the operation behind it to say.
// Source: ModifySelfservicePermissions.
func newManage(w *workspaces.WorkSpace, may workspaces.SelfServicePermissions) manage {
	var m manage
	state, _, _ := describe(w)
	if _, running := w.Running(); running || w.Standby || state == "busy" || state == "closed" {
		return m
	}
	if may.ChangeComputeType == workspaces.Enabled {
		m.ComputeTypes = computeChoices(w.Properties.ComputeType)
	}
	if may.SwitchRunningMode == workspaces.Enabled && w.Properties.RunningMode != workspaces.Manual {
		m.Modes = []choice{
			{workspaces.AutoStop, "Stop when I am away", w.Properties.RunningMode == workspaces.AutoStop},
			{workspaces.AlwaysOn, "Always on", w.Properties.RunningMode == workspaces.AlwaysOn},
		}
	}
	if may.IncreaseVolume == workspaces.Enabled {
		m.Volumes = volumeChoices(w.Properties)
	}
	m.Rebuild = may.Rebuild == workspaces.Enabled
	return m
}

// computeChoices are the compute types for people. Those for machine rooms are the administrator's.
func computeChoices(now string) []choice {
	var choices []choice
	for _, bundle := range workspaces.PublicBundles("") {
		c := workspaces.ComputeOf(bundle.ComputeType)
		if !c.Large {
			label := fmt.Sprintf("%s: %s, %d GB of memory", c.Label, counted(c.CPUs, "processor"), c.MemoryMiB>>10)
			choices = append(choices, choice{c.Type, label, c.Type == now})
		}
	}
	return choices
}

// selfServiceSizes are what a user may grow the volumes to, in GiB.
// Source: the Administration Guide on self-service: at most 175 and 100.
func selfServiceSizes() (root, user []int) { return []int{175}, []int{50, 100} }

// volumeChoices are the next sizes, of one volume at a time.
func volumeChoices(p workspaces.Properties) []choice {
	root, user := selfServiceSizes()
	var choices []choice
	for _, size := range user {
		if size > p.UserGiB {
			choices = append(choices, choice{Value: fmt.Sprintf("user:%d", size), Label: fmt.Sprintf("Files: %d GB instead of %d", size, p.UserGiB)})
		}
	}
	for _, size := range root {
		if size > p.RootGiB && p.UserGiB >= user[len(user)-1] {
			choices = append(choices, choice{Value: fmt.Sprintf("root:%d", size), Label: fmt.Sprintf("System: %d GB instead of %d", size, p.RootGiB)})
		}
	}
	return choices
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// do carries out what the visitor asks for with their WorkSpace. Errors: *refusal where that is
// not permitted, *workspaces.Error where it cannot be done.
func (p *Portal) do(r *http.Request, v visitor, ws *workspaces.WorkSpace) error {
	ctx, d, m := r.Context(), Desktop{Scope: ws.Scope, ID: ws.ID}, newManage(ws, v.directory.Settings.SelfService)
	to := r.PostFormValue("to")
	switch r.PathValue("action") {
	case "start":
		if !startsByItself(ws) {
			return notNow()
		}
		return p.Actions.Start(ctx, d)
	case "restart":
		if v.directory.Settings.SelfService.Restart != workspaces.Enabled {
			return notNow()
		}
		return p.Actions.Restart(ctx, d)
	case "rebuild":
		if !m.Rebuild {
			return notNow()
		}
		return p.Actions.Rebuild(ctx, d)
	case "compute-type":
		if !offered(m.ComputeTypes, to) {
			return notNow()
		}
		return p.Actions.Modify(ctx, d, Change{ComputeType: to})
	case "running-mode":
		if !offered(m.Modes, to) {
			return notNow()
		}
		return p.Actions.Modify(ctx, d, Change{RunningMode: to})
	case "volumes":
		if !offered(m.Volumes, to) {
			return notNow()
		}
		return p.Actions.Modify(ctx, d, volumeChange(to))
	default:
		return noSuchAction()
	}
}

func offered(choices []choice, value string) bool {
	return slices.ContainsFunc(choices, func(c choice) bool { return c.Value == value && !c.Now })
}

// volumeChange reads the value of one of volumeChoices.
func volumeChange(value string) Change {
	which, text, _ := strings.Cut(value, ":")
	size, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return Change{}
	case which == "root":
		return Change{RootGiB: size}
	default:
		return Change{UserGiB: size}
	}
}

func noSuchAction() error {
	return &refusal{status: http.StatusNotFound, title: "There is nothing here.", text: "Carrel knows no such thing to do."}
}

func notNow() error {
	return &refusal{
		status: http.StatusForbidden, title: "That cannot be done now.",
		text: "Your organisation does not permit it, or the WorkSpace is in another state by now.",
	}
}
