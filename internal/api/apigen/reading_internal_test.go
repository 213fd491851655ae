package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	monitoringapi "carrel/internal/api/monitoring"
	taggingapi "carrel/internal/api/tagging"
	wsapi "carrel/internal/api/workspaces"
)

// TestChecksAgreeWithAReadingOfTheModel draws inputs for every operation, good and bad, and holds the verdict of the
// generated code against a reading of the model that shares nothing with it: it walks the JSON value beside the shapes,
// and for patterns it asks what Java said.
func TestChecksAgreeWithAReadingOfTheModel(t *testing.T) {
	t.Parallel()
	services := map[string]*api.Service{"workspaces": wsapi.Service, "ds": dsapi.Service, "ds-data": dsdataapi.Service, "resourcegroupstaggingapi": taggingapi.Service, "cloudwatch": monitoringapi.Service}
	verdicts := loadVerdicts(t)
	for _, target := range targets() {
		service, ok := services[target.model]
		if !ok {
			continue // sts has no constraints that are reached
		}
		m, err := loadModel("models", target.model)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range service.Operations {
			name := op.Spec().Name
			if target.typed != nil && !slices.Contains(target.typed, name) {
				continue
			}
			t.Run(target.model+"/"+name, func(t *testing.T) {
				t.Parallel()
				input := m.Operations.values[name].Input.Shape
				rapid.Check(t, func(t *rapid.T) {
					r := reading{model: m, service: target.model, java: verdicts, widened: target.widened, draw: t}
					if op.Spec().Declares(target.missing) {
						r.missing = target.missing
					}
					r.mayBreak = r.chance(10, "may break")
					value, _ := r.value(input).(map[string]any)
					payload := r.payload(input, value)
					if !r.broken {
						r.read(input, "", value)
					}
					_, err := op.Refuse(nil).Decode(payload)
					r.compare(err)
				})
			})
		}
	}
}

// reading draws values for shapes and judges them.
type reading struct {
	model   *model
	service string
	java    javaVerdicts
	widened map[string]string // as in target
	draw    *rapid.T

	missing  string   // the exception for a required member that is absent; "": as for all that breaks the model
	absent   bool     // a required member is
	mayBreak bool     // values of the wrong type may be drawn
	broken   bool     // a value of the wrong type was drawn
	violated []string // paths, once per violation
}

// chance draws true in so many of a hundred cases. It samples, because rapid's ranges lean towards their ends.
func (r *reading) chance(percent int, label string) bool {
	hundred := make([]bool, 100)
	for i := range percent {
		hundred[99-i] = true
	}
	return rapid.SampledFrom(hundred).Draw(r.draw, label)
}

// value draws a value for a shape, mostly near to what the shape allows.
func (r *reading) value(name string) any {
	s := r.model.Shapes.values[name]
	switch s.Type {
	case "structure":
		return r.structure(s)
	case "list":
		items := []any{}
		for range r.size(s) {
			items = append(items, r.perhapsWrong(s.Member.Shape))
		}
		return items
	case "map":
		entries := map[string]any{}
		for range r.size(s) {
			if key := r.text(s.Key.Shape); entries[key] == nil { // what is broken in a value must not be lost under another
				entries[key] = r.value(s.Value.Shape)
			}
		}
		return entries
	case "string":
		return r.text(name)
	case "integer", "long", "timestamp":
		return r.number(s)
	case "boolean":
		return r.chance(50, "boolean")
	case "blob":
		return base64.StdEncoding.EncodeToString(make([]byte, rapid.IntRange(0, 2).Draw(r.draw, "bytes")))
	default:
		panic("no inputs have a " + s.Type)
	}
}

// perhapsWrong is value, but once in a while it draws one whose JSON type no shape has.
func (r *reading) perhapsWrong(name string) any {
	if r.mayBreak && r.chance(2, "wrong type") && r.model.Shapes.values[name].Type != "structure" {
		r.broken = true
		return []any{[]any{}}
	}
	return r.value(name)
}

func (r *reading) structure(s shape) map[string]any {
	members := map[string]any{"SomethingNewer": map[string]any{"a": []any{1.5}}}
	only := ""
	if s.Union && r.chance(80, "one of union") {
		only = rapid.SampledFrom(s.Members.names).Draw(r.draw, "union")
	}
	for _, member := range s.Members.names {
		likely := 40
		if s.requires(member) {
			likely = 93
		}
		if only != "" {
			likely = map[bool]int{true: 100, false: 0}[member == only]
		}
		m := s.Members.values[member]
		if r.chance(likely, "present") {
			if m.Location == "" {
				members[member] = r.perhapsWrong(m.Shape)
			} else {
				members[member] = r.value(m.Shape)
			}
		} else if r.chance(10, "null") {
			members[member] = nil
		}
	}
	return members
}

func (r *reading) size(s shape) int {
	sizes := []int{0, 1, 2, 3}
	if s.Max != nil && *s.Max <= 30 {
		sizes = append(sizes, int(*s.Max), int(*s.Max)+1)
	}
	return rapid.SampledFrom(sizes).Draw(r.draw, "size")
}

func (r *reading) number(s shape) int64 {
	numbers := []int64{0, 1, -1, 1 << 20}
	if s.Min != nil {
		numbers = append(numbers, *s.Min, *s.Min-1)
	}
	if s.Max != nil {
		numbers = append(numbers, *s.Max, *s.Max+1)
	}
	return rapid.SampledFrom(numbers).Draw(r.draw, "number")
}

