package side

import (
	"path/filepath"
	"strings"

	"carrel/internal/sidechannel"
)

// path returns where a folder lies, relative to the home. Users may have renamed theirs, or brought a home along in
// which the desktop is called Schreibtisch: ~/.config/user-dirs.dirs says so to every program. A folder that lies outside
// of the home, or nowhere, is the one of its usual name.
func (h *Home) path(folder sidechannel.Folder) string {
	settings, err := h.root.ReadFile(".config/user-dirs.dirs")
	if err != nil {
		return string(folder)
	}
	return parseFolder(string(settings), folder)
}

// parseFolder reads the settings, which are lines such as XDG_DESKTOP_DIR="$HOME/Desktop".
func parseFolder(settings string, folder sidechannel.Folder) string {
	variable := map[sidechannel.Folder]string{
		sidechannel.Desktop: "XDG_DESKTOP_DIR", sidechannel.Downloads: "XDG_DOWNLOAD_DIR", sidechannel.Documents: "XDG_DOCUMENTS_DIR",
	}[folder]
	path := string(folder)
	for line := range strings.Lines(settings) {
		value, found := strings.CutPrefix(strings.TrimSpace(line), variable+"=")
		if !found {
			continue
		}
		value = strings.Trim(value, `"`)
		below, found := strings.CutPrefix(value, "$HOME/")
		if found && filepath.IsLocal(below) {
			path = filepath.Clean(below)
		}
	}
	return path
}
