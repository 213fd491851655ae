package main

import (
	"fmt"
	"math"
	"strings"
)

// needsCheck reports whether the model constrains a shape or anything inside it.
func (p *plan) needsCheck(name string) bool { return p.constrained(name, map[string]bool{}) }

func (p *plan) constrained(name string, seen map[string]bool) bool {
	if seen[name] {
		return false // recursive shapes: decided where the recursion started
	}
	seen[name] = true
	s := p.shape(name)
	if len(s.Required) > 0 || s.Union || s.Min != nil || s.Max != nil || s.Pattern != "" || len(s.Enum) > 0 {
		return true
	}
	for _, inner := range []*ref{s.Member, s.Key, s.Value} {
		if inner != nil && p.constrained(inner.Shape, seen) {
			return true
		}
	}
	for _, member := range s.Members.names {
		if p.constrained(s.Members.values[member].Shape, seen) {
			return true
		}
	}
	return false
}

// emitChecks writes the rules of the strings that inputs hold, and a check method for each constrained structure.
func emitChecks(p *plan, s *source) error {
	for _, name := range p.model.Shapes.names {
		shape := p.shape(name)
		if !p.input[name] || !p.needsCheck(name) {
			continue
		}
		switch shape.Type {
		case "string":
			if err := p.emitRule(s, name, shape); err != nil {
				return err
			}
		case "structure":
			if err := p.emitCheck(s, name, shape); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *plan) emitRule(s *source, name string, shape shape) error {
	s.printf("var rule%s = api.StringRule{\n", upperFirst(name))
	if shape.Min != nil && *shape.Min > 0 {
		s.printf("Min: %d,\n", *shape.Min)
	}
	if shape.Max != nil {
		s.printf("Max: %d,\n", *shape.Max)
	}
	if shape.Pattern != "" {
		if matcher, ok := p.matchers[name]; ok {
			s.printf("Pattern: api.NewPatternFunc(%s, %s),\n", quote(shape.Pattern), matcher)
		} else {
			matched := shape.Pattern
			if wider, ok := p.widened[name]; ok {
				matched = wider
			}
			expr, err := translate(matched)
			if err != nil {
				return fmt.Errorf("shape %s: %w", name, err)
			}
			s.printf("Pattern: api.NewPattern(%s, %s),\n", quote(shape.Pattern), quote(expr))
		}
	}
	if len(shape.Enum) > 0 {
		s.printf("Enum: []string{\n")
		for _, value := range shape.Enum {
			s.printf("%q,\n", value)
		}
		s.printf("},\n")
	}
	if shape.Sensitive {
		s.printf("Sensitive: true,\n")
	}
	s.printf("}\n\n")
	return nil
}

func (p *plan) emitCheck(s *source, name string, shape shape) error {
	s.printf("func (in *%s) check(c *api.Checker) {\n", upperFirst(name))
	if shape.Union {
		s.printf("c.ExactlyOne(\n")
		for _, member := range shape.Members.names {
			s.printf("in.%s != nil,\n", upperFirst(member))
		}
		s.printf(")\n")
	}
	for _, member := range shape.Members.names {
		if shape.requires(member) {
			s.printf("c.Required(%q, in.%s != nil)\n", lowerFirst(member), upperFirst(member))
		}
		if err := p.emitMember(s, member, shape.Members.values[member].Shape); err != nil {
			return fmt.Errorf("member %s.%s: %w", name, member, err)
		}
	}
	s.printf("}\n\n")
	return nil
}

// emitMember writes the checks of one member beyond its presence.
func (p *plan) emitMember(s *source, member, name string) error {
	if !p.needsCheck(name) {
		return nil
	}
	path, field, shape := lowerFirst(member), "in."+upperFirst(member), p.shape(name)
	switch shape.Type {
	case "string":
		s.printf("c.String(%q, %s, &rule%s)\n", path, field, upperFirst(name))
	case "integer":
		low, high := bounds(shape, math.MinInt32, math.MaxInt32)
		s.printf("c.Int(%q, %s, api.IntRule{Min: %d, Max: %d})\n", path, field, low, high)
	case "structure":
		s.printf("if %s != nil {\nc.Enter(%q)\n%s.check(c)\nc.Leave()\n}\n", field, path, field)
	case "list", "map", "blob":
		p.emitSized(s, path, field, shape)
	default:
		return fmt.Errorf("constraints of a %s are not supported", shape.Type)
	}
	return nil
}

// emitSized writes the checks of a list, map or blob: its size, and what it holds when the size is in range.
func (p *plan) emitSized(s *source, path, field string, shape shape) {
	var inner source
	switch shape.Type {
	case "list":
		p.emitItems(&inner, path, field, shape.Member.Shape)
	case "map":
		p.emitEntries(&inner, path, field, shape)
	}
	if shape.Min == nil && shape.Max == nil {
		s.printf("%s", inner.String())
		return
	}
	low, high := bounds(shape, 0, math.MaxInt32)
	size := fmt.Sprintf("c.Size(%q, len(%s), api.SizeRule{Min: %d, Max: %d})", path, field, low, high)
	if inner.Len() == 0 {
		s.printf("if %s != nil {\n%s\n}\n", field, size)
		return
	}
	s.printf("if %s != nil && %s {\n%s}\n", field, size, inner.String())
}

func (p *plan) emitItems(s *source, path, field, element string) {
	switch {
	case !p.needsCheck(element):
	case p.shape(element).Type == "string":
		s.printf("c.Strings(%q, %s, &rule%s)\n", path, field, upperFirst(element))
	default:
		s.printf("for i := range %s {\nc.EnterItem(%q, i)\n%s[i].check(c)\nc.Leave()\n}\n", field, path, field)
	}
}

func (p *plan) emitEntries(s *source, path, field string, shape shape) {
	keys, values := p.needsCheck(shape.Key.Shape), p.needsCheck(shape.Value.Shape)
	if !keys && !values {
		return
	}
	// Sorted, so that one input always gets the same message.
	s.printf("for _, key := range slices.Sorted(maps.Keys(%s)) {\n", field)
	if keys {
		s.printf("c.Key(%q, key, &rule%s)\n", path, upperFirst(shape.Key.Shape))
	}
	switch {
	case !values:
	case p.shape(shape.Value.Shape).Type == "string":
		s.printf("c.Value(%q, key, %s[key], &rule%s)\n", path, field, upperFirst(shape.Value.Shape))
	default:
		s.printf("value := %s[key]\nc.EnterValue(%q, key)\nvalue.check(c)\nc.Leave()\n", field, path)
	}
	s.printf("}\n")
}

func bounds(s shape, low, high int64) (atLeast, atMost int64) {
	if s.Min != nil {
		low = *s.Min
	}
	if s.Max != nil {
		high = *s.Max
	}
	return low, high
}

// quote writes a Go string literal, raw where that is possible: patterns are read more often than anything else here.
func quote(s string) string {
	if strings.ContainsAny(s, "`\r") {
		return fmt.Sprintf("%q", s)
	}
	return "`" + s + "`"
}
