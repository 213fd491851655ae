package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The classes that Java and Go write or read differently, as the inside of a bracket expression in Go's dialect.
const (
	javaSpace    = `\t\n\x0B\f\r ` // \s: Go's leaves out the vertical tab
	javaNewlines = `\n\r\x{85}\x{2028}\x{2029}`
	letterDigit  = `\p{L}\p{Nd}` // \p{LD}: Java's Character.isLetterOrDigit
	asciiPunct   = `[:punct:]`   // \p{Punct}: ASCII only, without the Unicode flag
	anything     = `[\s\S]`      // the one set in which \S is understood
	anyRune      = `[\x{0}-\x{10FFFF}]`
	maxRepeat    = 1000 // the largest count that Go accepts in x{m,n}
)

// translate turns a pattern of a model, in Java's dialect, into an equal expression in Go's. What it cannot say is an
// error; config.go then has to name a function.
func translate(source string) (string, error) {
	t := translator{source: source}
	for t.pos < len(source) {
		if err := t.step(); err != nil {
			return "", fmt.Errorf("pattern %q at %d: %w", source, t.pos, err)
		}
	}
	expr := t.out.String()
	if _, err := regexp.Compile(expr); err != nil {
		return "", err
	}
	return expr, nil
}

type translator struct {
	source  string
	pos     int
	out     strings.Builder
	inClass bool
	atom    int // where in out the last single-token or bracket atom starts
}

func (t *translator) step() error {
	rest := t.source[t.pos:]
	switch {
	case rest[0] == '\\':
		return t.escape(rest)
	case t.inClass:
		return t.inside(rest)
	case strings.HasPrefix(rest, anything):
		t.atom = t.out.Len()
		t.replace(len(anything), anyRune)
	case rest[0] == '[':
		t.atom = t.out.Len()
		t.inClass = true
		t.copy(1)
		if strings.HasPrefix(rest, "[^") {
			t.copy(1)
		}
	case rest[0] == '.':
		t.atom = t.out.Len()
		t.replace(1, "[^"+javaNewlines+"]")
	case strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?:"):
		return fmt.Errorf("a group %.4s has no equal in Go", rest)
	case rest[0] == '{':
		return t.repeat(rest)
	case strings.ContainsRune("()|*+?^$", rune(rest[0])):
		t.copy(1)
	default:
		t.atom = t.out.Len()
		t.copy(1)
	}
	return nil
}

// inside handles one character of a bracket expression. Java nests brackets and intersects with &&; no pattern may.
func (t *translator) inside(rest string) error {
	switch {
	case rest[0] == '[' || strings.HasPrefix(rest, "&&"):
		return fmt.Errorf("set operation %.2s is not supported", rest)
	case rest[0] == ']':
		t.inClass = false
	}
	t.copy(1)
	return nil
}

func (t *translator) escape(rest string) error {
	if !t.inClass {
		t.atom = t.out.Len()
	}
	switch {
	case len(rest) < 2:
		return fmt.Errorf("pattern ends in a backslash")
	case rest[1] == 'u':
		if len(rest) < 6 {
			return fmt.Errorf("short \\u escape")
		}
		t.replace(6, `\x{`+rest[2:6]+`}`)
	case rest[1] == 's':
		t.class(2, javaSpace, "")
	case rest[1] == 'S':
		if t.inClass {
			return fmt.Errorf("\\S inside a set is not supported")
		}
		t.class(2, javaSpace, "^")
	case strings.HasPrefix(rest, `\p{LD}`):
		t.class(len(`\p{LD}`), letterDigit, "")
	case strings.HasPrefix(rest, `\p{Punct}`):
		t.class(len(`\p{Punct}`), asciiPunct, "")
	default:
		t.copy(2)
	}
	return nil
}

// repeat copies a counted repetition and splits those that count further than Go does: x{8,1519} is x{8,1000}x{0,519}.
func (t *translator) repeat(rest string) error {
	end := strings.IndexByte(rest, '}')
	if end < 0 {
		return fmt.Errorf("unclosed repetition")
	}
	low, high, ranged := strings.Cut(rest[1:end], ",")
	least, err := strconv.Atoi(low)
	if err != nil {
		return err
	}
	most := least
	if ranged && high != "" {
		if most, err = strconv.Atoi(high); err != nil {
			return err
		}
	}
	if most <= maxRepeat {
		t.copy(end + 1)
		return nil
	}
	atom := t.out.String()[t.atom:]
	if strings.HasSuffix(atom, ")") || least > maxRepeat || most > 2*maxRepeat {
		return fmt.Errorf("repetition %s is not supported", rest[:end+1])
	}
	t.replace(end+1, fmt.Sprintf("{%d,%d}%s{0,%d}", least, maxRepeat, atom, most-maxRepeat))
	return nil
}

// class writes the inside of a bracket expression in place of n characters, with brackets unless there are some already.
func (t *translator) class(n int, inside, negate string) {
	if !t.inClass {
		inside = "[" + negate + inside + "]"
	}
	t.replace(n, inside)
}

func (t *translator) copy(n int) { t.replace(n, t.source[t.pos:t.pos+n]) }

func (t *translator) replace(n int, with string) {
	t.out.WriteString(with)
	t.pos += n
}
