package agent

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// SessionProgram is what an image brings to be run as the user, once for each session: it starts the session bus and
// the desktop environment, and ends when the user signs out: with code 0 then, and only then.
const SessionProgram = "/usr/libexec/carrel/session"

func runtimeDir(uid int) string { return "/run/user/" + strconv.Itoa(uid) }

func sessionCommand(config Config, who account, groups []uint32, output *os.File) command {
	env := []string{
		"HOME=" + who.home,
		"USER=" + who.name,
		"LOGNAME=" + who.name,
		"SHELL=/bin/bash",
		"PATH=" + userPath,
		"LANG=" + config.Lang,
		"DISPLAY=:0",
		"XDG_RUNTIME_DIR=" + runtimeDir(who.uid),
		"XDG_SESSION_TYPE=x11",
		"XDG_SESSION_CLASS=user",
	}
	if config.Timezone != "" {
		env = append(env, "TZ="+config.Timezone)
	}
	return command{
		argv:   []string{SessionProgram},
		env:    env,
		dir:    who.home,
		uid:    who.uid,
		groups: groups,
		output: output,
		// What the user runs goes before the X server, and both before the agent: so a full memory costs a program,
		// not the desktop.
		oomScore: 500,
	}
}

// groupIDs looks up the user's supplementary groups; those that the image lacks are left out.
func groupIDs(names []string) []uint32 {
	var ids []uint32
	for _, name := range names {
		group, err := user.LookupGroup(name)
		if err != nil {
			continue
		}
		if id, err := strconv.ParseUint(group.Gid, 10, 32); err == nil {
			ids = append(ids, uint32(id))
		}
	}
	return ids
}

// startSession runs the image's session, in the home directory if there is one to be had.
func startSession(processes *children, config Config, who account, output *os.File) (*process, error) {
	cmd := sessionCommand(config, who, groupIDs(who.groups), output)
	if info, err := os.Stat(cmd.dir); err != nil || !info.IsDir() {
		cmd.dir = "/"
	}
	session, err := processes.start(cmd)
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", filepath.Base(SessionProgram), err)
	}
	return session, nil
}
