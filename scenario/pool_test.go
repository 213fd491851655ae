package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/rogpeppe/go-internal/testscript"

	"carrel/internal/compute"
)

// awaitPool waits until a pool has a state.
func awaitPool(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: await-pool ID STATE")
	}
	return eventually(func() error {
		out, err := s.client.DescribeWorkspacesPools(context.Background(), &workspaces.DescribeWorkspacesPoolsInput{PoolIds: args[:1]})
		if err != nil {
			return err
		}
		state := "GONE"
		if len(out.WorkspacesPools) > 0 {
			state = string(out.WorkspacesPools[0].State)
		}
		if state != args[1] {
			return fmt.Errorf("%s is %s, not %s", args[0], state, args[1])
		}
		return nil
	})
}

// awaitCapacity waits until so many desktops of a pool are available, and so many in use.
func awaitCapacity(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: await-capacity ID AVAILABLE ACTIVE")
	}
	return eventually(func() error {
		out, err := s.client.DescribeWorkspacesPools(context.Background(), &workspaces.DescribeWorkspacesPoolsInput{PoolIds: args[:1]})
		if err != nil || len(out.WorkspacesPools) == 0 {
			return errors.Join(err, errors.New("there is no pool"))
		}
		is := out.WorkspacesPools[0].CapacityStatus
		if got := fmt.Sprint(*is.AvailableUserSessions, *is.ActiveUserSessions); got != args[1]+" "+args[2] {
			return fmt.Errorf("available and active are %s", got)
		}
		return nil
	})
}

// wantDesktops waits until the engine has so many desktops, all of which answer, and says which.
func wantDesktops(ts *testscript.TestScript, s *server, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: desktops N")
	}
	var all []compute.Machine
	err := eventually(func() (err error) {
		if all, err = s.desktops(); err != nil {
			return err
		}
		silent := slices.ContainsFunc(all, func(m compute.Machine) bool { return !m.Answers })
		if strconv.Itoa(len(all)) != args[0] || silent {
			return fmt.Errorf("the engine has %v", all)
		}
		return nil
	})
	for _, m := range all {
		_, _ = fmt.Fprintln(ts.Stdout(), m.ID) // into memory
	}
	return err
}

// signOutInside has the user of a desktop sign out inside it. A desktop whose session has just begun takes no wish to
// end it, and says so to nobody.
func signOutInside(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: sign-out-inside ID")
	}
	if s.engine == "simulated" {
		_, err := send(http.MethodPost, s.about.Endpoint+"/_carrel/desktops/"+args[0]+"/sign-out", "", nil)
		return err
	}
	if _, err := s.inDesktop(args[0], "", `grep -q signOuts /usr/sbin/carrel-agent`); err != nil {
		return fmt.Errorf("the image's agent is of a time before it told of sign-outs; carrel image build makes it anew: %w", err)
	}
	return eventually(func() error {
		_, err := s.inDesktop(args[0], "", `pgrep -u 10001 -x xfdesktop >/dev/null && sleep 4 && su "$(id -nu 10001)" -c '
			export XDG_RUNTIME_DIR=/run/user/10001 DISPLAY=:0 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/10001/bus
			timeout 20 xfce4-session-logout --logout --fast'`)
		return err
	})
}
