package operation_test

import (
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"carrel/internal/workspaces"
)

// place is where a request names something.
type place struct {
	steps []string // the members that lead there, and "[]" for the element of a list
	kind  string   // what is named: see kindOf
}

// places are all places of a shape, which is that of a member, where there is a text that is none of an enumeration.
func (m *model) places(shape, called string) (found []place) {
	s := m.Shapes[shape]
	enter := func(step, name string, inner member) {
		if of := m.Shapes[inner.Shape]; of.Type == "string" && len(of.Enum) == 0 {
			found = append(found, place{[]string{step}, kindOf(inner.Shape, name)})
		}
		for _, p := range m.places(inner.Shape, name) {
			found = append(found, place{slices.Concat([]string{step}, p.steps), p.kind})
		}
	}
	switch s.Type {
	case "structure":
		for _, name := range slices.Sorted(maps.Keys(s.Members)) {
			enter(name, name, s.Members[name])
		}
	case "list":
		enter("[]", called, s.Member)
	}
	return found
}

// put makes the least value of a shape, with a text at a place.
func (m *model) put(shape string, steps []string, text string) any {
	if len(steps) == 0 {
		return text
	}
	s := m.Shapes[shape]
	if steps[0] == "[]" {
		return []any{m.put(s.Member.Shape, steps[1:], text)}
	}
	out := map[string]any{steps[0]: m.put(s.Members[steps[0]].Shape, steps[1:], text)}
	for _, member := range s.Required {
		if member != steps[0] {
			out[member] = m.member(s.Members[member].Shape, member, false)
		}
	}
	return out
}

// kindOf is what a text in a member names: its shape says so, or the member where the shape does not.
func kindOf(shape, member string) string {
	switch {
	case shape == "NonEmptyString" && strings.HasPrefix(member, "ResourceId"):
		return "ResourceId"
	case shape == "AwsAccount" && member == "LinkedAccountId":
		return member
	default:
		return shape
	}
}

// madeUp is a name of the same form that nothing has: the part behind the first dash is turned round.
func madeUp(name string) string {
	head, tail := "", name
	if slash := strings.LastIndex(name, "/"); slash >= 0 { // an ARN
		head, tail = name[:slash+1], name[slash+1:]
	}
	if kind, rest, found := strings.Cut(tail, "-"); found {
		head, tail = head+kind+"-", rest
	}
	turn := func(r rune) rune {
		for _, alphabet := range []string{"0123456789", "abcdef", "ghijklmnopqrstuvwxyz"} {
			if i := strings.IndexRune(alphabet, r); i >= 0 {
				return rune(alphabet[(i+len(alphabet)/2)%len(alphabet)])
			}
		}
		return r
	}
	return head + strings.Map(turn, tail)
}

// made are ids and codes that are drawn anew for what a request makes.
var made = regexp.MustCompile(`\b(link|wsd?|wsb|wsi|wsipg|wsca|wspool)-[0-9a-z]{9,12}\b|\bS-1-5-21(-\d+){4}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// alike is a reply without the name that was asked about, and without what is drawn anew.
func alike(body, name string) string {
	return made.ReplaceAllString(strings.ReplaceAll(body, name, "NAME"), "$1-MADE")
}

// secrets are what a stranger must not learn of a world.
func (w *world) secrets() []string {
	all := []string{w.word}
	for _, names := range w.names() {
		all = append(all, names...)
	}
	return append(all, w.trust)
}

// shared are the places where an account's things are meant to be the same in all regions, and why.
func shared(owner, stranger workspaces.Scope) map[string]string {
	if owner.Account != stranger.Account {
		return nil
	}
	return map[string]string{
		"CopyWorkspaceImage SourceImageId":                                "an account copies its images between its regions",
		"CreateStandbyWorkspaces StandbyWorkspaces.[].PrimaryWorkspaceId": "an account's WorkSpaces stand by for those in another region",
	}
}

// rows are all rows of the store that belong to an account in a region, as text.
func (s *server) rows(t *testing.T, scope workspaces.Scope) (rows []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables, err := db.QueryContext(t.Context(), `SELECT m.name FROM sqlite_master m WHERE m.type = 'table' AND 'region' IN
		(SELECT name FROM pragma_table_info(m.name)) AND 'account' IN (SELECT replace(name, 'source_', '') FROM pragma_table_info(m.name))`)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range scanAll(t, tables) {
		table = strings.Trim(table, "[]")
		column := "account"
		if table == "account_link" {
			column = "source_account"
		}
		of, err := db.QueryContext(t.Context(), `SELECT * FROM `+table+` WHERE region = ? AND `+column+` = ?`, scope.Region, scope.Account)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range scanAll(t, of) {
			rows = append(rows, table+" "+row)
		}
	}
	slices.Sort(rows)
	return rows
}

// scanAll returns rows as text.
func scanAll(t *testing.T, rows *sql.Rows) (all []string) {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
