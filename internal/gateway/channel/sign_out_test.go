package channel_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"carrel/internal/compute"
	"carrel/internal/gateway"
)

// TestSignOut waits for one, through lines that break, and knows of one that has been.
func TestSignOut(t *testing.T) {
	t.Parallel()
	d, driver := simulate(t)
	told := make(chan error)
	await := func(ctx context.Context) { told <- d.channels.AwaitSignOut(ctx, gateway.Desktop{ID: id}) }
	ctx, stop := context.WithCancel(t.Context())
	go await(ctx)
	stop()
	if err := <-told; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	go await(t.Context())
	if err := driver.SignOut(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Error(err)
	}
	go await(t.Context())
	if err := <-told; err != nil {
		t.Errorf("one that has been: %v", err)
	}
	if _, err := driver.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	go await(t.Context())
	if err := <-told; !errors.Is(err, compute.ErrNotRunning) {
		t.Errorf("of a stopped desktop: %v", err)
	}
	if err := driver.SignOut(t.Context(), id); !errors.Is(err, compute.ErrNotRunning) {
		t.Errorf("in a stopped desktop: %v", err)
	}
	if _, err := driver.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	ctx, stop = context.WithCancel(t.Context())
	go await(ctx)
	stop()
	if err := <-told; !errors.Is(err, context.Canceled) {
		t.Errorf("a desktop that was started again remembers: %v", err)
	}
}

// TestSignOutIsAskedAgain has an engine that does not answer at first.
func TestSignOutIsAskedAgain(t *testing.T) {
	t.Parallel()
	_, driver := simulate(t)
	if err := driver.SignOut(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	var tries atomic.Int32
	d := open(t, func(ctx context.Context, id string) (net.Conn, error) {
		if tries.Add(1) < 3 {
			return nil, compute.ErrUnavailable
		}
		return driver.DialSide(ctx, id)
	})
	if err := d.channels.AwaitSignOut(t.Context(), gateway.Desktop{ID: id}); err != nil || tries.Load() != 3 {
		t.Errorf("%v after %d tries", err, tries.Load())
	}
}
