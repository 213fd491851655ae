package migration_test

import (
	"database/sql"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the database

	"carrel/internal/store/migration"
)

// TestTagsThatAreThereAreOrderedByKey takes the step to tags with an order when there are some.
func TestTagsThatAreThereAreOrderedByKey(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	run := func(query string) {
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	steps, err := migration.Steps()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if step.Name == "0019_tag_order.sql" {
			run(`INSERT INTO tag (account, region, resource_id, key, value) VALUES
				('1', 'r', 'ws-1', 'b', ''), ('1', 'r', 'ws-1', 'a', ''), ('1', 'r', 'ws-1', 'c', ''), ('1', 'r', 'ws-2', 'z', ''), ('2', 'r', 'ws-1', 'x', '')`)
		}
		for _, query := range step.Statements() {
			run(query)
		}
	}
	rows, err := db.QueryContext(t.Context(), "SELECT account || resource_id || key || position FROM tag ORDER BY account, resource_id, position")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	if err := rows.Err(); err != nil || strings.Join(got, " ") != "1ws-1a1 1ws-1b2 1ws-1c3 1ws-2z1 2ws-1x1" {
		t.Errorf("%v, %v", got, err)
	}
}
