// Package expression is CloudWatch's metric math: the language in which a query of GetMetricData
// computes time series of others, or searches for them. It knows neither the wire nor where series
// come from, and imports the standard library and that of the parsers. Start at Parse, then Evaluate.
//
// Source: Amazon CloudWatch User Guide, "Using math expressions with CloudWatch metrics" and
// "CloudWatch search expression syntax".
package expression

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// Language reads expressions. Make one with New; it may be used by any number at once.
type Language struct {
	words  *lexer.StatefulDefinition
	search *participle.Parser[query]
}

// New makes a Language.
func New() (*Language, error) {
	words, err := lexer.NewSimple([]lexer.SimpleRule{
		{Name: "Space", Pattern: `\s+`},
		{Name: "Number", Pattern: `(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?`},
		{Name: "Text", Pattern: `'[^']*'|"[^"]*"`},
		{Name: "Operator", Pattern: `&&|\|\||[=!<>]=|[-+*/^<>]|(AND|OR)\b`},
		{Name: "Name", Pattern: `[a-zA-Z]\w*`},
		{Name: "Bracket", Pattern: `[()\[\],]`},
	})
	if err != nil {
		return nil, err
	}
	search, err := newSearchParser()
	return &Language{words: words, search: search}, err
}

// Expression is one that was read.
type Expression struct {
	root *node
	// Searches are those that it makes.
	Searches []*Search
}

// node is a part of an expression.
type node struct {
	kind   kind
	text   string // what stands there: a text without its quotes, a name, an operator
	number float64
	args   []*node
	search *Search // of a call of SEARCH
}

// kind is what a node is.
type kind int

const (
	aNumber kind = iota + 1
	aText
	aName
	aCall
	aList
	anOperator // of one argument, where it is a minus sign, or two
)

// deepest is how deep an expression may be nested.
const deepest = 64

// Parse reads an expression. The error says what is wrong with it, to whoever wrote it.
func (l *Language) Parse(text string) (*Expression, error) {
	stream, err := l.words.LexString("", text)
	if err != nil {
		return nil, err
	}
	tokens, err := lexer.ConsumeAll(stream)
	if err != nil {
		return nil, explain(err)
	}
	p := &parser{language: l, symbols: l.words.Symbols()}
	for _, t := range tokens {
		if t.Type != p.symbols["Space"] {
			p.tokens = append(p.tokens, t)
		}
	}
	root, err := p.expression(loosest)
	if err == nil && !p.tokens[0].EOF() {
		err = p.unexpected()
	}
	return &Expression{root: root, Searches: p.searches}, err
}

// explain says where a text does not follow a language.
func explain(err error) error {
	if wrong, is := errors.AsType[participle.Error](err); is {
		return fmt.Errorf("invalid syntax at position %d: %s", wrong.Position().Column, wrong.Message())
	}
	return err
}

// parser reads tokens, of which the last is the end.
type parser struct {
	language *Language
	symbols  map[string]lexer.TokenType
	tokens   []lexer.Token
	depth    int
	searches []*Search
}

// How tightly operators bind.
const (
	loosest  = 1
	negation = 6
	power    = 7
)

// binds is how tightly an operator binds; 0 where it is none of two arguments.
func (p *parser) binds(t lexer.Token) int {
	if t.Type != p.symbols["Operator"] {
		return 0
	}
	switch t.Value {
	case "OR", "||":
		return loosest
	case "AND", "&&":
		return 2
	case "+", "-":
		return 4
	case "*", "/":
		return 5
	case "^":
		return power
	default:
		return 3 // a comparison
	}
}

// next goes to the next token.
func (p *parser) next() {
	if !p.tokens[0].EOF() {
		p.tokens = p.tokens[1:]
	}
}

func (p *parser) unexpected() error {
	t := p.tokens[0]
	if t.EOF() {
		return fmt.Errorf("invalid syntax at position %d: unexpected end", t.Pos.Column)
	}
	return fmt.Errorf("invalid syntax at position %d: unexpected %q", t.Pos.Column, t.Value)
}

// take takes the next token if it is the bracket, and reports whether it was.
func (p *parser) take(bracket string) bool {
	is := p.tokens[0].Type == p.symbols["Bracket"] && p.tokens[0].Value == bracket
	if is {
		p.next()
	}
	return is
}

// expression reads what operators hold together that bind at least so tightly.
func (p *parser) expression(tightness int) (left *node, err error) {
	if p.depth++; p.depth > deepest {
		return nil, fmt.Errorf("it is nested deeper than %d", deepest)
	}
	defer func() { p.depth-- }()
	if t := p.tokens[0]; p.binds(t) > 0 && t.Value == "-" {
		p.next()
		of, err := p.expression(negation)
		if err != nil {
			return nil, err
		}
		left = &node{kind: anOperator, text: "-", args: []*node{of}}
	} else if left, err = p.operand(); err != nil {
		return nil, err
	}
	for {
		operator := p.tokens[0]
		binds := p.binds(operator)
		if binds == 0 || binds < tightness {
			return left, nil
		}
		p.next()
		if binds != power { // which alone is of what stands to its right first
			binds++
		}
		right, err := p.expression(binds)
		if err != nil {
			return nil, err
		}
		left = &node{kind: anOperator, text: operator.Value, args: []*node{left, right}}
	}
}

// operand reads what operators stand between.
func (p *parser) operand() (n *node, err error) {
	if p.take("(") {
		if n, err = p.expression(loosest); err == nil && !p.take(")") {
			err = p.unexpected()
		}
		return n, err
	}
	if p.take("[") {
		args, err := p.list("]")
		return &node{kind: aList, args: args}, err
	}
	t := p.tokens[0]
	switch t.Type {
	case p.symbols["Number"]:
		n = &node{kind: aNumber}
		if n.number, err = strconv.ParseFloat(t.Value, 64); err != nil {
			return nil, p.unexpected()
		}
	case p.symbols["Text"]:
		n = &node{kind: aText, text: t.Value[1 : len(t.Value)-1]}
	case p.symbols["Name"]:
		n = &node{kind: aName, text: t.Value}
	default:
		return nil, p.unexpected()
	}
	p.next()
	if n.kind == aName && p.take("(") {
		n.kind = aCall
		if n.args, err = p.list(")"); err == nil {
			err = p.call(n)
		}
	}
	return n, err
}

// list reads the rest of a list up to a bracket.
func (p *parser) list(end string) (all []*node, err error) {
	if p.take(end) {
		return nil, nil
	}
	for {
		n, err := p.expression(loosest)
		if err != nil {
			return nil, err
		}
		if all = append(all, n); p.take(end) {
			return all, nil
		}
		if !p.take(",") {
			return nil, p.unexpected()
		}
	}
}

// call checks that there is such a function, and reads what it searches for.
func (p *parser) call(n *node) (err error) {
	if n.text == "SEARCH" {
		n.search, err = p.language.newSearch(n.args)
		p.searches = append(p.searches, n.search)
		return err
	}
	f, known := functions()[n.text]
	switch {
	case !known:
		return fmt.Errorf("the function %s is not supported", clip(n.text))
	case len(n.args) < f.least || len(n.args) > f.most:
		return fmt.Errorf("the function %s does not take %d arguments", n.text, len(n.args))
	}
	return nil
}

// clip keeps what an error repeats short.
func clip(s string) string { return s[:min(len(s), 64)] }
