package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	monitoringapi "carrel/internal/api/monitoring"
	stsapi "carrel/internal/api/sts"
	taggingapi "carrel/internal/api/tagging"
	wsapi "carrel/internal/api/workspaces"
)

// TestGeneratedIsCurrent proves that the packages are what apigen makes of the pinned models, byte for byte.
func TestGeneratedIsCurrent(t *testing.T) {
	t.Parallel()
	for _, target := range targets() {
		t.Run(target.model, func(t *testing.T) {
			t.Parallel()
			files, err := generate("models", target)
			if err != nil {
				t.Fatal(err)
			}
			present, err := filepath.Glob(filepath.Join("..", target.pkg, "*_gen.go"))
			if err != nil || len(present) != len(files) {
				t.Errorf("the package has %d generated files, apigen makes %d; %v", len(present), len(files), err)
			}
			for name, want := range files {
				got, err := os.ReadFile(filepath.Join("..", target.pkg, name))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s/%s is not what apigen makes of the model; run go generate ./internal/api", target.pkg, name)
				}
			}
		})
	}
}

// TestTablesHoldAllOperations proves that the generated tables are the models' operations, in their order.
func TestTablesHoldAllOperations(t *testing.T) {
	t.Parallel()
	services := map[string]*api.Service{
		"workspaces": wsapi.Service, "ds": dsapi.Service, "ds-data": dsdataapi.Service, "sts": stsapi.Service,
		"resourcegroupstaggingapi": taggingapi.Service, "cloudwatch": monitoringapi.Service,
	}
	count := map[string]int{"workspaces": 91, "ds": 80, "ds-data": 17, "sts": 11, "resourcegroupstaggingapi": 9, "cloudwatch": 46}
	for _, target := range targets() {
		m, err := loadModel("models", target.model)
		if err != nil {
			t.Fatal(err)
		}
		service := services[target.model]
		if len(service.Operations) != count[target.model] || len(m.Operations.names) != count[target.model] {
			t.Errorf("%s: the table has %d operations, the model %d, want %d",
				target.model, len(service.Operations), len(m.Operations.names), count[target.model])
		}
		for i, name := range m.Operations.names {
			spec := service.Operations[i].Spec()
			if spec.Name != name || spec.Service != service.Name {
				t.Errorf("%s: operation %d is %s of %s, want %s", target.model, i, spec.Name, spec.Service, name)
			}
			for _, e := range m.Operations.values[name].Errors {
				if !spec.Declares(e.Shape) {
					t.Errorf("%s does not declare %s", name, e.Shape)
				}
			}
		}
	}
}

// TestRunWritesPackages runs the command into an empty folder and expects it to write the packages, and to say what is
// wrong with its flags.
func TestRunWritesPackages(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "apigen", "models"), os.DirFS("models")); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-api", root}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	for _, target := range targets() {
		if _, err := os.Stat(filepath.Join(root, target.pkg, "service_gen.go")); err != nil {
			t.Error(err)
		}
	}
	var messages bytes.Buffer
	if err := run([]string{"-nonsense"}, &messages); err == nil || !strings.Contains(messages.String(), "-pin") {
		t.Errorf("got %v, messages %s", err, &messages)
	}
	if err := run([]string{"-api", root, "-pin", filepath.Join(root, "nowhere")}, &bytes.Buffer{}); err == nil {
		t.Error("pinned from a folder that does not exist")
	}
}

// TestModelsThatAreNotUnderstood proves that what apigen cannot generate is refused rather than left out.
func TestModelsThatAreNotUnderstood(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"timestampFormat":            `{"type":"timestamp","timestampFormat":"iso8601"}`,
		"type float":                 `{"type":"float"}`,
		"a list or map of double":    `{"type":"list","member":{"shape":"Number"}}`,
		"range of a long":            `{"type":"long","max":7}`,
		"a list or map of boolean":   `{"type":"list","member":{"shape":"Flag"}}`,
		"max of 0":                   `{"type":"string","max":0}`,
		"its binding is not support": `{"type":"structure","members":{"H":{"shape":"Flag","location":"header","locationName":"h"}}}`,
		"has no equal in Go":         `{"type":"string","pattern":"(?!a).*"}`,
		"the constant for":           `{"type":"string","enum":["A_B","A-B"]}`,
	}
	for want, shape := range tests {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			text := `{"metadata":{"protocol":"json","endpointPrefix":"x"},"operations":{"Do":{"name":"Do",
				"http":{"method":"POST","requestUri":"/"},"input":{"shape":"In"},"output":{"shape":"Out"}}},
				"shapes":{"In":{"type":"structure","members":{"Odd":{"shape":"Odd"}}},"Out":{"type":"structure","members":{}},
				"Flag":{"type":"boolean"},"Number":{"type":"double"},"Odd":` + shape + `}}`
			if err := os.WriteFile(filepath.Join(folder, "x.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := generate(folder, target{model: "x", pkg: "x", protocol: api.JSON11})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want an error about %q", err, want)
			}
		})
	}
}

func TestConstantNames(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"PENDING": "Pending", "AUTO_STOP": "AutoStop", "SimpleAD": "SimpleAD", "4XL": "4xl", "a-b c": "ABC", "GRAPHICS.G4DN": "GraphicsG4dn",
	} {
		if got := constantName(value); got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
}
