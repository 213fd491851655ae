// Command carrel is the server and its tools. Main is the only place that knows every
// package: it puts the parts together that the commands of package cli run.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"carrel/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Run(ctx, cli.Parts{
		Serve: serve, Incus: describeIncus, ImportImage: importImage, Version: version(),
		Env: os.Environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	}, os.Args[1:]))
}

// version is what the build recorded of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	parts := []string{info.Main.Version}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			parts = append(parts, s.Value)
		}
	}
	return strings.Join(append(parts, info.GoVersion), " ")
}
