// Command carrel-agent is the first process of every desktop; package agent says what it does. It is built without
// cgo, because an image may hold any libc, and it takes no arguments: its configuration is the environment.
package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"carrel/internal/agent"
	"carrel/internal/clock"
)

func main() {
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
