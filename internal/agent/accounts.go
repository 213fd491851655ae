package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// systemUIDs end here: accounts below belong to the image's packages, accounts from here on to people.
const systemUIDs = 1000

// account is the one person of a desktop, as the account files describe a person.
type account struct {
	name     string
	uid      int // also the id of the group of the same name
	fullName string
	home     string
	groups   []string // supplementary groups; those that the image lacks are left out
}

// sudoersFile exists only while the user is a local administrator.
const sudoersFile = "etc/sudoers.d/carrel-local-admin"

// chooseAccount settles on names that collide with none of the image's own accounts: a directory user who is called
// "games" or "mail" becomes "games-user". The same image and the same user give the same answer.
func chooseAccount(config Config, passwd, group string) account {
	name := config.Account
	if takenBySystem(passwd, name) || takenBySystem(group, name) {
		name = name[:min(len(name), maxAccountName-len("-user"))] + "-user"
	}
	chosen := account{name: name, uid: config.UID, fullName: config.FullName, home: "/home/" + name}
	if config.LocalAdmin {
		chosen.groups = []string{"sudo"}
	}
	return chosen
}

// takenBySystem reports whether a passwd or group file gives the name to a system id. Both have the id third.
func takenBySystem(file, name string) bool {
	for line := range strings.Lines(file) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) < 3 || fields[0] != name {
			continue
		}
		id, err := strconv.Atoi(fields[2])
		return err != nil || id < systemUIDs || id >= 65534
	}
	return false
}

// people lists the names in a passwd or group file with ids of people. An image made from somebody's desktop still has
// that person's account, whose id is the same as the new user's: all of them go before the user is added.
func people(file string) []string {
	var names []string
	for line := range strings.Lines(file) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) < 3 {
			continue
		}
		if id, err := strconv.Atoi(fields[2]); err == nil && id >= systemUIDs && id < 65534 {
			names = append(names, fields[0])
		}
	}
	return names
}

// withUser returns the three account files with the user in them, and no other person.
func withUser(user account, passwd, group, shadow string) (newPasswd, newGroup, newShadow string) {
	strangers := people(passwd)
	newPasswd = withoutEntries(passwd, strangers) + fmt.Sprintf("%s:x:%d:%d:%s:%s:/bin/bash\n",
		user.name, user.uid, user.uid, gecos(user.fullName), user.home)
	// Nobody signs in with a local password: who the user is was checked before the stream was opened. The date (days
	// since 1970, of the last change) only has to be there; a missing one makes PAM ask for a new password.
	newShadow = withoutEntries(shadow, append(strangers, user.name)) + user.name + ":!:20000:0:99999:7:::\n"

	members := append(slices.Clone(strangers), user.name)
	var groups strings.Builder
	for line := range strings.Lines(withoutEntries(group, people(group))) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) == 4 {
			kept := slices.DeleteFunc(strings.Split(fields[3], ","), func(member string) bool {
				return member == "" || slices.Contains(members, member)
			})
			if slices.Contains(user.groups, fields[0]) {
				kept = append(kept, user.name)
			}
			fields[3] = strings.Join(kept, ",")
		}
		groups.WriteString(strings.Join(fields, ":") + "\n")
	}
	newGroup = groups.String() + fmt.Sprintf("%s:x:%d:\n", user.name, user.uid)
	return newPasswd, newGroup, newShadow
}

// withoutEntries drops the lines of those names, and ends what remains with a newline so that a line can follow.
func withoutEntries(file string, names []string) string {
	var kept strings.Builder
	for line := range strings.Lines(file) {
		name, _, _ := strings.Cut(line, ":")
		if !slices.Contains(names, name) {
			kept.WriteString(strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	return kept.String()
}

// gecos makes a full name fit for the comment field: without what separates fields, its own sub-fields, or lines.
func gecos(fullName string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == ':' || r == ',' || r == '=':
			return ' '
		case r < ' ' || r == 0x7f:
			return -1
		default:
			return r
		}
	}, fullName))
}

// makeAccount writes the account files under root ("/" in a desktop) and returns the account they now hold. Running it
// again, or with another user on an image made from a desktop, is what every start does.
func makeAccount(root string, config Config) (account, error) {
	contents := make(map[string]string)
	for _, name := range []string{"etc/passwd", "etc/group", "etc/shadow"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return account{}, err
		}
		contents[name] = string(content)
	}
	user := chooseAccount(config, contents["etc/passwd"], contents["etc/group"])
	passwd, group, shadow := withUser(user, contents["etc/passwd"], contents["etc/group"], contents["etc/shadow"])
	return user, errors.Join(
		replaceFile(filepath.Join(root, "etc/group"), contents["etc/group"], group),
		replaceFile(filepath.Join(root, "etc/passwd"), contents["etc/passwd"], passwd),
		replaceFile(filepath.Join(root, "etc/shadow"), contents["etc/shadow"], shadow),
		settleSudo(filepath.Join(root, sudoersFile), user),
	)
}

// replaceFile writes a changed account file in one step, with the owner and mode it had: a desktop that loses power
// half-way must still know its accounts. An unchanged file is not written, so it costs no copy-on-write block.
func replaceFile(path, before, after string) error {
	if before == after {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	next := path + ".carrel"
	if err := os.WriteFile(next, []byte(after), 0o600); err != nil {
		return err
	}
	if uid, gid, ok := ownerOf(info); ok {
		if err := os.Chown(next, uid, gid); err != nil {
			return err
		}
	}
	if err := os.Chmod(next, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// settleSudo lets the sudo group become root without a password, because the accounts of a desktop have none, or takes
// that away again. The group's only member is the user, and only while a local administrator.
func settleSudo(path string, user account) error {
	if !slices.Contains(user.groups, "sudo") {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	err := os.WriteFile(path, []byte("%sudo ALL=(ALL:ALL) NOPASSWD: ALL\n"), 0o440) //nolint:gosec // what sudo wants of its files
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("local administrator: this image has no sudo: %w", err)
	}
	return err
}
