package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"carrel/internal/clock"
)

// stopDeadline is how long programs have to end after a desktop is asked to stop. Incus waits longer than that before
// it stops the container by force.
const stopDeadline = 5 * time.Second

// Ending is how a desktop ends.
type Ending int

// The two ways to end: the container stops, or it starts again.
const (
	Halt Ending = iota
	Reboot
)

// Run is the life of a desktop, from its first instruction until a signal ends it. Call it in the first process of a
// container and nowhere else: when it ends, it ends every process that it can see. getenv gives the configuration.
func Run(timekeeper *clock.Clock, getenv func(string) string) Ending {
	received := make(chan os.Signal, 64)
	signal.Notify(received, signals()...)

	a := &agent{
		clock:     timekeeper,
		processes: newChildren(),
		board:     &statusBoard{path: StatusFile, clock: timekeeper},
		prepared:  make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(context.Background())
	go a.live(ctx, getenv)
	ending := a.awaitEnd(received)
	a.board.update(func(s *Status) { s.Phase = PhaseStopping })
	cancel()
	a.endAll(received)
	return ending
}

type agent struct {
	clock     *clock.Clock
	processes *children
	board     *statusBoard
	log       *slog.Logger

	who      account
	prepared chan struct{} // closed once who is set, and has a home
}

// awaitEnd collects exits until a signal says to stop.
func (a *agent) awaitEnd(received <-chan os.Signal) Ending {
	for got := range received {
		switch actionFor(got) {
		case reap:
			a.processes.reap()
		case halt:
			return Halt
		case reboot:
			return Reboot
		case ignore:
		}
	}
	return Halt
}

// live brings the desktop up and keeps it up. A failure of a preparation is reported and lived with, because most of a
// desktop is better than none: only without a user or a socket is there nothing to run.
func (a *agent) live(ctx context.Context, getenv func(string) string) {
	runErr := mountRun()
	a.log = slog.New(slog.NewTextHandler(a.logOutput(), nil))
	a.board.update(func(s *Status) { s.Phase = PhaseStarting })

	config, err := ParseConfig(getenv)
	a.report("configuration", err)
	a.report("/run", runErr)
	a.report("/tmp", prepareTemporary("/"))
	socket, err := listen(RFBSocket)
	a.report("socket", err)
	sideSocket, err := listen(SideSocket)
	a.report("side socket", err)
	if config.Account == "" || socket == nil {
		a.log.Error("no desktop can run here; waiting for the container to be stopped")
		a.board.update(func(s *Status) { s.Phase = PhaseFailed })
		return
	}
	displayOutput, sessionOutput := a.output("display"), a.output("session")

	go a.prepare(config)
	if sideSocket != nil {
		go a.serveSide(ctx, config, sideSocket)
	}
	keeper := &desktop{
		clock: a.clock, log: a.log, board: a.board, prepared: a.prepared,
		startDisplay: func() (*process, <-chan struct{}, error) {
			return startDisplay(a.processes, config, socket, displayOutput)
		},
		startSession: func() (*process, error) {
			return startSession(a.processes, config, a.who, sessionOutput)
		},
		userPIDs: func(except int) []int { return pidsOf("/proc", config.UID, except) },
		kill:     syscall.Kill,
	}
	keeper.run(ctx)
}

// prepare does, while the X server starts, what only the session needs. Without an account there will be no session.
func (a *agent) prepare(config Config) {
	var others sync.WaitGroup
	others.Go(func() {
		a.report("loopback", bringUpLoopback())
		a.report("host name", setHostname("/", config.Hostname))
		a.report("resolvers", setResolvers("/", config.DNS))
		a.report("machine id", ensureMachineID("/"))
		a.report("/dev/shm", mountTemporary("/dev/shm", "mode=1777"))
		a.report("runtime directory", mountRuntimeDir(config.UID))
	})
	who, err := makeAccount("/", config)
	if err != nil {
		a.report("account", err)
		others.Wait()
		return
	}
	a.report("home directory", makeHome("/", who))
	others.Wait()
	a.who = who
	a.board.update(func(s *Status) { s.Account = who.name })
	close(a.prepared)
}

// report logs an error, if it is one, and shows it in the status.
func (a *agent) report(what string, err error) {
	if err == nil {
		return
	}
	a.log.Error("preparation failed", "of", what, "error", err)
	a.board.update(func(s *Status) { s.Error = what + ": " + err.Error() })
}

// logOutput is the container's console, which Incus keeps, and a file for those who are inside.
func (*agent) logOutput() io.Writer {
	file, err := openLog(filepath.Join(stateDir, "agent.log"), maxLog)
	if err != nil {
		return os.Stderr
	}
	return io.MultiWriter(os.Stderr, file)
}

// output returns where a program's own messages go. Without a log they go nowhere, which the program does not notice.
func (a *agent) output(name string) *os.File {
	log, err := openLog(filepath.Join(stateDir, name+".log"), maxLog)
	if err != nil {
		a.report(name+" log", err)
		return nil
	}
	output, err := log.pipe()
	a.report(name+" log", err)
	return output
}

// endAll asks every process to end, gives them time, and then kills what is left.
func (a *agent) endAll(received <-chan os.Signal) {
	deadline, cancel := context.WithTimeout(context.Background(), stopDeadline)
	defer cancel()
	_ = syscall.Kill(-1, syscall.SIGTERM)
	for deadline.Err() == nil && !errors.Is(syscall.Kill(-1, 0), syscall.ESRCH) {
		select {
		case <-received:
		case <-deadline.Done():
		}
		a.processes.reap()
	}
	_ = syscall.Kill(-1, syscall.SIGKILL)
	a.processes.reap()
}
