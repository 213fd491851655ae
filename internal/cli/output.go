package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// format is how a command prints what it found. It is a flag's value.
type format string

const (
	formatTable format = "table"
	formatJSON  format = "json"
)

// String implements pflag.Value.
func (f *format) String() string { return string(*f) }

// Type implements pflag.Value.
func (*format) Type() string { return "format" }

// Set implements pflag.Value.
func (f *format) Set(value string) error {
	switch format(value) {
	case formatTable, formatJSON:
		*f = format(value)
		return nil
	default:
		return errors.New("must be table or json")
	}
}

// outputFlag declares --output for a command and returns where its value will be.
func outputFlag(cmd *cobra.Command) *format {
	f := formatTable
	cmd.Flags().VarP(&f, "output", "o", "how to print: table or json")
	if err := cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]cobra.Completion{string(formatTable), string(formatJSON)}, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is completed twice: a mistake in this package
	}
	return &f
}

// printList prints things as a table with a line each, or as a JSON array of them.
func printList[T any](w io.Writer, f format, list []T, titles []string, cells func(T) []string) error {
	if f == formatJSON {
		if list == nil {
			list = []T{} // a list without members, not the absence of one
		}
		return printJSON(w, list)
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	line := func(cells []string) {
		for i, cell := range cells {
			if cells[i] = clean(cell); cell == "" {
				cells[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t")) // Flush returns the error
	}
	line(titles)
	for _, item := range list {
		line(cells(item))
	}
	return table.Flush()
}

func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// terminal returns the file behind a reader or writer where that is a terminal.
func terminal(stream any) (*os.File, bool) {
	file, ok := stream.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

// clean makes a text one line without control characters: what others have written must not
// steer the terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
