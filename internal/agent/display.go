package agent

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	xvncProgram = "/usr/bin/Xvnc"
	userPath    = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
)

// listen makes a socket that the gateway connects to. The agent holds it, not the program that serves it, and hands it on
// already listening. So it is there from the first moment (who connects early waits for an answer instead of trying
// again), it outlives every restart of the program, and path and mode are root's: the user, as whom the program runs, can
// neither put something else in its place nor connect to it.
func listen(path string) (*os.File, error) {
	if err := os.RemoveAll(path); err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, &os.SyscallError{Syscall: "socket", Err: err}
	}
	socket := os.NewFile(uintptr(fd), path)
	err = errors.Join(
		os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrUnix{Name: path})),
		os.Chmod(path, 0o600),
		os.NewSyscallError("listen", unix.Listen(fd, 64)),
	)
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return socket, nil
}

// displayCommand is the X server, with the RFB socket as its standard input and a pipe as descriptor 4, on which it
// says that it answers. It opens no network port.
//
// From -inetd on it takes descriptor 3 for itself and sends its errors to /dev/null. So that comes last, to have errors
// in the other arguments reported, and its messages go to the standard output. What makes it give up later than that,
// such as a missing font, is only seen by starting it by hand.
func displayCommand(config Config, socket, ready, output *os.File) command {
	return command{
		argv: []string{
			xvncProgram, ":0",
			"-displayfd", "4",
			"-Log", "*:stdout:30",
			"-geometry", config.Geometry,
			"-depth", "24",
			"-dpi", "96",
			"-desktop", config.User,
			"-SecurityTypes", "None", // who may connect at all was decided by the gateway, and by the socket's mode
			"-UseBlacklist=0", // each look whether it answers would count as an attempt to break in
			"-AlwaysShared",
			"-AcceptSetDesktopSize=1",
			"-SendPrimary=0", // what is only selected, not copied, stays in the desktop
			"-nolisten", "tcp",
			"-noreset",
			// Software OpenGL costs 50 MB in each desktop; what is drawn goes out as pixels in any case.
			"-extension", "GLX",
			"-inetd", // its standard input is the socket, and it is listening: serve whoever connects, for ever
		},
		env:      []string{"PATH=" + userPath, "LANG=" + config.Lang},
		dir:      "/",
		uid:      config.UID,
		stdin:    socket,
		output:   output,
		extra:    []*os.File{socket, ready},
		oomScore: 300,
	}
}

// clearDisplay removes what the last X server left in the place where the next one wants to be.
func clearDisplay(root string) error {
	return errors.Join(
		os.RemoveAll(filepath.Join(root, "tmp/.X0-lock")),
		os.RemoveAll(filepath.Join(root, "tmp/.X11-unix/X0")),
	)
}

// startDisplay starts the X server on the agent's socket.
func startDisplay(processes *children, config Config, socket, output *os.File) (*process, <-chan struct{}, error) {
	if err := clearDisplay("/"); err != nil {
		return nil, nil, err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer writer.Close()
	display, err := processes.start(displayCommand(config, socket, writer, output))
	if err != nil {
		return nil, nil, errors.Join(err, reader.Close())
	}
	return display, awaitLine(reader), nil
}

// awaitLine closes the channel when a whole line has been read, and the pipe in any case. A server that answers writes
// its display number and, in a second write, the end of the line: it gives up if nobody reads that as well. One that
// dies first closes its end without a word.
func awaitLine(reader io.ReadCloser) <-chan struct{} {
	read := make(chan struct{})
	go func() {
		defer reader.Close()
		if _, err := bufio.NewReader(reader).ReadString('\n'); err == nil {
			close(read)
		}
	}()
	return read
}
