// Package desktop holds the recipe of the desktop image: build.sh, what it installs, and what it adds. The carrel
// program carries it, extracts it and runs build.sh, so that an image can be built with nothing else at hand.
// README.md beside this file describes the image.
package desktop

import "embed"

// Recipe is this directory as build.sh needs it. Files lose their modes on the way; build.sh is to be run by bash, and
// sets the modes of what goes into the image itself.
//
//go:embed build.sh customize.sh packages all:overlay
var Recipe embed.FS
