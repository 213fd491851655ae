package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
)

// javaVerdicts is what Java says of patterns and samples; see testdata/patterns/record.py.
type javaVerdicts struct {
	Samples []string         `json:"samples"`
	Matches map[string][]int `json:"matches"`
}

func loadVerdicts(t testing.TB) javaVerdicts {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "patterns", "java.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v javaVerdicts
	if err := json.Unmarshal(content, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// matches tells whether Java matches sample i with the pattern of a shape ("ds.DirectoryId").
func (v javaVerdicts) matches(shape string, i int) bool { return slices.Contains(v.Matches[shape], i) }

// TestPatternsAgreeWithJava holds every translated pattern of every pinned model against Java's own verdicts.
func TestPatternsAgreeWithJava(t *testing.T) {
	t.Parallel()
	verdicts := loadVerdicts(t)
	for _, target := range targets() {
		m, err := loadModel("models", target.model)
		if err != nil {
			t.Fatal(err)
		}
		for name, shape := range m.Shapes.values {
			key := target.model + "." + name
			if _, recorded := verdicts.Matches[key]; !recorded || target.matchers[name] != "" {
				continue
			}
			expr, err := translate(shape.Pattern)
			if err != nil {
				t.Errorf("%s: %v", key, err)
				continue
			}
			compiled := regexp.MustCompile(`\A(?:` + expr + `)\z`)
			for i, sample := range verdicts.Samples {
				if got, want := compiled.MatchString(sample), verdicts.matches(key, i); got != want {
					t.Errorf("%s: %q against %q: got %v, Java says %v", key, sample, shape.Pattern, got, want)
				}
			}
		}
	}
}

// TestLookAheadAgreesWithJava does the same for the patterns that functions match, through the checks that use them.
func TestLookAheadAgreesWithJava(t *testing.T) {
	t.Parallel()
	verdicts := loadVerdicts(t)
	handler := func(name string) api.Handler {
		op, ok := dsapi.Service.Operation(name)
		if !ok {
			t.Fatal(name)
		}
		return op.Refuse(nil)
	}
	tests := map[string]struct {
		handler api.Handler
		input   func(sample string) any
	}{
		"ds.AliasName": {handler("CreateAlias"), func(s string) any { return &dsapi.CreateAliasRequest{Alias: &s} }},
		"ds.Password":  {handler("CreateDirectory"), func(s string) any { return &dsapi.CreateDirectoryRequest{Password: &s} }},
		"ds.CustomerUserName": {handler("ResetUserPassword"), func(s string) any {
			return &dsapi.ResetUserPasswordRequest{UserName: &s}
		}},
	}
	for key, test := range tests {
		for i, sample := range verdicts.Samples {
			body, err := json.Marshal(test.input(sample))
			if err != nil {
				t.Fatal(err)
			}
			_, err = test.handler.Decode(api.Payload{Body: body})
			got := err == nil || !strings.Contains(err.Error(), "Member must satisfy regular expression pattern")
			tooLong := err != nil && strings.Contains(err.Error(), "less than or equal to")
			if want := verdicts.matches(key, i); got != want && !tooLong {
				t.Errorf("%s: %q: got %v, Java says %v", key, sample, got, want)
			}
		}
	}
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`^a.b$`:            `^a[^\n\r\x{85}\x{2028}\x{2029}]b$`,
		`[.]`:              `[.]`,
		`\s\S`:             `[\t\n\x0B\f\r ][^\t\n\x0B\f\r ]`,
		`[\s\S]*b`:         `[\x{0}-\x{10FFFF}]*b`,
		`[^\s-]`:           `[^\t\n\x0B\f\r -]`,
		`\p{LD}[\p{LD}]`:   `[\p{L}\p{Nd}][\p{L}\p{Nd}]`,
		`[a\u0020-\u00FF]`: `[a\x{0020}-\x{00FF}]`,
		`[a-z]{0,1023}`:    `[a-z]{0,1000}[a-z]{0,23}`,
		`a{3,1002}b`:       `a{3,1000}a{0,2}b`,
		`(?:ab){2,}`:       `(?:ab){2,}`,
	}
	for source, want := range tests {
		if got, err := translate(source); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", source, got, err, want)
		}
	}
	for _, source := range []string{
		`(?=a)`, `(?<!a)b`, `[a[b]]`, `[a&&b]`, `[\S]`, `(a){1001}`, `a{1001,1002}`, `a{1,9999}`, `a{`, `a{x}`, `\u12`, `\`, `(`,
	} {
		if got, err := translate(source); err == nil {
			t.Errorf("%s: got %s, want an error", source, got)
		}
	}
}
