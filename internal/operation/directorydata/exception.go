package directorydata

import (
	"fmt"

	"carrel/internal/api"
	"carrel/internal/api/dsdata"
	"carrel/internal/operation"
	"carrel/internal/workspaces"
)

// exceptions is the service's table from the domain's codes. Three of the service's
// exceptions also give a reason; they are made where the reason is known, below.
func exceptions() operation.Exceptions {
	return operation.Exceptions{
		workspaces.CodeUserNotFound:  dsdata.ResourceNotFoundException,
		workspaces.CodeAlreadyExists: dsdata.ConflictException,
		workspaces.CodeInProgress:    dsdata.ConflictException,
	}
}

func invalid(reason, format string, args ...any) *api.Exception {
	return because(dsdata.ValidationException, reason, format, args...)
}

func denied(reason, format string, args ...any) *api.Exception {
	return because(dsdata.AccessDeniedException, reason, format, args...)
}

func unavailable(reason, format string, args ...any) *api.Exception {
	return because(dsdata.DirectoryUnavailableException, reason, format, args...)
}

func because(shape api.ExceptionShape, reason, format string, args ...any) *api.Exception {
	return shape.New(fmt.Sprintf(format, args...)).With("Reason", reason)
}
