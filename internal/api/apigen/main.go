// Command apigen makes the Go packages of the services that Carrel answers from pinned API models.
//
//	go run ./internal/api/apigen             writes the packages below internal/api
//	go run ./internal/api/apigen -pin DIR    first pins the models anew, from botocore's data folder DIR
//
// The pinned models (models/*.json) hold shapes, constraints and bindings of botocore's models, and no prose. What a model
// can say and apigen does not understand is an error, never left out in silence: see plan.go. Start reading at config.go.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1) // this is main
	}
}

// run is main without the process: it reads the flags and writes files below the folder of package api.
func run(args []string, messages io.Writer) error {
	flags := flag.NewFlagSet("apigen", flag.ContinueOnError)
	flags.SetOutput(messages)
	botocore := flags.String("pin", "", "pin the models anew from botocore's data folder `DIR`")
	root := flags.String("api", ".", "folder of package api, in which the packages are written")
	if err := flags.Parse(args); err != nil {
		return err
	}
	models := filepath.Join(*root, "apigen", "models")
	for _, target := range targets() {
		if *botocore != "" {
			if err := pin(*botocore, models, target); err != nil {
				return err
			}
		}
		files, err := generate(models, target)
		if err != nil {
			return fmt.Errorf("%s: %w", target.model, err)
		}
		if err := writeFiles(filepath.Join(*root, target.pkg), files); err != nil {
			return err
		}
	}
	return nil
}

func writeFiles(folder string, files map[string][]byte) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // source code, for everyone to read
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil { //nolint:gosec // source code, for everyone to read
			return err
		}
	}
	return nil
}
