package agent

import (
	"io"
	"os"
	"sync"
)

// maxLog bounds each log, in bytes. One full log is kept beside the current one; all of them live in memory, on /run.
const maxLog = 512 << 10

// boundedLog appends to a file that never grows beyond a bound: a full one becomes PATH.1 and a new one begins.
type boundedLog struct {
	path string
	max  int64

	mu   sync.Mutex
	file *os.File
	size int64
}

func openLog(path string, maxBytes int64) (*boundedLog, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644) //nolint:gosec // users may read their logs
	if err != nil {
		return nil, err
	}
	return &boundedLog{path: path, max: maxBytes, file: file}, nil
}

// Write loses what cannot be written, and never reports it: a full /run must not stop a desktop's output.
func (l *boundedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size+int64(len(p)) > l.max && l.size > 0 {
		l.rotate()
	}
	n, _ := l.file.Write(p[:min(int64(len(p)), l.max)])
	l.size += int64(n)
	return len(p), nil
}

func (l *boundedLog) rotate() {
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		return
	}
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644) //nolint:gosec // as in openLog
	if err != nil {
		return
	}
	_ = l.file.Close() // it has another name now, and what was written is in it
	l.file, l.size = file, 0
}

// pipe returns a file that a child can have as its output. One pipe serves every restart of a program, and whatever the
// program leaves behind: the agent holds both ends, so neither a reader nor a writer is ever missing.
func (l *boundedLog) pipe() (*os.File, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(l, reader) }()
	return writer, nil
}
