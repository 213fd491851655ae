// Command operationsdoc writes docs/operations.md from the comments of the methods of package
// operation. It is run by go generate; a test of package operation fails where the page is not
// what it would write.
package main

import (
	"log"
	"os"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/operation/effect"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: operationsdoc FOLDER FILE")
	}
	var operations []string
	for _, op := range wsapi.Service.Operations {
		operations = append(operations, op.Spec().Name)
	}
	effects, err := effect.Read(os.Args[1], "WorkSpaces", operations)
	if err != nil {
		log.Fatal(err)
	}
	page := effect.Page(operations, effects, "internal/operation")
	if err := os.WriteFile(os.Args[2], []byte(page), 0o644); err != nil { //nolint:gosec // a page for everybody
		log.Fatal(err)
	}
}
