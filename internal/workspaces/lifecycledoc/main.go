// Command lifecycledoc writes docs/lifecycle.md from the table in package workspaces. It
// is run by go generate; a test of package workspaces fails where the page is not what it
// would write.
package main

import (
	"log"
	"os"

	"carrel/internal/workspaces"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: lifecycledoc FILE")
	}
	if err := os.WriteFile(os.Args[1], []byte(workspaces.LifecyclePage()), 0o644); err != nil { //nolint:gosec // a page for everybody
		log.Fatal(err)
	}
}
