package expression

import (
	"errors"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// Search is a call of SEARCH: what is searched for, and what is wanted of it.
type Search struct {
	Statistic string
	Period    int32 // in seconds; 0: it does not say
	query     *query
}

// Candidate is a metric that a search may find.
type Candidate struct {
	Namespace, Metric string
	Dimensions        map[string]string
}

// The language of searches. Words that stand beside each other are joined by AND.
type (
	query struct {
		Schema []string `parser:"( '{' @( Word | Quoted ) ( ',' @( Word | Quoted ) )* '}' )?"`
		Where  *anyOf   `parser:"@@?"`
	}
	anyOf struct {
		Of []*allOf `parser:"@@ ( 'OR' @@ )*"`
	}
	allOf struct {
		Of []*term `parser:"@@ ( 'AND'? @@ )*"`
	}
	term struct {
		Not      bool   `parser:"@'NOT'?"`
		Property string `parser:"( @( Word | Quoted ) '=' )?"`
		Exact    string `parser:"( @Quoted"`
		Word     string `parser:"| @Word"`
		Within   *anyOf `parser:"| '(' @@ ')' )"`
	}
)

func newSearchParser() (*participle.Parser[query], error) {
	words, err := lexer.NewSimple([]lexer.SimpleRule{
		{Name: "Space", Pattern: `\s+`},
		{Name: "Quoted", Pattern: `"[^"]*"`},
		{Name: "Keyword", Pattern: `(AND|OR|NOT)\b`},
		{Name: "Word", Pattern: `[^\s(){}=",]+`},
		{Name: "Bracket", Pattern: `[(){}=,]`},
	})
	if err != nil {
		return nil, err
	}
	return participle.Build[query](participle.Lexer(words), participle.Elide("Space"), participle.UseLookahead(2))
}

// newSearch reads the arguments of SEARCH: what for, the statistic, and maybe the period.
func (l *Language) newSearch(args []*node) (*Search, error) {
	if len(args) < 2 || len(args) > 3 || args[0].kind != aText || args[1].kind != aText || len(args) == 3 && args[2].kind != aNumber {
		return nil, errors.New("SEARCH takes what to search for and a statistic, in quotes, and maybe a period in seconds")
	}
	s := &Search{Statistic: args[1].text}
	if len(args) == 3 {
		s.Period = int32(min(args[2].number, math.MaxInt32))
		if float64(s.Period) != args[2].number || s.Period < 1 {
			return nil, errors.New("the period of SEARCH is no number of seconds")
		}
	}
	if nested(args[0].text) {
		return nil, errors.New("the search is nested too deep")
	}
	found, err := l.search.ParseString("", args[0].text)
	if err != nil {
		return nil, explain(err)
	}
	if found.Schema == nil && found.Where == nil {
		return nil, errors.New("SEARCH has nothing to search for")
	}
	s.query = found
	return s, nil
}

// nested reports whether a search has more brackets within each other than any needs.
func nested(text string) bool {
	depth := 0
	for _, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth > deepest {
			return true
		}
	}
	return false
}

// Finds reports whether the search finds a metric: its schema has the metric's namespace, and all its
// dimensions where it names any.
func (s *Search) Finds(c Candidate) bool {
	if schema := s.query.Schema; len(schema) > 0 {
		if unquoted(schema[0]) != c.Namespace || len(schema) > 1 && len(schema)-1 != len(c.Dimensions) {
			return false
		}
		for _, name := range schema[1:] {
			if _, has := c.Dimensions[unquoted(name)]; !has {
				return false
			}
		}
	}
	return s.query.Where == nil || s.query.Where.finds(c, "")
}

func (a *anyOf) finds(c Candidate, property string) bool {
	return slices.ContainsFunc(a.Of, func(all *allOf) bool {
		return !slices.ContainsFunc(all.Of, func(t *term) bool { return !t.finds(c, property) })
	})
}

// finds reports whether a term is true of a metric; property is what it is about where it does not say.
func (t *term) finds(c Candidate, property string) bool {
	if t.Property != "" {
		property = unquoted(t.Property)
	}
	if t.Within != nil {
		return t.Within.finds(c, property) != t.Not
	}
	found := slices.ContainsFunc(c.texts(property), func(text string) bool {
		if t.Exact != "" {
			return text == unquoted(t.Exact)
		}
		return strings.EqualFold(text, t.Word) || within(tokens(t.Word), tokens(text))
	})
	return found != t.Not
}

// texts are what a property of the metric says; with none, all that it says.
func (c Candidate) texts(property string) (all []string) {
	switch property {
	case "":
		all = []string{c.Namespace, c.Metric}
		for name, value := range c.Dimensions {
			all = append(all, name, value)
		}
	case "Namespace":
		all = []string{c.Namespace}
	case "MetricName":
		all = []string{c.Metric}
	default:
		if value, has := c.Dimensions[property]; has {
			all = []string{value}
		}
	}
	return all
}

// tokens are the parts of a text, in lower case: runs of letters, which end where a capital follows a small one, or of digits.
func tokens(text string) (all []string) {
	var last rune
	for _, c := range text {
		letter, digit := unicode.IsLetter(c), unicode.IsDigit(c)
		begins := unicode.IsUpper(c) && unicode.IsLower(last) || letter != unicode.IsLetter(last) || digit != unicode.IsDigit(last)
		switch {
		case !letter && !digit:
		case begins || len(all) == 0:
			all = append(all, string(unicode.ToLower(c)))
		default:
			all[len(all)-1] += string(unicode.ToLower(c))
		}
		last = c
	}
	return all
}

// within reports whether all tokens are among others, of which there is at least one.
func within(some, all []string) bool {
	return len(some) > 0 && !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
}

func unquoted(s string) string { return strings.Trim(s, `"`) }
