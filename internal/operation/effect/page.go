package effect

import (
	"fmt"
	"slices"
	"strings"
)

// Page returns docs/operations.md for operations that are carried out as Read says in folder,
// which links are made to.
func Page(operations []string, effects map[string]Effect, folder string) string {
	var b strings.Builder
	b.WriteString("# What the operations do\n\n")
	b.WriteString("Generated from the comments of the methods in `" + folder + "` by `go generate`; do not edit.\n\n")
	names := slices.Sorted(slices.Values(operations))
	var records []string
	for _, name := range names {
		if slices.Equal(effects[name].Kinds, []string{Record}) {
			records = append(records, name)
		}
	}
	fmt.Fprintf(&b, "%s\n\n", summary(len(names), records))
	b.WriteString("| effect | means |\n|---|---|\n")
	for _, m := range Meanings() {
		fmt.Fprintf(&b, "| %s | %s |\n", m.Kind, m.Means)
	}
	b.WriteString("\n| operation | what it does | file | effect | notes |\n|---|---|---|---|---|\n")
	for _, name := range names {
		e := effects[name]
		fmt.Fprintf(&b, "| %s | %s | [%s](../%s/%s) | %s | %s |\n", name, capital(e.Does), e.File, folder, e.File, strings.Join(e.Kinds, ", "), e.Note)
	}
	return b.String()
}

// summary says how many operations there are, and which are records only.
func summary(all int, records []string) string {
	switch len(records) {
	case 0:
		return fmt.Sprintf("There are %d operations. None is a record only.", all)
	case 1:
		return fmt.Sprintf("There are %d operations. One is a record only: %s.", all, records[0])
	default:
		return fmt.Sprintf("There are %d operations. %d are records only: %s.", all, len(records), strings.Join(records, ", "))
	}
}

// capital returns a sentence with its first letter in upper case.
func capital(sentence string) string {
	return strings.ToUpper(sentence[:1]) + sentence[1:]
}
