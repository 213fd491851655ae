//go:build !linux

package incus

import (
	"context"
	"fmt"
	"net"

	"carrel/internal/compute"
)

// dialSocket needs Linux: desktops are containers of the machine that Carrel runs on.
func dialSocket(context.Context, int64, string, string) (net.Conn, error) {
	return nil, fmt.Errorf("%w: desktops run, and can be dialled, on Linux only", compute.ErrUnavailable)
}

func groupFolders() []string { return nil }

func firstProcess([]string, string) int64 { return 0 }
