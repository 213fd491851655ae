package agent

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"carrel/internal/agent/side"
)

// SideArgument makes the agent's program the one that serves the side channel as the user; see [RunSide].
const SideArgument = "side"

// sideIdle is how long the side program stays when nobody is connected any more.
const sideIdle = time.Minute

// RunSide serves the side channel as whoever runs it, on the listening socket that is its descriptor 3, until nobody has
// been connected for a minute or a signal ends it. The home and the runtime directory are those of the environment.
func RunSide(getenv func(string) string) error {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	listener, err := side.Inherited()
	if err != nil {
		return err
	}
	home, err := side.OpenHome(getenv("HOME"))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return side.Serve(ctx, listener, home, side.OpenSound(getenv("XDG_RUNTIME_DIR")), signOuts{StatusFile}, sideIdle)
}

// signOuts is what the agent says of the user's sign-outs, in the file with its status.
type signOuts struct{ path string }

// AwaitSignOut implements [sidechannel.Session]. It looks once: a user who signs out takes this program along, which is the
// user's too, and who has waited asks the next.
func (s signOuts) AwaitSignOut(ctx context.Context) error {
	text, err := os.ReadFile(s.path)
	var status Status
	if err == nil {
		err = json.Unmarshal(text, &status)
	}
	if err != nil || status.SignOuts > 0 {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// serveSide starts the side program whenever somebody connects and it does not run: most desktops never need it. It
// returns when ctx ends and something connects, or with the process.
func (a *agent) serveSide(ctx context.Context, config Config, socket *os.File) {
	select {
	case <-a.prepared:
	case <-ctx.Done():
		return
	}
	output := a.output("side")
	var deaths backoff
	for ctx.Err() == nil {
		if err := awaitCaller(socket); err != nil {
			a.report("side channel", err)
			return
		}
		begun := a.clock.Now()
		program, err := a.processes.start(sideCommand(config, a.who, groupIDs(a.who.groups), socket, output))
		if err != nil {
			a.report("side channel", err)
		} else {
			a.log.Info("side channel ended", "how", describeExit(<-program.exited))
		}
		_ = a.clock.Sleep(ctx, deaths.after(a.clock.Now().Sub(begun)))
	}
}

// awaitCaller returns when a connection waits to be accepted.
func awaitCaller(socket *os.File) error {
	waiting := []unix.PollFd{{Fd: int32(socket.Fd()), Events: unix.POLLIN}} //nolint:gosec // a descriptor is small
	for {
		_, err := unix.Poll(waiting, -1)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("poll", err)
		}
	}
}

func sideCommand(config Config, who account, groups []uint32, socket, output *os.File) command {
	cmd := sessionCommand(config, who, groups, output)
	cmd.argv = []string{"/proc/self/exe", SideArgument}
	cmd.extra = []*os.File{socket}
	return cmd
}
