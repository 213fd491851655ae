package main

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"carrel/internal/api"
)

// operationName is the Go name of an operation's value. Where the model has a shape of the same name, the type keeps it
// and the value ends in Operation.
func (p *plan) operationName(name string) string {
	if s, ok := p.model.Shapes.values[name]; ok && isStructure(s) && (p.input[name] || p.output[name]) {
		return name + "Operation"
	}
	return name
}

func emitService(p *plan, s *source) error {
	m := p.model.Metadata
	s.doc = fmt.Sprintf("// Package %s holds the wire types of %s (API version %s): inputs and outputs, the checks that the\n"+
		"// model asks for, exceptions, and the list of operations. It is generated from the pinned model; see package api.\n",
		p.pkg, p.title, m.APIVersion)
	s.printf("// Service describes %s.\n", p.title)
	s.printf("var Service = &api.Service{\n")
	s.printf("Name: %q,\n", p.signingName())
	s.printf("Protocol: %s,\n", constantOf(p.protocol))
	if len(p.also) > 0 {
		s.printf("Also: []api.Protocol{")
		for _, also := range p.also {
			s.printf("%s,", constantOf(also))
		}
		s.printf("},\n")
	}
	if m.TargetPrefix != "" {
		s.printf("TargetPrefix: %q,\n", m.TargetPrefix)
	}
	s.printf("Version: %q,\n", m.APIVersion)
	if m.XMLNamespace != "" {
		s.printf("Namespace: %q,\n", m.XMLNamespace)
	}
	s.printf("MessageMember: %q,\n", p.messageMember())
	s.printf("Operations: []api.AnyOperation{\n")
	for _, name := range p.model.Operations.names {
		s.printf("%s,\n", p.operationName(name))
	}
	s.printf("},\n")
	if names := p.reached(isException); len(names) > 0 {
		s.printf("Exceptions: []api.ExceptionShape{\n")
		for _, name := range names {
			s.printf("%s,\n", name)
		}
		s.printf("},\n")
	}
	s.printf("}\n")
	return nil
}

// constantOf is the name of a protocol's constant in package api.
func constantOf(p api.Protocol) string {
	return map[api.Protocol]string{
		api.JSON11: "api.JSON11", api.JSON10: "api.JSON10", api.RESTJSON: "api.RESTJSON", api.Query: "api.Query", api.RPCCBOR: "api.RPCCBOR",
	}[p]
}

func (p *plan) signingName() string {
	return cmp.Or(p.model.Metadata.SigningName, p.model.Metadata.EndpointPrefix)
}

// messageMember is the JSON name that the service's exceptions give their text: where they differ, the lower case one.
func (p *plan) messageMember() string {
	found := "message"
	for _, name := range p.reached(isException) {
		for _, member := range p.shape(name).Members.names {
			if member == "message" {
				return member
			}
			if lowerFirst(member) == "message" {
				found = member
			}
		}
	}
	return found
}

func emitOperations(p *plan, s *source) error {
	for _, name := range p.model.Operations.names {
		op := p.model.Operations.values[name]
		input, output := "api.Unmodelled", "api.Unmodelled"
		if p.isTyped(name) {
			input, output = upperFirst(op.Input.Shape), upperFirst(op.Output.Shape)
			s.printf("// %s is the operation %s.\n", p.operationName(name), name)
		} else {
			s.printf("// %s is the operation %s, known by name only.\n", p.operationName(name), name)
		}
		s.printf("var %s = api.Operation[%s, %s]{\n", p.operationName(name), input, output)
		s.printf("Info: api.Info{Service: %q, Name: %q, Method: %q, Path: %q, Exceptions: []string{\n",
			p.signingName(), name, op.HTTP.Method, op.HTTP.RequestURI)
		for _, e := range op.Errors {
			s.printf("%q,\n", e.Shape)
		}
		s.printf("}},\n")
		if p.isTyped(name) {
			if p.needsCheck(op.Input.Shape) {
				s.printf("Check: (*%s).check,\n", input)
			}
			if slices.ContainsFunc(op.Errors, func(e ref) bool { return e.Shape == p.missing }) {
				s.printf("Missing: &%s,\n", p.missing)
			}
			p.emitQuery(s, op.Input.Shape)
		}
		s.printf("}\n\n")
	}
	return nil
}

// emitQuery writes the function that reads the members which travel in the URL.
func (p *plan) emitQuery(s *source, input string) {
	shape := p.shape(input)
	opened := false
	for _, member := range shape.Members.names {
		m := shape.Members.values[member]
		if m.Location != "querystring" {
			continue
		}
		if !opened {
			s.printf("Query: func(in *%s, query url.Values) {\n", upperFirst(input))
			opened = true
		}
		s.printf("in.%s = api.QueryString(query, %q)\n", upperFirst(member), m.LocationName)
	}
	if opened {
		s.printf("},\n")
	}
}

func emitExceptions(p *plan, s *source) error {
	for _, name := range p.reached(isException) {
		e := p.shape(name)
		s.printf("// %s is an exception of the model.\n", name)
		s.printf("var %s = api.ExceptionShape{Name: %q, Status: %d", name, name, p.status(name, e))
		if e.Error != nil && e.Error.Code != "" && e.Error.Code != name {
			s.printf(", Code: %q", e.Error.Code)
		}
		if len(e.Members.names) > 0 {
			s.printf(", Members: []api.ExceptionMember{\n")
			for _, member := range e.Members.names {
				if m := e.Members.values[member]; m.Location == "header" {
					s.printf("{Name: %q, Header: %q},\n", member, m.LocationName)
				} else {
					s.printf("{Name: %q},\n", member)
				}
			}
			s.printf("}")
		}
		s.printf("}\n\n")
	}
	return nil
}

func (p *plan) status(name string, e shape) int {
	switch {
	case e.Error != nil && e.Error.HTTPStatusCode != 0:
		return e.Error.HTTPStatusCode
	case p.statuses[name] != 0:
		return p.statuses[name]
	case e.Fault:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}
