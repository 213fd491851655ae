package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A record is a row's values as one text: a JSON list of strings. A page of WorkSpaces with
// a column for each of their values would take three times as long, most of it on the way
// through the driver. Columns beside the record are for what queries look for.
//
// What is written in one order is read in the same. A value that is new goes to the end;
// in records from before it, it reads as empty.

// recordWriter collects the values of a record.
type recordWriter []string

func (r *recordWriter) text(s string) { *r = append(*r, s) }

func (r *recordWriter) int(n int64) { *r = append(*r, strconv.FormatInt(n, 10)) }

func (r *recordWriter) time(t time.Time) { r.int(micros(t)) }

func (r *recordWriter) bool(b bool) { *r = append(*r, strconv.FormatBool(b)) }

func (r *recordWriter) texts(list []string) {
	r.int(int64(len(list)))
	*r = append(*r, list...)
}

// String returns the record.
func (r *recordWriter) String() string {
	b, _ := json.Marshal([]string(*r)) // strings cannot fail
	return string(b)
}

// recordReader reads the values of a record one after the other. err is the first failure;
// the values after one are empty.
type recordReader struct {
	rest   string   // what is left of the text, from the opening quote of the next value on
	values []string // what is left, where the text has escapes; rest is empty then
	err    error
}

func readRecord(text string) recordReader {
	if strings.HasPrefix(text, `["`) && !strings.Contains(text, `\`) {
		return recordReader{rest: text[1:]} // a quote in it begins or ends a value
	}
	var r recordReader
	if err := json.Unmarshal([]byte(text), &r.values); err != nil {
		r.fail(err)
	}
	return r
}

func (r *recordReader) text() (s string) {
	if len(r.values) > 0 {
		s, r.values = r.values[0], r.values[1:]
		return s
	}
	if len(r.rest) < len(`""`) {
		return ""
	}
	end := 1 + strings.IndexByte(r.rest[1:], '"')
	s, r.rest = r.rest[1:max(end, 1)], r.rest[min(end+len(`",`), len(r.rest)):]
	return s
}

func (r *recordReader) int() int64 {
	s := r.text()
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		r.fail(err)
	}
	return n
}

func (r *recordReader) time() time.Time { return instantOf(r.int()) }

func (r *recordReader) bool() bool { return r.text() == "true" }

func (r *recordReader) texts() []string {
	n := r.int()
	if n == 0 {
		return nil
	}
	if n < 0 || n > int64(len(r.rest)+len(r.values)) {
		r.fail(fmt.Errorf("a list of %d", n))
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.text()
	}
	return list
}

func (r *recordReader) fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("store: a record cannot be read: %w", err)
	}
	r.rest, r.values = "", nil
}
