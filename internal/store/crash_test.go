package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"carrel/internal/store"
	"carrel/internal/store/storetest"
)

// crashWriter is set in the process that TestCrash kills: the path of its database.
const crashWriter = "CARREL_TEST_CRASH_WRITER"

// TestCrash kills a process that writes, at random times, and looks for all that it had
// been told was kept.
func TestCrash(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t)
	acknowledged := make(map[string]bool)
	for round := range 8 {
		writeAndDie(t, path, round, acknowledged)
		s, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		sound := read(t, s, func(tx *store.Tx) (string, error) {
			return tx.Text(t.Context(), "SELECT group_concat(integrity_check, ' ') FROM pragma_integrity_check")
		})
		equal(t, sound, "ok")
		page, err := pageOf(t.Context(), s, store.WorkSpaceFilter{Scope: here})
		if err != nil {
			t.Fatal(err)
		}
		there := make(map[string]bool)
		for _, w := range page.WorkSpaces {
			there[w.ID] = true
		}
		for id := range acknowledged {
			if !there[id+"-a"] || !there[id+"-b"] {
				t.Errorf("%s was acknowledged and is gone", id)
			}
		}
		// Each update wrote two WorkSpaces and one job, or nothing.
		jobs := read(t, s, func(tx *store.Tx) (string, error) {
			return tx.Text(t.Context(), "SELECT CAST(2 * COUNT(*) AS TEXT) FROM river_job")
		})
		equal(t, jobs, fmt.Sprint(len(there)))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d updates were acknowledged", len(acknowledged))
	if len(acknowledged) == 0 {
		t.Error("no update was acknowledged before the process died")
	}
}

// writeAndDie runs TestCrashWriter in a process of its own, kills it, and adds what it said.
func writeAndDie(t *testing.T, path string, round int, acknowledged map[string]bool) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashWriter$")
	child.Env = append(os.Environ(), crashWriter+"="+path, fmt.Sprintf("CARREL_TEST_ROUND=%d", round))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for first := true; ; first = false {
		line, err := lines.ReadString('\n')
		if err == io.EOF { // a line without its end was not said
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		acknowledged[strings.TrimSpace(line)] = true
		if first {
			time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() { _ = child.Process.Kill() })
		}
	}
	_ = child.Wait() // was killed
}

func TestCrashWriter(t *testing.T) {
	t.Parallel()
	path := os.Getenv(crashWriter)
	if path == "" {
		t.Skip("runs only in the process that TestCrash starts")
	}
	ctx := context.Background()
	s, err := store.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		go func() {
			for j := 0; ; j++ {
				id := fmt.Sprintf("ws-%s-%d-%d", os.Getenv("CARREL_TEST_ROUND"), i, j)
				err := s.Update(ctx, func(tx *store.Tx) error {
					if err := tx.InsertWorkSpace(ctx, workSpace(id+"-a")); err != nil {
						return err
					}
					return enqueueOne(ctx, tx, id+"-b")
				})
				if err != nil {
					panic(err)
				}
				fmt.Fprintln(os.Stdout, id) // one write: lines do not mix
			}
		}()
	}
	select {}
}
