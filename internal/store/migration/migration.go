// Package migration holds the store's schema as numbered SQL files. A file is never
// edited once it has been released; a change is a new file. The SQL is the part of
// the language that SQLite and PostgreSQL share.
package migration

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed *.sql
var files embed.FS

// Step is one numbered file.
type Step struct {
	Name string // e.g. 0001_start.sql
	SQL  string
}

// Steps returns all files in the order of their numbers.
func Steps() ([]Step, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	steps := make([]Step, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, Step{Name: name, SQL: string(text)})
	}
	return steps, nil
}

// Statements splits a step where a line ends with a semicolon.
func (s Step) Statements() []string {
	var out []string
	for text := range strings.SplitSeq(s.SQL, ";\n") {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, strings.TrimSuffix(text, ";"))
		}
	}
	return out
}
