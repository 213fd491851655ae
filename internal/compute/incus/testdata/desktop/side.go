package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"

	"carrel/internal/agent/side"
	"carrel/internal/sidechannel"
)

const sideSocket = "/run/carrel/side.sock" // where every Carrel desktop's side channel listens

// serveSide serves the side channel of the user's home as root, with a sound of its own.
func serveSide() error {
	home := "/home/" + os.Getenv("CARREL_USER")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	files, err := side.OpenHome(home)
	if err != nil {
		return err
	}
	os.Remove(sideSocket)
	listener, err := net.Listen("unix", sideSocket)
	if err != nil {
		return err
	}
	go http.Serve(listener, sidechannel.Handler(files, noise{}, stays{}))
	return nil
}

// stays is a user who never signs out.
type stays struct{}

func (stays) AwaitSignOut(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// noise sounds for a moment, and then not any more.
type noise struct{}

func (noise) Listen(ctx context.Context) (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(bytes.NewReader([]byte{0, 0, 0, 0, 1, 2, 3, 4}), silence{ctx})), nil
}

type silence struct{ context.Context }

func (s silence) Read([]byte) (int, error) {
	<-s.Done()
	return 0, io.EOF
}
