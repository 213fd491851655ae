package simulated

import (
	"encoding/json"
	"maps"
	"strings"
)

// settingsFile is the archive of the user's settings on the user volume, as the script that takes and
// brings them has it.
const settingsFile = "Desktop/.carrel-settings"

// takeSettings is the user volume with an archive of what a real desktop's programs keep in it.
func (c contents) takeSettings() (contents, error) {
	kept := make(map[string][]byte)
	for name, f := range c {
		if strings.HasPrefix(name, ".") && !strings.HasPrefix(name, ".cache/") {
			kept[name] = f.bytes
		}
	}
	archive, err := json.Marshal(kept)
	if err != nil {
		return c, err
	}
	return c.with(settingsFile, archive)
}

// bringSettings is the user volume with what the archive holds, and without the archive.
func (c contents) bringSettings() (next contents, err error) {
	var kept map[string][]byte
	if f := c[settingsFile]; f != nil {
		if err := json.Unmarshal(f.bytes, &kept); err != nil {
			return c, err
		}
	}
	next = maps.Clone(c)
	delete(next, settingsFile)
	for name, content := range kept {
		if next, err = next.with(name, content); err != nil {
			return c, err
		}
	}
	return next, nil
}
