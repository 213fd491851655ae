package main

import (
	"fmt"
	"slices"
	"strings"

	"carrel/internal/api"
)

// plan is what will be generated for a target: the shapes that its typed operations reach, and from which side.
type plan struct {
	target
	model  *model
	input  map[string]bool // shapes reached from inputs: these need checks
	output map[string]bool // shapes reached from outputs
	errors map[string]bool // exceptions of typed operations, and what they reach
}

func newPlan(m *model, t target) (*plan, error) {
	p := &plan{target: t, model: m, input: map[string]bool{}, output: map[string]bool{}, errors: map[string]bool{}}
	for _, name := range t.typed {
		if _, ok := m.Operations.values[name]; !ok {
			return nil, fmt.Errorf("the model has no operation %s", name)
		}
	}
	for _, name := range m.Operations.names {
		if !p.isTyped(name) {
			continue
		}
		op := m.Operations.values[name]
		if op.Input == nil || op.Output == nil || strings.Contains(op.HTTP.RequestURI, "{") {
			return nil, fmt.Errorf("operation %s has no input, no output, or a path with labels", name)
		}
		p.reach(op.Input.Shape, p.input)
		p.reach(op.Output.Shape, p.output)
		for _, e := range op.Errors {
			p.reach(e.Shape, p.errors)
		}
	}
	return p, p.understand()
}

func (p *plan) isTyped(operation string) bool {
	return p.typed == nil || slices.Contains(p.typed, operation)
}

func (p *plan) shape(name string) shape { return p.model.Shapes.values[name] }

func (p *plan) reach(name string, into map[string]bool) {
	if into[name] {
		return
	}
	into[name] = true
	s := p.shape(name)
	for _, inner := range []*ref{s.Member, s.Key, s.Value} {
		if inner != nil {
			p.reach(inner.Shape, into)
		}
	}
	for _, member := range s.Members.names {
		p.reach(s.Members.values[member].Shape, into)
	}
}

// reached lists the shapes that satisfy keep and are reached from any side, in the model's order.
func (p *plan) reached(keep func(shape) bool) []string {
	var names []string
	for _, name := range p.model.Shapes.names {
		if (p.input[name] || p.output[name] || p.errors[name]) && keep(p.shape(name)) {
			names = append(names, name)
		}
	}
	return names
}

func isStructure(s shape) bool { return s.Type == "structure" && !s.Exception }
func isException(s shape) bool { return s.Exception }
func isEnum(s shape) bool      { return len(s.Enum) > 0 }

// understand refuses whatever the emitters would get wrong, so that a newer model cannot lose a constraint in silence.
func (p *plan) understand() error {
	for _, name := range p.reached(func(shape) bool { return true }) {
		s := p.shape(name)
		var reason string
		switch {
		case s.TimestampFormat != "":
			reason = "timestampFormat"
		case s.Payload != "" || s.Document:
			reason = "payload or document"
		case s.Max != nil && *s.Max == 0:
			reason = "max of 0"
		case s.Type == "long" && (s.Min != nil || s.Max != nil):
			reason = "range of a long"
		case !slices.Contains([]string{
			"structure", "list", "map", "string", "integer", "long", "boolean", "timestamp", "blob", "double",
		}, s.Type):
			reason = "type " + s.Type
		}
		if reason != "" {
			return fmt.Errorf("shape %s: %s is not supported", name, reason)
		}
		if err := p.understandMembers(name, s); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) understandMembers(name string, s shape) error {
	for _, member := range s.Members.names {
		m := s.Members.values[member]
		bound := p.input[name] && m.Location == "querystring" && p.shape(m.Shape).Type == "string"
		header := s.Exception && m.Location == "header"
		if m.JSONValue || m.TimestampFormat != "" || (m.Location != "" && !bound && !header) ||
			(m.Location == "" && m.LocationName != "") {
			return fmt.Errorf("member %s.%s: its binding is not supported", name, member)
		}
		if t := p.shape(m.Shape).Type; p.speaks(api.Query) && (t == "blob" || t == "map" && p.input[name]) {
			return fmt.Errorf("member %s.%s: a %s in AWS Query is not supported", name, member, t)
		}
	}
	for _, inner := range []*ref{s.Member, s.Value} {
		if inner == nil {
			continue
		}
		if t := p.shape(inner.Shape).Type; t != "string" && t != "structure" && (p.input[name] || t != "double" && t != "timestamp") {
			return fmt.Errorf("shape %s: a list or map of %s is not supported", name, t)
		}
	}
	return nil
}
