package simulated

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// slack is how many lines a journal may have beyond twice the number of desktops
// before it is written anew.
const slack = 10_000

// journal is the file that desktops outlive the process in: one line of JSON for
// each change, which holds all of the desktop, so that the last line on a desktop is
// what it is. Each line is one write and none is synced: it has to outlive the
// process, not the machine.
type journal struct {
	path  string
	file  *os.File // appended to
	size  int64    // of the file, up to the end of its last whole line
	torn  bool     // the file goes on beyond size
	lines int
	limit int // of lines, before it is written anew
}

// openJournal reads the journal of a folder, writes it anew without what is
// outdated, and returns the desktops in it.
func openJournal(dir string) (*journal, map[string]desktop, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("simulated: make the journal's folder: %w", err)
	}
	j := &journal{path: filepath.Join(dir, "desktops.jsonl")}
	desktops, err := j.read()
	if err != nil {
		return nil, nil, fmt.Errorf("simulated: read the journal: %w", err)
	}
	if err := j.rewrite(desktops); err != nil {
		return nil, nil, fmt.Errorf("simulated: write the journal anew: %w", err)
	}
	return j, desktops, nil
}

// read replays the file. What follows its last line end is a line that the process
// died in, whose caller was not told of success.
func (j *journal) read() (map[string]desktop, error) {
	desktops := make(map[string]desktop)
	file, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return desktops, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 64<<10)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return desktops, nil
		}
		if err != nil {
			return nil, err
		}
		var x desktop
		if err := json.Unmarshal(line, &x); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", j.path, n, err)
		}
		if x.Gone {
			delete(desktops, x.Spec.ID)
		} else {
			desktops[x.Spec.ID] = x
		}
	}
}

// append adds a desktop's new state. After an error the old one stands.
func (j *journal) append(x desktop) error {
	line, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("simulated: write the journal: %w", err)
	}
	line = append(line, '\n')
	if j.torn {
		if err := j.file.Truncate(j.size); err != nil {
			return fmt.Errorf("simulated: repair the journal: %w", err)
		}
	}
	_, err = j.file.Write(line)
	j.torn = err != nil
	if err != nil {
		return fmt.Errorf("simulated: write the journal: %w", err)
	}
	j.size += int64(len(line))
	j.lines++
	return nil
}

// compactWhenDue writes the journal anew once most of it is outdated. Where that
// fails, the one there is goes on, and the next attempt is far off.
func (j *journal) compactWhenDue(desktops map[string]*desktop) {
	if j.lines <= j.limit {
		return
	}
	current := make(map[string]desktop, len(desktops))
	for id, x := range desktops {
		current[id] = *x
	}
	if err := j.rewrite(current); err != nil {
		j.limit *= 2
	}
}

// rewrite puts a journal in place that holds these desktops and nothing else.
func (j *journal) rewrite(desktops map[string]desktop) error {
	next := j.path + ".new"
	file, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // the administrator names the folder
	if err != nil {
		return err
	}
	size, err := dump(file, desktops)
	if err == nil {
		err = os.Rename(next, j.path)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if j.file != nil {
		_ = j.file.Close() // replaced: whatever it holds counts no more
	}
	j.file, j.size, j.torn = file, size, false
	j.lines, j.limit = len(desktops), 2*len(desktops)+slack
	return nil
}

// dump writes the desktops, one a line, and returns how many bytes that took.
func dump(w io.Writer, desktops map[string]desktop) (size int64, err error) {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for _, x := range desktops {
		if err := lines.Encode(x); err != nil {
			return size, err
		}
		if b.Len() > 1<<20 {
			n, err := b.WriteTo(w)
			if size += n; err != nil {
				return size, err
			}
		}
	}
	n, err := b.WriteTo(w)
	return size + n, err
}

func (j *journal) close() error {
	if err := j.file.Close(); err != nil {
		return fmt.Errorf("simulated: close the journal: %w", err)
	}
	return nil
}
