package directorydata

import (
	"context"

	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// request is what once has to know of a request. Tokens of two directories do not meet.
type request struct {
	operation   string
	directoryID string
	token       *string
	input       any
}

// once runs a change of an open directory in one transaction, and once only where it carries
// a client token: see operation.Once.
func once[O any](
	ctx context.Context, s *Service, r request, change func(*store.Tx, *workspaces.Directory) (*O, error),
) (out *O, err error) {
	err = s.core.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := open(ctx, tx, r.directoryID)
		if err != nil {
			return err
		}
		what := operation.TokenRequest{Operation: r.operation, About: d.ID, Token: r.token, Input: r.input}
		out, err = operation.Once(ctx, tx, s.core.Clock.Now(), what, func() (*O, error) { return change(tx, d) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
