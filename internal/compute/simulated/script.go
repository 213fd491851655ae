package simulated

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"carrel/internal/compute"
)

// What a simulated desktop understands of a script, which it takes line by line: the rest has no effect.
//
//	printf WORDS >/FOLDER/NAME    the file NAME of the root volume holds WORDS
//	rm /FOLDER/NAME               there is no such file any more
//	take_settings                 an archive of the user's settings lies on the user volume: see settings.go
//	bring_settings                what is in the archive is on the user volume
//	exit STATUS                   the end; without it, 0
//	VERB) …                       as in a case on the argument: only where VERB is the argument

// scriptResults is the folder of the root volume in which the result of the last script lies.
const scriptResults = "scripts/"

// Run implements [compute.Driver].
func (d *Driver) Run(ctx context.Context, id string, s compute.Script) (time.Time, error) {
	if err := s.Check(); err != nil {
		return time.Time{}, err
	}
	leave, err := d.enter(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer leave()
	again, err := d.advance(order{
		method: scripting, spec: compute.Desktop{ID: id}, with: with{Script: s.Name, Text: linesFor(s.Argument, s.Text)},
	})
	if err != nil || !again.IsZero() {
		return again, err
	}
	switch status, ended := d.get(id).Disks.result(s.Name); {
	case !ended:
		return time.Time{}, fmt.Errorf("%w: the root volume has no place for the script's result", compute.ErrCapacity)
	case status != "0":
		return time.Time{}, fmt.Errorf("%w: it ended with status %s", compute.ErrScript, status)
	}
	return time.Time{}, nil
}

// linesFor returns the lines of a script that count with an argument, without those that it begins for another.
func linesFor(argument, text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSpace(line), ";;")
		if verb, rest, found := strings.Cut(line, ")"); found && !strings.ContainsAny(verb, " (\"'`") {
			if verb != argument {
				continue
			}
			line = strings.TrimSpace(rest)
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

// ran is the disks after a script. What does not fit on the root volume fails it.
func (d *disks) ran(w with) *disks {
	root, home, status := maps.Clone(d.volume(Root)), d.volume(Home), "0"
	maps.DeleteFunc(root, func(name string, _ *file) bool { return strings.HasPrefix(name, scriptResults) })
	for line := range strings.SplitSeq(w.Text, "\n") {
		if said, found := strings.CutPrefix(line, "exit "); found {
			status = said
			break
		}
		var err error
		if root, home, err = after(line, root, home); err != nil {
			status = "1"
			break
		}
	}
	root, _ = root.holding("/"+scriptResults+w.Script, status) // without it, Run says so
	return d.put(Root, root).put(Home, home)
}

// after is what both volumes hold after a line, which may change root.
func after(line string, root, home contents) (contents, contents, error) {
	words, path, printed := strings.Cut(line, " >/")
	var err error
	switch {
	case line == "take_settings":
		home, err = home.takeSettings()
	case line == "bring_settings":
		home, err = home.bringSettings()
	case printed && strings.HasPrefix(words, "printf "):
		root, err = root.holding(path, strings.Trim(strings.TrimPrefix(words, "printf "), `'"`))
	case strings.HasPrefix(line, "rm /"):
		_, name, _ := strings.Cut(strings.TrimPrefix(line, "rm /"), "/")
		delete(root, name)
	}
	return root, home, err
}

// holding is the contents with a text in the file of a path, whose first folder does not count; as
// they are where it does not fit.
func (c contents) holding(path, text string) (contents, error) {
	_, name, _ := strings.Cut(path, "/")
	next, err := c.with(name, []byte(text))
	if err != nil {
		return c, err
	}
	return next, nil
}

// result returns the status with which the script of a name ended, if it was the last.
func (d *disks) result(name string) (status string, ended bool) {
	f, ended := d.volume(Root)[scriptResults+name]
	if ended {
		status = string(f.bytes)
	}
	return status, ended
}
