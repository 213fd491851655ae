package stream

import (
	"time"

	"carrel/internal/gateway"
)

// EventKind is what happens to a user's connection.
type EventKind string

// What happens, in the words of the service's metrics. Source: Administration Guide,
// CloudWatch metrics of WorkSpaces.
const (
	Attempted    EventKind = "ConnectionAttempt"
	Succeeded    EventKind = "ConnectionSuccess"
	Failed       EventKind = "ConnectionFailure"
	Launched     EventKind = "SessionLaunchTime" // took: from the attempt to the first of the screen
	Answered     EventKind = "InSessionLatency"  // took: there and back
	Disconnected EventKind = "SessionDisconnect" // took: as long as the user was connected
)

// Event is one thing that happens to a user's connection.
type Event struct {
	Kind        EventKind
	Desktop     gateway.Desktop
	DirectoryID string
	At          time.Time     // by the service's time
	Took        time.Duration // by the machine's, where the kind has one
}

func (s *Streams) observe(st *stream, kind EventKind, took time.Duration) {
	s.metrics.count(kind, took)
	s.Observe(Event{Kind: kind, Desktop: st.Desktop, DirectoryID: st.DirectoryID, At: s.Clock.Now(), Took: took})
}
