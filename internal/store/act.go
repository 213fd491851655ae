package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// ActKind is what users do beside the API, or what becomes of it.
type ActKind string

// What there is.
const (
	ActJoin       ActKind = "join"       // a user is given a desktop of a pool
	ActLeave      ActKind = "leave"      // a user ends their session in a pool
	ActConnect    ActKind = "connect"    // a stream begins
	ActDisconnect ActKind = "disconnect" // a stream ends
	ActHappen     ActKind = "happen"     // something happened to connections, for metrics
)

// Act is a change that users make beside the API, as a journal has it.
type Act struct {
	workspaces.Scope
	Kind       ActKind                `json:"-"`
	Pool       string                 `json:",omitempty"` // that is joined or left
	User       string                 `json:",omitempty"` // who joins or leaves
	Stream     *Stream                `json:",omitempty"` // that begins or ends
	At         time.Time              `json:",omitzero"`  // when the stream ends
	Happenings []workspaces.Happening `json:",omitempty"`
}

// Note carries out a change that is an act, and may write the act down, which the change may have completed.
type Note func(ctx context.Context, act *Act, change func(context.Context) error) error

// Unnoted is a Note that writes nothing down.
func Unnoted(ctx context.Context, _ *Act, change func(context.Context) error) error {
	return change(ctx)
}

// Repeat repeats an act on streams, as a journal tells it. Those of sessions in pools are operations'.
func (t *Tx) Repeat(ctx context.Context, a *Act) error {
	switch {
	case a.Kind == ActConnect && a.Stream != nil:
		s := *a.Stream
		s.Told = ByJournal
		return t.OpenStream(ctx, s)
	case a.Kind == ActDisconnect && a.Stream != nil:
		return t.CloseStream(ctx, *a.Stream, a.At)
	}
	for _, h := range a.Happenings {
		if err := t.Happened(ctx, h); err != nil {
			return err
		}
	}
	return nil
}
