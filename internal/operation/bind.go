package operation

import (
	"context"
	"errors"

	"carrel/internal/api"
	"carrel/internal/workspaces"
)

// Exceptions is a service's table from the domain's codes to the exceptions of its model.
type Exceptions map[workspaces.Code]api.ExceptionShape

// Bind ties an operation to its method. A domain error becomes the exception that the
// table names, with the members that the exception models; any other error passes
// through and is ours.
func Bind[I, O any](table Exceptions, op api.Operation[I, O], method func(context.Context, *I) (*O, error)) api.Handler {
	return api.Bind(op, func(ctx context.Context, in *I) (*O, error) {
		out, err := method(ctx, in)
		if err != nil {
			return nil, table.exception(err)
		}
		return out, nil
	})
}

func (table Exceptions) exception(err error) error {
	e, ok := errors.AsType[*workspaces.Error](err)
	if !ok {
		return err
	}
	shape, ok := table[e.Code]
	if !ok {
		return err
	}
	exception := shape.New(e.Message)
	for _, member := range shape.Members {
		if member.Name == "ResourceId" && e.ResourceID != "" {
			exception = exception.With(member.Name, e.ResourceID)
		}
	}
	return exception
}
