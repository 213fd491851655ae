// Command desktop is the whole file system of a tiny test image: the first process of
// a desktop that answers with an RFB greeting and nothing else, and has a side channel
// (side.go); and the probes that
// the driver's tests run inside it. It needs no distribution, so that the tests of the
// driver take seconds and nothing from a network.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const screen = "/run/carrel/rfb.sock" // where every Carrel desktop's screen listens

func main() {
	if os.Args[0] == "/bin/sh" && os.Args[1] == "-c" {
		os.Exit(script(os.Args[4], os.Args[6]))
	}
	if os.Args[0] == "/bin/sh" {
		update(os.Args[1])
		return
	}
	if os.Getpid() == 1 {
		boot()
	}
	probes := map[string]func(arguments []string) error{
		"connect": connect, "resolve": resolve, "fill": fill, "link": link, "fifo": fifo,
		"allocate": allocate, "cpus": cpus, "spoof": spoof, "write": write, "read": read,
	}
	if len(os.Args) < 2 || probes[os.Args[1]] == nil {
		fail(errors.New("usage: desktop PROBE [ARGUMENT...]"))
	}
	if err := probes[os.Args[1]](os.Args[2:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// boot is the first process: it serves the screen until it is told to stop. The full
// name of the user, which tests choose freely, selects misbehaviour.
func boot() {
	behaviour := os.Getenv("CARREL_FULLNAME")
	if behaviour == "Dies At Once" {
		fail(errors.New("the test asked for a death"))
	}
	if err := os.MkdirAll("/run/carrel", 0o755); err != nil {
		fail(err)
	}
	os.Remove(screen) // /run of this image outlives a restart
	listener, err := net.Listen("unix", screen)
	if err != nil {
		fail(err)
	}
	go greet(listener)
	if err := serveSide(); err != nil {
		fail(err)
	}
	if port, err := net.Listen("tcp", ":5900"); err == nil {
		go greet(port) // what the tests of isolation try to reach
	}
	stop := make(chan os.Signal, 16)
	// LXC stops with SIGPWR, or as systemd wants it, with SIGRTMIN+3.
	signal.Notify(stop, unix.SIGPWR, unix.Signal(37), unix.SIGINT)
	for range stop {
		if behaviour != "Ignores Stop" {
			os.Exit(0)
		}
	}
}

// update stands for a shell that runs the program by which an image is brought up to date.
func update(script string) {
	if note, _ := os.ReadFile("/root/note.txt"); string(note) == "no update" {
		fail(errors.New("the test asked for no update"))
	}
	if err := os.WriteFile("/root/updated.txt", []byte("now"), 0o600); err != nil {
		fail(err)
	}
	if err := os.Remove(script); err != nil {
		fail(err)
	}
}

// greet holds each connection open until the other side says something or hangs up.
func greet(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			fmt.Fprint(connection, "RFB 003.008\n")
			connection.Read(make([]byte, 12))
		}()
	}
}

// connect fails unless arguments[1] can be connected to on network arguments[0].
func connect(arguments []string) error {
	connection, err := net.DialTimeout(arguments[0], arguments[1], time.Second)
	if err != nil {
		return err
	}
	return connection.Close()
}

// resolve fails unless the name server arguments[0] (address and port) answers anything.
func resolve(arguments []string) error {
	connection, err := net.Dial("udp", arguments[0])
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(2 * time.Second))
	// A query for the address of "localhost", which needs no network to be answered.
	query := []byte("\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09localhost\x00\x00\x01\x00\x01")
	if _, err := connection.Write(query); err != nil {
		return err
	}
	answer := make([]byte, 512)
	n, err := connection.Read(answer)
	if err != nil {
		return err
	}
	if n < 12 || binary.BigEndian.Uint16(answer) != 7 {
		return fmt.Errorf("not an answer: %x", answer[:n])
	}
	return nil
}

// fill writes arguments[1] bytes into a file in the folder arguments[0].
func fill(arguments []string) error {
	left, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	os.Remove(arguments[0] + "/filler") // on a full volume btrfs refuses to truncate, but not to remove
	file, err := os.Create(arguments[0] + "/filler")
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(i * 7)
	}
	for ; left > 0; left -= len(block) {
		if _, err := file.Write(block[:min(left, len(block))]); err != nil {
			return err
		}
	}
	return file.Sync()
}

// write makes the file arguments[0] hold arguments[1].
func write(arguments []string) error {
	return os.WriteFile(arguments[0], []byte(arguments[1]), 0o600)
}

// read says what the file arguments[0] holds; nothing if it is not there.
func read(arguments []string) error {
	content, err := os.ReadFile(arguments[0])
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	fmt.Fprintf(os.Stderr, "%s", content)
	return err
}

// link puts a symbolic link to arguments[0] in the place of the screen's socket.
func link(arguments []string) error {
	os.Remove(screen)
	return os.Symlink(arguments[0], screen)
}

// fifo puts a pipe that nobody reads in the place of the screen's socket.
func fifo([]string) error {
	os.Remove(screen)
	return unix.Mkfifo(screen, 0o666)
}

// allocate uses arguments[0] MiB of memory.
func allocate(arguments []string) error {
	count, err := strconv.Atoi(arguments[0])
	if err != nil {
		return err
	}
	kept := make([][]byte, count)
	for i := range kept {
		kept[i] = make([]byte, 1<<20)
		for j := 0; j < len(kept[i]); j += 4096 {
			kept[i][j] = 1
		}
	}
	runtime.KeepAlive(kept)
	return nil
}

// cpus fails unless arguments[0] processors may be used; without arguments it says how many.
func cpus(arguments []string) error {
	if len(arguments) == 0 {
		fmt.Fprintln(os.Stderr, runtime.NumCPU())
		return nil
	}
	if have := strconv.Itoa(runtime.NumCPU()); have != arguments[0] {
		return fmt.Errorf("%s processors", have)
	}
	return nil
}

// spoof gives the network card another address (arguments "ip", a.b.c.d) or another
// hardware address ("mac", aa:bb:…), as root in a desktop can.
func spoof(arguments []string) error {
	var request [40]byte // struct ifreq
	copy(request[:], "eth0")
	number := uintptr(unix.SIOCSIFADDR)
	if arguments[0] == "mac" {
		number = unix.SIOCSIFHWADDR
		hardware, err := net.ParseMAC(arguments[1])
		if err != nil {
			return err
		}
		binary.NativeEndian.PutUint16(request[16:], unix.ARPHRD_ETHER)
		copy(request[18:], hardware)
	} else {
		binary.NativeEndian.PutUint16(request[16:], unix.AF_INET)
		copy(request[20:], net.ParseIP(arguments[1]).To4())
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), number, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}
