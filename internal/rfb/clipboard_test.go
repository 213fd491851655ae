package rfb_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"strings"
	"testing"

	"carrel/internal/rfb"
)

// What the extended clipboard's messages say.
const (
	text         = 1 << 0
	html         = 1 << 2
	files        = 1 << 4
	capabilities = 1 << 24
	request      = 1 << 25
	peek         = 1 << 26
	notify       = 1 << 27
	provide      = 1 << 28
)

// extended is a server's message of the extended clipboard with any content.
func extended(content []byte) []byte {
	return rfb.CutText{Extended: true, Text: content}.AppendServer(nil)
}

// clip is a server's message of the extended clipboard.
func clip(flags int, payload []byte) []byte { return extended(join(u32(flags), payload)) }

func clientClip(flags int, payload []byte) []byte {
	return rfb.CutText{Extended: true, Text: join(u32(flags), payload)}.AppendClient(nil)
}

// deflated is a zlib stream as it is sent: flushed and without an end.
func deflated(parts ...[]byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(join(parts...))
	_ = w.Flush()
	return out.Bytes()
}

// contents are a clipboard's contents, with a size each.
func contents(formats ...string) []byte {
	var parts [][]byte
	for _, f := range formats {
		parts = append(parts, u32(len(f)), []byte(f))
	}
	return deflated(parts...)
}

// clips are messages of a client's clipboard of all kinds.
func clips() [][]byte {
	return [][]byte{
		rfb.CutText{}.AppendClient(nil),
		rfb.CutText{Text: []byte("copied")}.AppendClient(nil),
		clientClip(capabilities|request|peek|notify|provide|text, u32(1000)),
		clientClip(capabilities|provide|html|files, join(u32(1), u32(2))),
		clientClip(notify|text, nil), clientClip(notify, nil), clientClip(notify|html, nil),
		clientClip(request|text, nil), clientClip(peek, nil),
		clientClip(provide|text, contents("copied\r\ntext\x00")),
		clientClip(provide|text|html, contents("copied", "<b>copied</b>")),
		clientClip(provide|html, contents("<b>copied</b>")),
	}
}

