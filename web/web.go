// Package web holds the portal's pages: templates, style and scripts, built into the
// program. It imports nothing of Carrel. README.md says what npm adds.
package web

import "embed"

//go:embed pages assets
var files embed.FS //nolint:gochecknoglobals // a file system is embedded in a variable

// Files returns the templates, in pages, and what they refer to, in assets. There,
// novnc.js is missing in a program that was built without npm.
func Files() embed.FS { return files }
