package simulated_test

import (
	"fmt"
	"testing"

	"carrel/internal/compute/simulated"
)

// populated returns an engine with so many desktops.
func populated(b *testing.B, cfg simulated.Config, desktops int) *simulated.Driver {
	b.Helper()
	d := open(b, cfg)
	for n := range desktops {
		if _, err := d.Create(b.Context(), spec(n)); err != nil {
			b.Fatal(err)
		}
	}
	return d
}

func BenchmarkCreate(b *testing.B) {
	for _, where := range []string{"memory", "journal"} {
		for _, desktops := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", where, desktops), func(b *testing.B) {
				cfg := config()
				if where == "journal" {
					cfg.Dir = b.TempDir()
				}
				d := populated(b, cfg, desktops)
				next := spec(desktops)
				for b.Loop() {
					if _, err := d.Create(b.Context(), next); err != nil {
						b.Fatal(err)
					}
					if _, err := d.Delete(b.Context(), next.ID); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkPending asks again about one of many desktops that are being made.
func BenchmarkPending(b *testing.B) {
	d := populated(b, durations(config()), 10_000)
	one := spec(5_000)
	for b.Loop() {
		if again, err := d.Create(b.Context(), one); err != nil || again.IsZero() {
			b.Fatal(again, err)
		}
	}
}

func BenchmarkList(b *testing.B) {
	for _, desktops := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(desktops), func(b *testing.B) {
			d := populated(b, config(), desktops)
			for b.Loop() {
				if machines, err := d.List(b.Context()); err != nil || len(machines) != desktops {
					b.Fatal(len(machines), err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	cfg := config()
	cfg.Dir = b.TempDir()
	if err := populated(b, cfg, 100_000).Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		d, err := simulated.Open(cfg)
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
