package desktop_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/desktop"
)

// Embedding leaves out, without a word, what it has no pattern for; an image built from the program would then differ
// from one built from the checkout.
func TestRecipeHoldsEveryFileOfTheCheckout(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) == ".go" || filepath.Ext(path) == ".md" {
			return err
		}
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		got, err := desktop.Recipe.ReadFile(filepath.ToSlash(path))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// XFCE and Firefox take a settings file that does not parse for none at all.
func TestSettingsAreWellFormed(t *testing.T) {
	t.Parallel()
	checked := 0
	err := fs.WalkDir(desktop.Recipe, "overlay", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		content, _ := desktop.Recipe.ReadFile(path)
		switch filepath.Ext(path) {
		case ".xml", ".svg":
			err = parseXML(string(content))
		case ".json":
			err = json.Unmarshal(content, new(any))
		default:
			return nil
		}
		checked++
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked == 0 {
		t.Error("found no settings to check")
	}
}

func parseXML(content string) error {
	decoder := xml.NewDecoder(strings.NewReader(content))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
