package simulated

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

// slack is how many lines a journal may have beyond twice the number of desktops and
// images, and slackBytes how many bytes beyond twice what they take, before it is
// written anew.
const (
	slack      = 10_000
	slackBytes = 32 << 20
)

// journal is the file that desktops outlive the process in: one line of JSON for
// each change, which holds all of the desktop, so that the last line on a desktop is
// what it is. Each line is one write and none is synced: it has to outlive the
// process, not the machine.
type journal struct {
	path      string
	file      *os.File // appended to
	size      int64    // of the file, up to the end of its last whole line
	torn      bool     // the file goes on beyond size
	lines     int
	limit     int                 // of lines, before it is written anew
	sizeLimit int64               // the same, of bytes
	known     map[string]struct{} // the digests of the files that the journal holds
}

// entry is a line of the journal: what became of a desktop, of an image, or of both at
// once. What a file holds is in the first line that has the file.
type entry struct {
	desktop
	Image *osImage          `json:"image,omitzero"`
	Files map[string][]byte `json:"files,omitzero"` // by digest
}

// files calls yield with every file of desktop and image.
func (e entry) files(yield func(*file)) {
	e.Disks.files(yield)
	if e.Image != nil {
		e.Image.Root.files(yield)
	}
}

// encode returns the entry's line, with the files that are not yet known, and their digests.
func (e entry) encode(known map[string]struct{}) (line []byte, news []string, err error) {
	e.files(func(f *file) {
		if _, ok := known[f.digest]; ok {
			return
		}
		if e.Files == nil {
			e.Files = make(map[string][]byte)
		}
		e.Files[f.digest] = f.bytes
		news = append(news, f.digest)
	})
	line, err = json.Marshal(e)
	return append(line, '\n'), news, err
}

// state is all that an engine in a folder has.
type state struct {
	desktops map[string]*desktop
	images   map[string]*osImage
}

// openJournal reads the journal of a folder, writes it anew without what is
// outdated, and returns what is in it.
func openJournal(dir string) (*journal, state, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, state{}, fmt.Errorf("simulated: make the journal's folder: %w", err)
	}
	j := &journal{path: filepath.Join(dir, "desktops.jsonl")}
	all, err := j.read()
	if err != nil {
		return nil, state{}, fmt.Errorf("simulated: read the journal: %w", err)
	}
	if err := j.rewrite(all); err != nil {
		return nil, state{}, fmt.Errorf("simulated: write the journal anew: %w", err)
	}
	return j, all, nil
}

// read replays the file. What follows its last line end is a line that the process
// died in, whose caller was not told of success.
func (j *journal) read() (state, error) {
	all := state{desktops: make(map[string]*desktop), images: make(map[string]*osImage)}
	file, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, err
	}
	defer file.Close()
	r, known := bufio.NewReaderSize(file, 64<<10), make(map[string][]byte)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		var e entry
		err = json.Unmarshal(line, &e)
		if err == nil {
			err = e.fill(known)
		}
		if err != nil {
			return all, fmt.Errorf("%s, line %d: %w", j.path, n, err)
		}
		all.replay(e)
	}
}

// fill gives the files of an entry that was read what they hold.
func (e entry) fill(known map[string][]byte) (err error) {
	maps.Copy(known, e.Files)
	e.files(func(f *file) {
		var ok bool
		if f.bytes, ok = known[f.digest]; !ok {
			err = fmt.Errorf("what file %s holds is nowhere", f.digest)
		}
	})
	return err
}

func (s state) replay(e entry) {
	switch x := e.desktop; {
	case x.Spec.ID == "":
	case x.Gone:
		delete(s.desktops, x.Spec.ID)
	default:
		s.desktops[x.Spec.ID] = &x
	}
	switch i := e.Image; {
	case i == nil:
	case i.Gone:
		delete(s.images, i.Name)
	default:
		s.images[i.Name] = i
	}
}

// append adds what became of a desktop, an image or both. After an error nothing did.
func (j *journal) append(e entry) error {
	line, news, err := e.encode(j.known)
	if err != nil {
		return fmt.Errorf("simulated: write the journal: %w", err)
	}
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
	for _, digest := range news {
		j.known[digest] = struct{}{}
	}
	j.size += int64(len(line))
	j.lines++
	return nil
}

// compactWhenDue writes the journal anew once most of it is outdated. Where that
// fails, the one there is goes on, and the next attempt is far off.
func (j *journal) compactWhenDue(all state) {
	if j.lines <= j.limit && j.size <= j.sizeLimit {
		return
	}
	if err := j.rewrite(all); err != nil {
		j.limit *= 2
		j.sizeLimit *= 2
	}
}

// rewrite puts a journal in place that holds what there is and nothing else.
func (j *journal) rewrite(all state) error {
	next := j.path + ".new"
	file, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // the administrator names the folder
	if err != nil {
		return err
	}
	known := make(map[string]struct{})
	size, err := dump(file, all, known)
	if err == nil {
		err = os.Rename(next, j.path)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if j.file != nil {
		_ = j.file.Close() // replaced: whatever it holds counts no more
	}
	j.file, j.size, j.torn, j.known = file, size, false, known
	j.lines = len(all.desktops) + len(all.images)
	j.limit, j.sizeLimit = 2*j.lines+slack, 2*size+slackBytes
	return nil
}

// dump writes all there is, one a line, and returns how many bytes that took. It adds the
// digests of the files to known.
func dump(w io.Writer, all state, known map[string]struct{}) (size int64, err error) {
	b := bufio.NewWriterSize(w, 1<<20)
	write := func(e entry) error {
		line, news, err := e.encode(known)
		if err != nil {
			return err
		}
		for _, digest := range news {
			known[digest] = struct{}{}
		}
		size += int64(len(line))
		_, err = b.Write(line)
		return err
	}
	for _, x := range all.desktops {
		if err := write(entry{desktop: *x}); err != nil {
			return size, err
		}
	}
	for _, i := range all.images {
		if err := write(entry{Image: i}); err != nil {
			return size, err
		}
	}
	return size, b.Flush()
}

func (j *journal) close() error {
	if err := j.file.Close(); err != nil {
		return fmt.Errorf("simulated: close the journal: %w", err)
	}
	return nil
}
