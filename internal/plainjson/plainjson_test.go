package plainjson_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"carrel/internal/plainjson"
)

type colour string

func (colour) Values() string { return `a colour such as "red"` }

func (c *colour) UnmarshalText(text []byte) error {
	if *c = colour(text); *c != "red" {
		return errors.New("what a colour")
	}
	return nil
}

type thing struct {
	Name   string    `json:"name"`
	Open   *bool     `json:"open,omitempty"`
	Rate   float64   `json:"rate"`
	After  int       `json:"after"`
	Seed   uint64    `json:"seed"`
	Until  time.Time `json:"until,omitzero"`
	Colour colour    `json:"colour"`
}

func TestObject(t *testing.T) {
	t.Parallel()
	var got thing
	err := plainjson.Object([]byte(` {"name": "x", "open": true, "rate": 1.5, "after": -1, "seed": 7, "until": "2026-03-01T12:00:00Z", "colour": "red"}`), &got)
	if err != nil || got.Name != "x" || !*got.Open || got.Rate != 1.5 || got.After != -1 || got.Seed != 7 || got.Until.Year() != 2026 || got.Colour != "red" {
		t.Errorf("%+v, %v", got, err)
	}
	for text, says := range map[string]string{
		``:                       "there is nothing",
		`{`:                      "it ends too soon",
		`{"name": "x"} more`:     "it is no JSON from its character 15 on: more",
		`{name: "x"}`:            `it is no JSON from its character 2 on: name: "x"}`,
		`[1]`:                    "it is [1]",
		`null`:                   "it is null",
		`{"nam": "x"}`:           `there is no member "nam"; there are after, colour, name, open, rate, seed, until`,
		`{"name": 1}`:            "name is a text in quotes, not 1",
		`{"open": "yes"}`:        `open is true or false, not "yes"`,
		`{"rate": "fast"}`:       `rate is a number, not "fast"`,
		`{"after": 1.5}`:         "after is a whole number, not 1.5",
		`{"after": 1e99}`:        "after is a whole number, not 1e99",
		`{"seed": -1}`:           "seed is a whole number from 0 on, not -1",
		`{"until": "tomorrow"}`:  `until is a time such as "2026-03-01T12:00:00Z", not "tomorrow"`,
		`{"until": {"year": 1}}`: `until is a time such as "2026-03-01T12:00:00Z", not {"year": 1}`,
		`{"colour": "loud"}`:     `colour is a colour such as "red", not "loud"`,
		`{"name": [` + strings.Repeat("1, ", 99) + `1]}`: "name is a text in quotes, not [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, …",
	} {
		if err := plainjson.Object([]byte(text), new(thing)); err == nil || err.Error() != says {
			t.Errorf("%s: got %v, want %q", text, err, says)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	if got, err := plainjson.List([]byte(`[{}, 1]`)); err != nil || len(got) != 2 {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := plainjson.List([]byte(`7`)); err == nil || err.Error() != "it is 7" {
		t.Errorf("%v", err)
	}
}
