// Package web holds the portal's pages: templates, style and scripts, built into the
// program. It imports nothing of Carrel. README.md says what npm adds.
package web

import (
	"embed"
	"io/fs"
)

//go:embed pages assets
var files embed.FS // a file system is embedded in a variable

// HasClient reports whether the program was built with the client that shows desktops, which
// comes from npm: assets/novnc.js.
func HasClient() bool {
	_, err := fs.Stat(files, "assets/novnc.js")
	return err == nil
}

// Files returns the templates, in pages, and what they refer to, in assets.
func Files() embed.FS { return files }
