package agent

import (
	"os"
	"syscall"
)

// sigRTMin3 is SIGRTMIN+3, by which container managers ask systemd, and what they take for it, to halt.
const sigRTMin3 = syscall.Signal(37)

// action is what a signal makes the agent do.
type action int

const (
	ignore action = iota
	reap
	halt
	reboot
)

// signals are all those that the agent wants to see. Some only to be ignored: the Go runtime would otherwise end the
// process on them, and with it the desktop.
func signals() []os.Signal {
	return []os.Signal{
		syscall.SIGCHLD, syscall.SIGPWR, syscall.SIGTERM, sigRTMin3, syscall.SIGINT,
		syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM,
	}
}

// actionFor: LXC asks for a halt with SIGPWR and for a reboot with SIGINT.
func actionFor(signal os.Signal) action {
	switch signal {
	case syscall.SIGCHLD:
		return reap
	case syscall.SIGPWR, syscall.SIGTERM, sigRTMin3:
		return halt
	case syscall.SIGINT:
		return reboot
	default:
		return ignore
	}
}
