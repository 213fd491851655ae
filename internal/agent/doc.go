// Package agent is what runs inside a desktop: the first process of its container. It makes the user's account, holds
// the socket that the gateway streams from, and keeps the X server and the session running for as long as the desktop
// lives. It never exits by itself; what is wrong is written to [StatusFile] instead, for whoever asks from outside.
//
// A start, in order (agent.go): the file systems that a container lacks, then at once the X server, because its first
// byte is what everybody waits for; account, home directory and names are made while it starts; then the session.
// Afterwards a loop (desktop.go) restarts what dies, and signals (signals.go) end it. What goes beside the screen, files
// and sound, is served by another process of the same program, as the user (sideprogram.go and package side).
//
// All configuration comes from the environment that Incus gives the first process; config.go lists it.
//
// The package imports the standard library, golang.org/x/sys, golang.org/x/text and carrel/internal/{clock,sidechannel}
// only, so that the program stays small and static: it is in every image.
package agent
