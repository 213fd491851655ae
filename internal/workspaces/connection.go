package workspaces

import "time"

// Connection tells of users' connections to a WorkSpace.
type Connection struct {
	Connected      bool      // there is one now
	ConnectedAt    time.Time // when somebody last connected while nobody was
	DisconnectedAt time.Time // when the last of them left; zero while Connected
}

// LastKnown is when a user was last known to be connected, the zero time where nobody
// ever was. One who still is was so just now.
func (c Connection) LastKnown(now time.Time) time.Time {
	if c.Connected {
		return now
	}
	return c.DisconnectedAt
}

// ConnectionState is what the API calls a WorkSpace's connection.
type ConnectionState string

// The three there are.
const (
	Connected         ConnectionState = "CONNECTED"
	Disconnected      ConnectionState = "DISCONNECTED"
	ConnectionUnknown ConnectionState = "UNKNOWN"
)

// ConnectionState returns the state of the WorkSpace's connection. It has none, and ok is
// false, before it has been AVAILABLE for the first time. Source: WorkspaceConnectionStatus,
// by which it is unknown while the WorkSpace is stopped.
func (w *WorkSpace) ConnectionState(c Connection) (state ConnectionState, ok bool) {
	if w.ReadyAt.IsZero() {
		return "", false
	}
	switch w.State {
	case Starting, Stopping, Stopped, Errored, Terminating, Terminated, Pending, Absent, Before:
		return ConnectionUnknown, true
	case Available, Impaired, Unhealthy, Rebooting, Rebuilding, Restoring, Maintenance, AdminMaintenance, Suspended, Updating:
	}
	if c.Connected {
		return Connected, true
	}
	return Disconnected, true
}

// ShortestAutoStop is the shortest timeout of an AUTO_STOP WorkSpace, of which all others are multiples.
const ShortestAutoStop = time.Hour

// AutoStopsAt returns when a WorkSpace to which nobody is connected is to be stopped: its
// timeout after the last user disconnected, or after it became AVAILABLE where that was
// later. The zero time is never: it is not AVAILABLE, or does not have the mode AUTO_STOP, or
// not as long as something is at work beside its state.
// Source: the Administration Guide on AutoStop; the clock runs from the disconnect.
func (w *WorkSpace) AutoStopsAt(disconnected time.Time) time.Time {
	if w.State != Available || w.Properties.RunningMode != AutoStop || w.Aside != "" {
		return time.Time{}
	}
	since := w.ReadyAt
	if disconnected.After(since) {
		since = disconnected
	}
	return since.Add(time.Duration(w.Properties.AutoStopMinutes) * time.Minute)
}
