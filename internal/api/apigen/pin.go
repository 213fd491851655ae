package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// pin reads a model from botocore's data folder and writes what model.go names of it: no documentation, no examples.
func pin(botocore, folder string, t target) error {
	path := filepath.Join(botocore, t.model, t.version, "service-2.json.gz")
	packed, err := os.Open(path) //nolint:gosec // the folder is the developer's own flag
	if err != nil {
		return err
	}
	defer packed.Close() // only read
	content, err := gzip.NewReader(packed)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var m model
	if err := json.UnmarshalRead(content, &m); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var out bytes.Buffer
	if err := json.MarshalWrite(&out, &m, jsontext.WithIndent(" ")); err != nil {
		return err
	}
	out.WriteByte('\n')
	return os.WriteFile(filepath.Join(folder, t.model+".json"), out.Bytes(), 0o644) //nolint:gosec // source code, for everyone to read
}
