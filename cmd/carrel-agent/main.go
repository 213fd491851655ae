// Command carrel-agent is the first process of every desktop; package agent says what it does. It is built without
// cgo, because an image may hold any libc, and takes its configuration from the environment. With the argument "side" it
// is the program that the agent starts as the user, to serve the desktop's side channel.
package main

import (
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"carrel/internal/agent"
	"carrel/internal/clock"
)

func main() {
	if slices.Equal(os.Args[1:], []string{agent.SideArgument}) {
		if err := agent.RunSide(os.Getenv); err != nil {
			fmt.Fprintln(os.Stderr, "carrel-agent: side channel:", err)
			os.Exit(1)
		}
		return
	}
	if os.Getpid() != 1 {
		// It would take the machine it runs on for a desktop that it may end.
		fmt.Fprintln(os.Stderr, "carrel-agent: runs only as the first process of a desktop's container")
		os.Exit(2)
	}
	ending := agent.Run(clock.New(), os.Getenv)
	if ending == agent.Reboot {
		// In a container the kernel tells whoever started it that the first process asked to be started again.
		if err := unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART); err != nil {
			fmt.Fprintln(os.Stderr, "carrel-agent: reboot:", err)
		}
	}
}
