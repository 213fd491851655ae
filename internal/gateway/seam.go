package gateway

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"carrel/internal/workspaces"
)

// Desktop names a desktop: a WorkSpace, or one of a pool, which a session is on.
type Desktop struct {
	workspaces.Scope
	ID string
}

// Visit is one browser tab's time on a desktop. Whoever carries one may rely on it: the
// user was signed in, is the WorkSpace's own or has the session, and was allowed in from the address.
type Visit struct {
	Desktop
	ID          string // names the visit
	Session     string // the id of the portal session that it belongs to
	DirectoryID string
	User        string     // as in the directory
	Address     netip.Addr // the client's, seen through trusted proxies
	Approved    bool       // the connection is encrypted with what FIPS 140 approves
	Share       bool       // beside other visits of the desktop, not in their place
	Rules       Rules
}

// Rules are what may cross between the desktop and the user's device.
type Rules struct {
	ClipboardIn, ClipboardOut int  // characters of text at once, to and from the desktop; 0: none
	FilesIn, FilesOut         bool // to and from the desktop
}

// rulesOf returns what a directory lets cross.
func rulesOf(d *workspaces.WorkspaceDirectory) Rules {
	s := d.Settings.Streaming
	return Rules{ClipboardIn: s.ClipboardIn(), ClipboardOut: s.ClipboardOut(), FilesIn: s.FilesIn(), FilesOut: s.FilesOut()}
}

// The codes that a stream's WebSocket is closed with, which the desktop's page understands. Any
// other end is a lost line, after which it tries again.
const (
	CutTaken   = 4001 // another tab has taken the desktop over
	CutAccess  = 4002 // the user may not be here any more
	CutDesktop = 4003 // the desktop does not run any more
	CutLeft    = 4004 // the user has signed out inside the desktop, which ends their session in a pool
)

// Carrier has visits that can be looked at again, and ended.
type Carrier interface {
	// Visits returns those that this process carries.
	Visits() []Visit
	// Cut ends the visit with the id, with CutAccess; why is a sentence for its user. It succeeds
	// where there is none.
	Cut(id, why string)
	// SetRules changes what may cross during the visit with the id. It succeeds where there is none.
	SetRules(id string, rules Rules)
}

// Streams carries the screens of desktops to browsers, and ends that by itself when a desktop
// does not run any more or is taken over.
type Streams interface {
	Carrier
	// Serve turns the request into a WebSocket and carries the screen until either side ends
	// it. It answers the request in any case.
	Serve(w http.ResponseWriter, r *http.Request, v Visit)
	// Leave ends the visit with the id, with CutLeft. It succeeds where there is none.
	Leave(id string)
	// LastInput returns when, by the service's time, the user of a visit last did something, or
	// came; found is false where there is no such visit.
	LastInput(id string) (at time.Time, found bool)
	// Warn tells the user of the visit with the id a sentence, once however often it is called with
	// it. It succeeds where there is none.
	Warn(id, text string)
}

// Pictures knows what screens look like.
type Pictures interface {
	// Picture returns a small picture of a desktop's screen, at most a few seconds old, and its
	// media type. Errors: compute.ErrNotRunning, compute.ErrNotFound, compute.ErrUnavailable.
	Picture(ctx context.Context, d Desktop) (image []byte, mediaType string, err error)
}

// Channels carries what goes beside the screen. Each request is a visit of its own while it lasts.
type Channels interface {
	Carrier
	// Files answers below /desktop/{id}/files; the rest of the path is r.PathValue("rest").
	Files(w http.ResponseWriter, r *http.Request, v Visit)
	// Sound answers at /desktop/{id}/sound.
	Sound(w http.ResponseWriter, r *http.Request, v Visit)
	// AwaitSignOut returns nil once the user has signed out inside the desktop, since it was started, and an
	// error when the context ends before, or where that cannot be known.
	AwaitSignOut(ctx context.Context, d Desktop) error
}

// Actions does to a WorkSpace or in a pool what its user asks for, by the rules of the API's operations.
// An error that is a *workspaces.Error is a refusal, in words for the user.
type Actions interface {
	Start(ctx context.Context, d Desktop) error
	Restart(ctx context.Context, d Desktop) error
	Rebuild(ctx context.Context, d Desktop) error
	Modify(ctx context.Context, d Desktop, c Change) error
	// Join gives a user a desktop of a pool, which has the Desktop's id, for a session; it succeeds
	// where they have one.
	Join(ctx context.Context, pool Desktop, user string) error
	// Leave ends the session of a user in a pool; it succeeds where there is none.
	Leave(ctx context.Context, pool Desktop, user string) error
	// SignOut ends the session that is on a desktop of a pool; it succeeds where there is none.
	SignOut(ctx context.Context, d Desktop) error
}

// Change is one property that a user wants changed; the others are zero.
type Change struct {
	ComputeType string
	RootGiB     int
	UserGiB     int
	RunningMode string
}
