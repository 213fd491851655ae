// Package effect reads what each operation really does from the comments of the methods that
// carry them out, and writes docs/operations.md from it. An operation's comment says what it
// does in the API's words, and ends with a paragraph that says what comes of it:
//
//	// Effect: desktop, network. A machine with its limits, and an address in a subnet.
//
// The words before the first full stop are of those that Meanings explains; what follows them is
// shown as a note, and is asked for in every case. It imports the standard library.
package effect

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// Effect is what comes of an operation.
type Effect struct {
	Operation string   // its name in the API, which is the method's
	File      string   // the file of the method, without its folder
	Does      string   // what it does, in the API's words
	Kinds     []string // what it has an effect on: words that Meanings explains
	Note      string   // how, or why there is none
}

// Meaning explains a kind of effect.
type Meaning struct{ Kind, Means string }

// Record is the kind of what is kept and shown, and has no other effect.
const Record = "record"

// Meanings returns the kinds of effects there are, in the order in which the page explains them.
func Meanings() []Meaning {
	return []Meaning{
		{"desktop", "machines, their volumes or what is installed on them change in the engine"},
		{"image", "images are made in the engine, or removed"},
		{"network", "addresses of desktops, or who is let in from where"},
		{"portal", "what people see in the browser and can do there, signing in included"},
		{"stream", "streams that run: what may cross, and who is cut off"},
		{"TLS", "how the server proves itself, and to whom it speaks"},
		{"operations", "what other operations do and answer from then on"},
		{"answer", "nothing changes: it tells what is so"},
		{Record, "kept and shown, and nothing else; the note says why"},
	}
}

// Read returns the effects of the operations that the methods of a receiver carry out, by the
// name of the operation. The folder is the package's; its tests are not read. An operation
// without a method, or with one whose comment does not say what comes of it, is an error.
func Read(folder, receiver string, operations []string) (map[string]Effect, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	effects := make(map[string]Effect)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			method, ok := declaration.(*ast.FuncDecl)
			if !ok || !slices.Contains(operations, method.Name.Name) || receiverOf(method) != receiver {
				continue
			}
			e, err := read(method.Name.Name, method.Doc.Text())
			if err != nil {
				return nil, fmt.Errorf("%s: %s %w", filepath.Base(path), method.Name.Name, err)
			}
			e.File = filepath.Base(path)
			effects[e.Operation] = e
		}
	}
	for _, name := range operations {
		if _, found := effects[name]; !found {
			return nil, fmt.Errorf("no method of %s carries out %s", receiver, name)
		}
	}
	return effects, nil
}

// receiverOf returns the name of a method's receiver's type, "" for a function.
func receiverOf(method *ast.FuncDecl) string {
	if method.Recv == nil {
		return ""
	}
	name, ok := method.Recv.List[0].Type.(*ast.Ident)
	if !ok {
		return ""
	}
	return name.Name
}

// read reads a method's comment.
func read(operation, comment string) (Effect, error) {
	does, effect, found := strings.Cut(comment, "\nEffect: ")
	if !found {
		return Effect{}, fmt.Errorf("says nothing of its effect: its comment has to end with a paragraph such as \"Effect: %s. Why so.\"", Record)
	}
	kinds, note, _ := strings.Cut(oneLine(effect), ".")
	e := Effect{
		Operation: operation, Kinds: strings.Split(kinds, ", "), Note: strings.TrimSpace(note),
		Does: strings.TrimPrefix(oneLine(does), operation+" "),
	}
	for _, kind := range e.Kinds {
		if !slices.ContainsFunc(Meanings(), func(m Meaning) bool { return m.Kind == kind }) {
			return Effect{}, fmt.Errorf("has an effect on %q, which is not a word of effect.Meanings", kind)
		}
	}
	switch {
	case e.Note == "":
		return Effect{}, fmt.Errorf("says that its effect is %q, and not how or why", kinds)
	case slices.Contains(e.Kinds, "answer") && len(e.Kinds) > 1:
		return Effect{}, fmt.Errorf("cannot only answer and have the effect %q", kinds)
	}
	return e, nil
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
