// Package fault makes Carrel fail on purpose, for suites that test automation: WorkSpaces that
// stay PENDING or end in ERROR, desktops that stop answering now and then, users who cannot be
// found, operations that answer an exception, throttling, reads of what was. A [Rule] says which
// fault befalls whom.
//
// The faults are real ones. They come through the seams: [Faults.Engine] stands before a simulated
// engine, [Faults.Users] before the directories, [Faults.Middleware] before the operations. No
// operation and no job knows of them. What befalls whom depends on the rule's seed and on the order
// of what is asked for, and on nothing else: the same requests meet the same faults. Rules count
// within an account and region, so that suites in different ones do not disturb each other.
//
// It imports the API's words, the store, compute and the directories. Start at rule.go; set.go keeps
// the rules, draw.go decides.
package fault

import "errors"

// The names of the faults.
const (
	StuckPending      = "stuck-pending"
	ErrorAfterN       = "error-after-n"
	UnhealthyFlapping = "unhealthy-flapping"
	MissingUser       = "missing-user"
	Exception         = "exception"
	Throttling        = "throttling"
	StaleReads        = "stale-reads"
)

// ErrNone says that there is no such rule.
var ErrNone = errors.New("there is no such fault")