func (r *reading) text(name string) string {
	s := r.model.Shapes.values[name]
	switch {
	case s.Pattern != "" && r.chance(80, "matching") && len(r.java.Matches[r.service+"."+name]) > 0:
		return r.java.Samples[rapid.SampledFrom(r.java.Matches[r.service+"."+name]).Draw(r.draw, "match")]
	case s.Pattern != "":
		return rapid.SampledFrom(r.java.Samples).Draw(r.draw, "sample")
	case len(s.Enum) > 0 && r.chance(90, "enumerated"):
		return rapid.SampledFrom(s.Enum).Draw(r.draw, "enum")
	}
	lengths := []int{1, 5}
	if s.Min != nil {
		lengths = append(lengths, int(*s.Min), max(int(*s.Min)-1, 0))
	}
	if s.Max != nil {
		lengths = append(lengths, int(*s.Max), int(*s.Max)+1)
	}
	letter := rapid.SampledFrom([]string{"x", "ë", "😀"}).Draw(r.draw, "letter")
	return strings.Repeat(letter, rapid.SampledFrom(lengths).Draw(r.draw, "length"))
}

// payload encodes an input; members that are bound to the query move there.
func (r *reading) payload(input string, value map[string]any) api.Payload {
	query, body := url.Values{}, map[string]any{}
	for name, v := range value {
		if m := r.model.Shapes.values[input].Members.values[name]; m.Location != "querystring" {
			body[name] = v
			continue
		}
		text, ok := v.(string)
		if !ok { // null and the wrong type cannot be said in a query
			delete(value, name)
			continue
		}
		query.Set(name, text)
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		r.draw.Fatal(err)
	}
	return api.Payload{Body: encoded, Query: query}
}

func (r *reading) violate(path string) { r.violated = append(r.violated, path) }

// read judges a value by its shape. Two rules are ours: what a list or map that breaks its size holds is not looked at,
// and a string that is too long is not matched.
func (r *reading) read(name, path string, value any) {
	s := r.model.Shapes.values[name]
	switch value := value.(type) {
	case map[string]any:
		if s.Type == "map" {
			r.readMap(s, path, value)
		} else {
			r.readStructure(s, path, value)
		}
	case []any:
		if r.inRange(s, path, len(value)) {
			for i, item := range value {
				r.read(s.Member.Shape, fmt.Sprintf("%s.%d.member", path, i+1), item)
			}
		}
	case string:
		r.readText(name, s, path, value)
	case int64:
		if (s.Min != nil && value < *s.Min) || (s.Max != nil && value > *s.Max) {
			r.violate(path)
		}
	}
}

func (r *reading) inRange(s shape, path string, size int) bool {
	if (s.Min != nil && size < int(*s.Min)) || (s.Max != nil && size > int(*s.Max)) {
		r.violate(path)
		return false
	}
	return true
}

func (r *reading) readMap(s shape, path string, entries map[string]any) {
	if !r.inRange(s, path, len(entries)) {
		return
	}
	for key, value := range entries {
		r.read(s.Key.Shape, path, key)
		r.read(s.Value.Shape, path+"."+key+".member", value)
	}
}

func (r *reading) readStructure(s shape, path string, members map[string]any) {
	set := 0
	for _, name := range s.Members.names {
		inner := strings.TrimPrefix(path+"."+strings.ToLower(name[:1])+name[1:], ".")
		value, present := members[name]
		switch {
		case present && value != nil:
			set++
			r.read(s.Members.values[name].Shape, inner, value)
		case s.requires(name):
			r.absent = true
			r.violate(inner)
		}
	}
	if s.Union && set != 1 {
		r.violate(path)
	}
}

func (r *reading) readText(name string, s shape, path, value string) {
	if s.Type == "blob" {
		decoded, err := base64.StdEncoding.DecodeString(value)
		if err == nil {
			r.inRange(s, path, len(decoded))
		}
		return
	}
	length := int64(utf8.RuneCountInString(value))
	if s.Min != nil && length < *s.Min {
		r.violate(path)
	}
	tooLong := s.Max != nil && length > *s.Max
	if tooLong {
		r.violate(path)
	}
	at := slices.Index(r.java.Samples, value)
	wider, widened := r.widened[name]
	fits := r.java.matches(r.service+"."+name, at) || widened && regexp.MustCompile(wider).MatchString(value)
	if s.Pattern != "" && !tooLong && !fits {
		r.violate(path)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, value) {
		r.violate(path)
	}
}

// compare holds what the generated code said against what was read.
func (r *reading) compare(err error) {
	exception, refused := errors.AsType[*api.Exception](err)
	switch {
	case r.broken:
		if !refused || exception.Name != api.SerializationException {
			r.draw.Fatalf("a value of the wrong type gave %v", err)
		}
	case r.absent && r.missing != "":
		if !refused || exception.Name != r.missing {
			r.draw.Fatalf("got %v, the model is violated at %q", err, r.violated)
		}
	case len(r.violated) == 0:
		if err != nil {
			r.draw.Fatalf("the model allows what was refused: %v", err)
		}
	default:
		if !refused || !strings.HasPrefix(exception.Message, fmt.Sprintf("%d validation error", len(r.violated))) {
			r.draw.Fatalf("got %v, the model is violated at %q", err, r.violated)
		}
		if len(r.violated) > 10 {
			return
		}
		for _, path := range r.violated {
			if len(path) < 200 && !strings.Contains(exception.Message, "at '"+path+"'") {
				r.draw.Fatalf("%s is missing from: %s", path, exception.Message)
			}
		}
	}
}
