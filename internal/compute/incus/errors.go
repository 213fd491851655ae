package incus

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// Incus reports what failed after a request was accepted as text only. These know the
// parts of its texts that the driver has to tell apart.

func outOfRoom(err error) bool {
	return mentions(err,
		"no space left on device",
		"quota exceeded",
		"cannot allocate memory",
		"not enough uid/gid available",        // the range in /etc/subuid is used up
		"reached maximum number of instances", // limits that an administrator put on the project
		"reached maximum number of containers",
		"reached maximum aggregate value",
	)
}

func refused(err error) bool {
	return mentions(err,
		"already defined on another nic", // the address or its MAC is another instance's
		"is assigned to parent managed network",
		"already in use",
	)
}

// busy tells that the same request may succeed in a moment.
func busy(err error) bool {
	return mentions(err,
		"is busy running", // an operation of somebody else is under way
		"is still in use",
		"is currently in use",
		"is running", // it was started between our stop and our delete
		"device or resource busy",
		"ip -d -j link show", // it looked at a network card of a desktop that ended just then
	)
}

// conflicts tells that the thing to make is there already, or changed meanwhile.
func conflicts(err error) bool {
	return api.StatusErrorCheck(err, http.StatusConflict, http.StatusPreconditionFailed) ||
		mentions(err, "already exists", "unique constraint failed") // the latter where two ask at once
}

// missing tells that the thing asked for is not there.
func missing(err error) bool { return errors.Is(err, compute.ErrNotFound) }

func mentions(err error, texts ...string) bool {
	if err == nil {
		return false
	}
	said := strings.ToLower(err.Error())
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(said, text) })
}

// classify wraps the compute error that Incus's answer amounts to around its words.
func classify(err error) error {
	kind := compute.ErrFailed
	switch {
	case outOfRoom(err):
		kind = compute.ErrCapacity
	case refused(err):
		kind = compute.ErrInvalid
	case api.StatusErrorCheck(err, http.StatusNotFound):
		kind = compute.ErrNotFound
	case busy(err):
	case api.StatusErrorCheck(err, http.StatusBadRequest, http.StatusForbidden):
		kind = compute.ErrInvalid
	case api.StatusErrorCheck(err, http.StatusServiceUnavailable):
		kind = compute.ErrUnavailable // it is starting or shutting down
	}
	return fmt.Errorf("%w: incus: %w", kind, err)
}

// unavailable is for a request that got no answer, also because its context ended.
func unavailable(err error) error {
	return fmt.Errorf("%w: incus: %w", compute.ErrUnavailable, err)
}