// TestClipboard sends each message in both directions under different rules.
func TestClipboard(t *testing.T) {
	t.Parallel()
	in, out := rfb.Clipboard{In: 99}, rfb.Clipboard{Out: 99}
	plain := func(s string) []byte { return rfb.CutText{Text: []byte(s)}.AppendClient(nil) }
	same := []byte("same")
	long := plain(strings.Repeat("x", 2<<20))
	for i, c := range []struct {
		rules     rfb.Clipboard
		said      []byte // as a client says it
		in        []byte // what the server is given of it; same: all
		out       []byte // what the client would be given, had a server said it
		deflation bool   // compares what the deflated stream holds
	}{
		{rules: everything(), said: plain("copied"), in: same, out: same},
		{rules: rfb.Clipboard{}, said: plain("copied")},
		{rules: in, said: plain("copied"), in: same},
		{rules: out, said: plain("copied"), out: same},
		{rules: rfb.Clipboard{In: 3, Out: 6}, said: plain("copied"), in: plain("cop"), out: same},
		{rules: everything(), said: long},

		{rules: in, said: clientClip(notify|text|html, nil), in: clientClip(notify|text, nil)},
		{rules: out, said: clientClip(notify|files, nil), out: clientClip(notify, nil)},
		{rules: in, said: clientClip(request|text, nil), out: same}, // the answer goes in
		{rules: out, said: clientClip(request|text, nil), in: same},
		{rules: everything(), said: clientClip(request|html, nil)},
		{rules: in, said: clientClip(peek, nil), out: same},
		{rules: rfb.Clipboard{}, said: clientClip(capabilities|provide|text, u32(7)), in: same, out: same},
		{
			rules: in, said: clientClip(capabilities|provide|notify|text|html|files, join(u32(7), u32(8), u32(9))),
			in: clientClip(capabilities|provide|notify|text, u32(7)), out: clientClip(capabilities|provide|notify|text, u32(7)),
		},
		{rules: in, said: clientClip(capabilities|provide|html, u32(7)), in: clientClip(capabilities|provide, nil), out: clientClip(capabilities|provide, nil)},

		{rules: in, said: clientClip(provide|text, contents("copied\x00")), in: same},
		{rules: out, said: clientClip(provide|text, contents("copied\x00")), out: same},
		{rules: everything(), said: clientClip(provide|html, contents("<b>"))},
		{rules: in, said: clientClip(provide|text|html, contents("copied\x00", "<b>")), in: clientClip(provide|text, contents("copied\x00")), deflation: true},
		{rules: rfb.Clipboard{In: 4}, said: clientClip(provide|text, contents("äö\r\nüß\x00")), in: clientClip(provide|text, contents("äö\r\nü\x00")), deflation: true},
		{rules: rfb.Clipboard{In: 5}, said: clientClip(provide|text, contents("äö\r\nüß\x00")), in: same},
		{rules: rfb.Clipboard{Out: 1}, said: clientClip(provide|text, contents("\xff\xfe")), out: clientClip(provide|text, contents("\xff")), deflation: true},
		{rules: everything(), said: clientClip(provide|text, contents(strings.Repeat("x", 5<<20)))}, // 5 MiB in 5 kB
	} {
		bell, key := []byte{2}, rfb.KeyEvent{Key: 'x'}.AppendClient(nil)
		given := func(want []byte) []byte {
			if string(want) == "same" {
				return c.said
			}
			return want
		}
		asServer := func(b []byte) []byte {
			if b = bytes.Clone(b); len(b) > 0 {
				b[0] = 3
			}
			return b
		}
		got, err := toServer(newRelay(c.rules), join(key, c.said, key), whole)
		if want := join(key, given(c.in), key); err != nil || !bytes.Equal(got, want) && (!c.deflation || !alike(got, want)) {
			t.Errorf("%d, into the desktop: %v\ngot  %q\nwant %q", i, err, got, want)
		}
		got, err = toClient(newRelay(c.rules), join(bell, asServer(c.said), bell), whole)
		if want := join(bell, asServer(given(c.out)), bell); err != nil || !bytes.Equal(got, want) && (!c.deflation || !alike(got, want)) {
			t.Errorf("%d, out of the desktop: %v\ngot  %q\nwant %q", i, err, got, want)
		}
	}
}

// alike compares what two streams hold where different deflations are the same text.
func alike(a, b []byte) bool {
	inflate := func(b []byte) string {
		i := bytes.Index(b, []byte{0x78})
		if i < 0 {
			return ""
		}
		r, err := zlib.NewReader(bytes.NewReader(b[i:]))
		if err != nil {
			return err.Error()
		}
		var out bytes.Buffer
		_, _ = out.ReadFrom(r) // ends in the middle, by design
		return fmt.Sprintf("%q %q", b[:4], out.Bytes())
	}
	return inflate(a) == inflate(b)
}

// TestRulesChange has the rules change in the middle of a stream.
func TestRulesChange(t *testing.T) {
	t.Parallel()
	r := newRelay(rfb.Clipboard{})
	n := 0
	r.Clipboard = func() rfb.Clipboard {
		n++
		return rfb.Clipboard{In: n % 2 * 9}
	}
	a, b := rfb.CutText{Text: []byte("a")}.AppendClient(nil), rfb.CutText{Text: []byte("b")}.AppendClient(nil)
	if got, err := toServer(r, join(a, b, a, b), whole); err != nil || !bytes.Equal(got, join(a, a)) {
		t.Errorf("%q, %v", got, err)
	}
}

// A clipboard's length can be the one number whose negative is itself.
func TestClipboardOfTheLargestLength(t *testing.T) {
	t.Parallel()
	said := []byte{3, 0, 0, 0, 0x80, 0, 0, 0, 0x10, 0, 0, 1}
	if got, err := toClient(newRelay(everything()), said, whole); err == nil || len(got) > 0 || errors.Is(err, rfb.ErrProtocol) {
		t.Errorf("%q, %v, want it to be left out to its end", got, err)
	}
}
