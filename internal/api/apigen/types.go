package main

import (
	"fmt"
	"strings"
)

func emitTypes(p *plan, s *source) error {
	uses := p.uses()
	for _, name := range p.reached(isStructure) {
		shape := p.shape(name)
		s.printf("// %s is %s.\n", upperFirst(name), uses[name])
		s.printf("type %s struct {\n", upperFirst(name))
		for _, member := range shape.Members.names {
			m := shape.Members.values[member]
			s.printf("%s %s `%s`", upperFirst(member), p.memberType(m.Shape), tagOf(member, m))
			if shape.requires(member) {
				s.printf(" // required")
			}
			s.printf("\n")
		}
		s.printf("}\n\n")
	}
	return nil
}

// uses says of each structure what it is for: whose input or output, or a part of others.
func (p *plan) uses() map[string]string {
	uses := map[string]string{}
	for _, name := range p.reached(isStructure) {
		uses[name] = "a structure of the model"
		if p.shape(name).Union {
			uses[name] = "a union of the model: exactly one member is set"
		}
	}
	for _, name := range p.model.Operations.names {
		if p.isTyped(name) {
			op := p.model.Operations.values[name]
			uses[op.Input.Shape] = "the input of " + name
			uses[op.Output.Shape] = "the output of " + name
		}
	}
	return uses
}

func tagOf(member string, m ref) string {
	if m.Location == "querystring" {
		return `json:"-"`
	}
	return fmt.Sprintf(`json:"%s,omitzero"`, member)
}

// memberType is the Go type of a structure's member: what may be absent is a pointer, slice or map.
func (p *plan) memberType(name string) string {
	s := p.shape(name)
	switch s.Type {
	case "list":
		return "[]" + p.elementType(s.Member.Shape)
	case "map":
		return "map[string]" + p.elementType(s.Value.Shape)
	case "blob":
		return "[]byte"
	default:
		return "*" + p.elementType(name)
	}
}

// elementType is the Go type inside a list or map, where nothing is absent.
func (p *plan) elementType(name string) string {
	switch s := p.shape(name); s.Type {
	case "string":
		return "string"
	case "integer":
		return "int32"
	case "long":
		return "int64"
	case "boolean":
		return "bool"
	case "double":
		return "float64"
	case "timestamp":
		return "api.Timestamp"
	default:
		return upperFirst(name)
	}
}

func emitEnums(p *plan, s *source) error {
	taken := map[string]string{}
	for _, name := range p.reached(isStructure) {
		taken[upperFirst(name)] = "structure " + name
	}
	for _, name := range p.reached(isEnum) {
		s.printf("// Values of %s.\nconst (\n", name)
		for _, value := range p.shape(name).Enum {
			constant := upperFirst(name) + constantName(value)
			if other, ok := taken[constant]; ok {
				return fmt.Errorf("enum %s: the constant for %q is taken by %s", name, value, other)
			}
			taken[constant] = name
			s.printf("%s = %q\n", constant, value)
		}
		s.printf(")\n\n")
	}
	return nil
}

// constantName makes the part of a Go name that stands for an enum value: PENDING becomes Pending, AUTO_STOP AutoStop;
// a word that is not all capitals keeps its inner ones (SimpleAD).
func constantName(value string) string {
	words := strings.FieldsFunc(value, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	var name strings.Builder
	for _, word := range words {
		if word == strings.ToUpper(word) {
			word = strings.ToLower(word)
		}
		name.WriteString(upperFirst(word))
	}
	return name.String()
}
