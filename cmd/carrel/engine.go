package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"carrel/internal/cli"
	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/incus"
	"carrel/internal/compute/simulated"
	"carrel/internal/control"
	"carrel/internal/fault"
)

// engine is what runs desktops.
type engine struct {
	driver   compute.Driver
	name     string
	why      string // why this one
	encrypts bool   // it can make encrypted volumes
	reset    func(context.Context) error
	files    control.Files
	signOut  func(ctx context.Context, desktop string) error                 // nil: users do so themselves
	faults   *fault.Faults                                                   // that it can have; nil: none
	claim    func(ctx context.Context, addresses netip.Prefix) (bool, error) // see installation.FirstStart; nil: nobody else is there
	close    func() error
}

// probeTimeout is how long --engine auto waits for Incus.
const probeTimeout = 10 * time.Second

// openEngine opens the engine that the configuration asks for: with auto, Incus where it answers.
func openEngine(ctx context.Context, c *cli.Config, installation string, clk *clock.Clock, log *slog.Logger) (engine, error) {
	switch c.Engine {
	case "incus":
		return openIncus(ctx, c, installation, clk, log)
	case "simulated":
		return openSimulated(c, clk, "asked for")
	}
	probe, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	e, err := openIncus(probe, c, installation, clk, log)
	if err != nil {
		return openSimulated(c, clk, fmt.Sprintf("desktops are only simulated, since Incus does not answer (%v); carrel doctor says how to get it", err))
	}
	e.why = "it answers"
	return e, nil
}

// toolsInstallation owns what the commands that need no server do in Incus, for a moment.
const toolsInstallation = "tools"

// withIncus lends f the Incus that the configuration names, apart from any server's desktops.
func withIncus(ctx context.Context, c *cli.Config, f func(*incus.Driver) error) (err error) {
	driver, err := incus.Open(ctx, incus.Config{
		Socket: c.Incus.Socket, Project: c.Incus.Project + "-tools", Parallel: c.Incus.Parallel,
		Pool: c.Incus.Pool, EncryptedPool: c.Incus.EncryptedPool,
		Installation: toolsInstallation, Clock: clock.New(),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, driver.Remove(context.WithoutCancel(ctx))) }()
	return f(driver)
}

// describeIncus is the part of doctor and of image list that only Incus can answer.
func describeIncus(ctx context.Context, c *cli.Config) (about compute.About, err error) {
	err = withIncus(ctx, c, func(d *incus.Driver) (err error) {
		about, err = d.About(ctx)
		return err
	})
	return about, err
}

// importImage is the end of image build.
func importImage(ctx context.Context, c *cli.Config, alias, metadata, rootfs string) error {
	return withIncus(ctx, c, func(d *incus.Driver) error { return d.ImportImage(ctx, alias, metadata, rootfs) })
}

func openIncus(ctx context.Context, c *cli.Config, installation string, clk *clock.Clock, log *slog.Logger) (engine, error) {
	groups, err := c.Groups()
	if err != nil {
		return engine{}, err
	}
	driver, err := incus.Open(ctx, incus.Config{
		Socket: c.Incus.Socket, Project: c.Incus.Project, Parallel: c.Incus.Parallel,
		Pool: c.Incus.Pool, EncryptedPool: c.Incus.EncryptedPool, Groups: groups,
		Installation: installation, Clock: clk, Logger: log,
	})
	if err != nil {
		return engine{}, err
	}
	about, err := driver.About(ctx)
	if err != nil {
		return engine{}, err
	}
	for _, problem := range about.Problems {
		log.WarnContext(ctx, "the engine is not as it should be", "problem", problem)
	}
	return engine{
		driver: driver, name: about.Name, why: "asked for",
		encrypts: c.Incus.EncryptedPool != "", claim: driver.Claim, close: func() error { return nil },
	}, nil
}

func openSimulated(c *cli.Config, clk *clock.Clock, why string) (engine, error) {
	usual := simulated.Behaviour{Min: c.Simulated.Delay, Max: c.Simulated.Delay}
	create := usual
	create.Fail = c.Simulated.Failures
	driver, err := simulated.Open(simulated.Config{
		Dir: c.Folder().Engine(), Clock: clk, Seed: c.Simulated.Seed, Capacity: c.Simulated.Capacity, AnyImage: true, AnyGroup: true,
		Create: create, Start: usual, Stop: usual, Reboot: usual, Delete: usual,
		Snapshot: usual, DropSnapshot: usual, Rebuild: usual, Restore: usual, Receive: usual, Resize: usual,
		Capture: usual, MakeImage: usual, DeleteImage: usual, Run: usual,
	})
	if err != nil {
		return engine{}, err
	}
	return engine{driver: driver, name: "simulated", why: why, encrypts: true, reset: emptier(driver), files: files{driver}, signOut: driver.SignOut, close: driver.Close}, nil
}

// openFaults puts the faults that test suites set before a simulated engine.
func (s *server) openFaults(ctx context.Context) error {
	if !s.config.Control || s.engine.reset == nil {
		return nil
	}
	rules, err := s.config.FaultRules()
	if err != nil {
		return err
	}
	s.engine.faults = fault.New(s.store, s.clock)
	s.engine.driver = s.engine.faults.Engine(s.engine.driver)
	_, err = s.engine.faults.Add(ctx, rules)
	return err
}

// files are those on the volumes of simulated desktops.
type files struct{ driver *simulated.Driver }

// ReadFile implements [control.Files].
func (f files) ReadFile(ctx context.Context, id, volume, name string) ([]byte, error) {
	v, err := volumeOf(volume)
	if err != nil {
		return nil, err
	}
	return f.driver.ReadFile(ctx, id, v, name)
}

// WriteFile implements [control.Files].
func (f files) WriteFile(ctx context.Context, id, volume, name string, content []byte) error {
	v, err := volumeOf(volume)
	if err != nil {
		return err
	}
	return f.driver.WriteFile(ctx, id, v, name, content)
}

func volumeOf(name string) (simulated.Volume, error) {
	switch v := simulated.Volume(name); v {
	case simulated.Root, simulated.Home:
		return v, nil
	default:
		return "", fmt.Errorf("%w: a desktop has the volumes root and home, and no %s", compute.ErrInvalid, name)
	}
}

// emptier returns what removes all desktops and images of a simulated engine. Desktops that
// take their time to go are gone later: nobody owns them any more, and reconcile sees to that.
func emptier(driver *simulated.Driver) func(context.Context) error {
	return func(ctx context.Context) error {
		machines, err := driver.List(ctx)
		for _, m := range machines {
			_, e := driver.Delete(ctx, m.ID)
			err = errors.Join(err, e)
		}
		about, e := driver.About(ctx)
		err = errors.Join(err, e)
		for _, image := range about.Images {
			_, e := driver.DeleteImage(ctx, image.Name)
			err = errors.Join(err, e)
		}
		return err
	}
}
