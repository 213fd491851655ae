package gateway

import (
	"fmt"
	"strings"

	"carrel/internal/workspaces"
)

// card is a WorkSpace as its user sees it in the list.
type card struct {
	ID, Name string
	Detail   string // its size and mode, in words
	State    string // for style and scripts: ready, busy, asleep, ill, closed
	Label    string // the state in a word or two
	Text     string // what it means for the user, a sentence
	Picture  bool   // there is a picture of its screen
	Connect  bool   // it can be opened, at once or after it has started
	Start    bool
	Restart  bool
	End      bool // the session in a pool
	Manage   manage
}

// newCard describes a WorkSpace to its user, with what their directory lets them do.
func newCard(w *workspaces.WorkSpace, may workspaces.SelfServicePermissions) card {
	c := card{ID: w.ID, Name: place{workspace: w}.name(), Detail: w.ID}
	if w.ComputerName != "" {
		c.Detail = w.ComputerName
	}
	c.Detail += " · " + modeInWords(w.Properties)
	c.State, c.Label, c.Text = describe(w)
	switch {
	case w.Aside == workspaces.ActionGrow:
		c.Text = "It is getting more room. You can go on meanwhile."
	case w.Aside == workspaces.ActionUpdate:
		c.Text = "Updates are being installed. You can go on meanwhile."
	case w.Modification.Failed:
		c.Text += " The last change of it did not work; your administrator can see why."
	}
	c.Picture = w.State.KeepsVisits()
	c.Start = startsByItself(w)
	c.Connect = w.State.TakesVisits() || startsByItself(w)
	c.Restart = may.Restart == workspaces.Enabled && workspaces.ActionReboot.Allowed(w.State)
	c.Manage = newManage(w, may)
	return c
}

// modeInWords is what a running mode means for the user.
func modeInWords(p workspaces.Properties) string {
	switch p.RunningMode {
	case workspaces.AutoStop:
		return fmt.Sprintf("stops %d minutes after you leave", p.AutoStopMinutes)
	case workspaces.Manual:
		return "started and stopped by your administrator"
	default:
		return "always on"
	}
}

// startsByItself reports whether a stopped WorkSpace starts when its user connects.
// Source: the Administration Guide on AutoStop; MANUAL ones are for whoever manages them.
func startsByItself(w *workspaces.WorkSpace) bool {
	return workspaces.ActionStart.Allowed(w.State) && w.Properties.RunningMode == workspaces.AutoStop
}

// describe is a WorkSpace's state in words.
func describe(w *workspaces.WorkSpace) (state, label, text string) {
	if a, _ := w.Running(); a == workspaces.ActionMaintain {
		return "busy", "Being updated", "Updates are being installed. You can connect when that is done, in some minutes."
	}
	switch w.State {
	case workspaces.Available, workspaces.Impaired:
		return "ready", "Ready", "Your desktop is running."
	case workspaces.Stopped:
		if startsByItself(w) {
			return "asleep", "Stopped", "It starts when you connect."
		}
		return "asleep", "Stopped", "Your administrator starts it."
	case workspaces.Unhealthy:
		return "ill", "Not responding", "The desktop does not answer. A restart usually helps; files you have saved stay."
	case workspaces.Errored:
		return "ill", "Failed", "Something went wrong with this desktop. Your administrator can see what."
	case workspaces.AdminMaintenance, workspaces.Maintenance:
		return "closed", "Maintenance", "Your administrator is working on this desktop. It will be back."
	case workspaces.Pending:
		return "busy", "Being made", "Your desktop is being made."
	case workspaces.Starting:
		return "busy", "Starting", "Your desktop is starting."
	case workspaces.Stopping:
		return "busy", "Stopping", "Your desktop is stopping."
	case workspaces.Rebooting:
		return "busy", "Restarting", "Your desktop is restarting."
	case workspaces.Rebuilding:
		return "busy", "Rebuilding", "The system is being put back to its beginning; your files stay."
	case workspaces.Restoring:
		return "busy", "Restoring", "Your desktop is being put back to an earlier state."
	case workspaces.Updating:
		return "busy", "Changing", "Your desktop is being changed."
	case workspaces.Suspended:
		return "busy", "Being copied", "An image of your desktop is being taken."
	default:
		return "closed", "Being removed", "This desktop is being removed."
	}
}

// title writes a word of the API as a person does: GRAPHICS_G4DN as Graphics G4dn.
func title(word string) string {
	parts := strings.Split(strings.ToLower(word), "_")
	for i, part := range parts {
		if part != "" {
			parts[i] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, " ")
}
