// Command bench measures Carrel from outside, as its clients meet it, and prints a table.
// It starts what it measures: the carrel that it is given, moto's server where that is
// installed, and bare SQLite and bare Incus beside them. The machines are noisy: compare
// numbers of one run with each other, and runs by their ratios.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// options say what is measured and how long.
type options struct {
	carrel   string
	only     string
	duration time.Duration
	large    int
	settle   int
	image    string
	desktops []int
}

func main() {
	var o options
	flag.StringVar(&o.carrel, "carrel", "bin/carrel", "the program to measure")
	flag.StringVar(&o.only, "only", "", "measure only parts whose name holds this: describe, create, settle, moto, stream, pool, incus")
	flag.DurationVar(&o.duration, "duration", 5*time.Second, "how long each rate is measured")
	flag.IntVar(&o.large, "large", 100_000, "how many WorkSpaces the large store has")
	flag.IntVar(&o.settle, "settle", 10_000, "how many WorkSpaces settle at once")
	flag.Func("desktops", "how many Incus desktops are made at once, one after the other (default 1,5,25)", func(list string) error {
		o.desktops = nil
		for part := range strings.SplitSeq(list, ",") {
			n, err := strconv.Atoi(part)
			if err != nil || n < 1 || n > 25 {
				return fmt.Errorf("%q is no number from 1 to 25", part)
			}
			o.desktops = append(o.desktops, n)
		}
		return nil
	})
	o.desktops = []int{1, 5, 25}
	flag.StringVar(&o.image, "image", "carrel/xfce", "the image of the Incus desktops")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal(err)
	}
}

// part is something that is measured.
type part struct {
	name string
	run  func(context.Context, options, *table) error
}

func run(ctx context.Context, o options) error {
	var t table
	for _, p := range []part{
		{"describe", benchDescribe}, {"moto create", benchMoto}, {"settle", benchSettle}, {"stream", benchStream}, {"pool", benchPool}, {"incus", benchIncus},
	} {
		if !strings.Contains(p.name, o.only) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring", p.name)
		if err := p.run(ctx, o, &t); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return t.print(os.Stdout)
}

// table collects lines of what was measured.
type table struct{ lines [][]string }

func (t *table) add(what, value, beside, ratio string) {
	t.lines = append(t.lines, []string{what, value, beside, ratio})
	fmt.Fprintln(os.Stderr, " ", what, value, beside, ratio)
}

func (t *table) print(out *os.File) error {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	for _, line := range append([][]string{{"what", "carrel", "beside it", "ratio"}, {"---", "---", "---", "---"}}, t.lines...) {
		fmt.Fprintln(w, "| "+strings.Join(line, "\t | ")+"\t |")
	}
	return w.Flush()
}
