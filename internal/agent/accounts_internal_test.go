package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	imagePasswd = "root:x:0:0:root:/root:/bin/bash\ngames:x:5:60:games:/usr/games:/usr/sbin/nologin\n" +
		"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
	imageGroup  = "root:x:0:\nsudo:x:27:\nusers:x:100:\nnogroup:x:65534:\n"
	imageShadow = "root:*:19000:0:99999:7:::\ngames:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n"
)

var jane = account{name: "jane.doe", uid: 10001, fullName: "Jane Doe", home: "/home/jane.doe"}

func TestWithUserAddsTheUser(t *testing.T) {
	t.Parallel()
	passwd, group, shadow := withUser(jane, imagePasswd, imageGroup, imageShadow)
	if want := imagePasswd + "jane.doe:x:10001:10001:Jane Doe:/home/jane.doe:/bin/bash\n"; passwd != want {
		t.Errorf("passwd:\n%s", passwd)
	}
	if want := imageGroup + "jane.doe:x:10001:\n"; group != want {
		t.Errorf("group:\n%s", group)
	}
	if want := imageShadow + "jane.doe:!:20000:0:99999:7:::\n"; shadow != want {
		t.Errorf("shadow:\n%s", shadow)
	}
}

func TestWithUserTwiceIsOnce(t *testing.T) {
	t.Parallel()
	admin := jane
	admin.groups = []string{"sudo"}
	passwd, group, shadow := withUser(admin, imagePasswd, imageGroup, imageShadow)
	passwd2, group2, shadow2 := withUser(admin, passwd, group, shadow)
	if passwd2 != passwd || group2 != group || shadow2 != shadow {
		t.Errorf("the second time:\n%s%s%s", passwd2, group2, shadow2)
	}
}

func TestWithUserReplacesWhoeverTheImageWasMadeFrom(t *testing.T) {
	t.Parallel()
	former := account{name: "john", uid: 10001, fullName: "John", home: "/home/john", groups: []string{"sudo", "users"}}
	passwd, group, shadow := withUser(former, imagePasswd, imageGroup, imageShadow)
	passwd, group, shadow = withUser(jane, passwd, group, shadow)
	if all := passwd + group + shadow; strings.Contains(all, "john") {
		t.Errorf("john is still there:\n%s", all)
	}
	if !strings.Contains(group, "sudo:x:27:\n") {
		t.Errorf("the sudo group has members:\n%s", group)
	}
}

func TestWithUserEndsAFileThatLacksItsLastNewline(t *testing.T) {
	t.Parallel()
	passwd, _, _ := withUser(jane, strings.TrimSuffix(imagePasswd, "\n"), imageGroup, imageShadow)
	if !strings.Contains(passwd, "nologin\njane.doe:") {
		t.Errorf("passwd:\n%s", passwd)
	}
}

func TestLocalAdministratorsJoinSudo(t *testing.T) {
	t.Parallel()
	admin := chooseAccount(Config{Account: "jane.doe", UID: 10001, LocalAdmin: true}, imagePasswd, imageGroup)
	_, group, _ := withUser(admin, imagePasswd, imageGroup, imageShadow)
	if !strings.Contains(group, "sudo:x:27:jane.doe\n") {
		t.Errorf("group:\n%s", group)
	}
	_, group, _ = withUser(jane, imagePasswd, group, imageShadow)
	if !strings.Contains(group, "sudo:x:27:\n") {
		t.Errorf("once an administrator, always one:\n%s", group)
	}
}

func TestChooseAccountKeepsClearOfTheSystem(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"root", "games", "nobody", "users", "sudo"} {
		chosen := chooseAccount(Config{Account: name, UID: 10001}, imagePasswd, imageGroup)
		if chosen.name != name+"-user" || chosen.home != "/home/"+name+"-user" {
			t.Errorf("%s becomes %+v", name, chosen)
		}
	}
	passwd, group, _ := withUser(jane, imagePasswd, imageGroup, imageShadow)
	if chosen := chooseAccount(Config{Account: jane.name, UID: 10001}, passwd, group); chosen.name != jane.name {
		t.Errorf("the user's own account of the last start counts as taken: %+v", chosen)
	}
}

func TestGecosCannotBreakOutOfItsField(t *testing.T) {
	t.Parallel()
	if got := gecos(" Jane:x:0,\nroot::0=\x7f "); got != "Jane x 0 root  0" {
		t.Errorf("got %q", got)
	}
}

// imageRoot is a root directory with what makeAccount and makeHome need.
func imageRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, file := range map[string]struct {
		content string
		mode    os.FileMode
	}{
		"etc/passwd":       {imagePasswd, 0o644},
		"etc/group":        {imageGroup, 0o644},
		"etc/shadow":       {imageShadow, 0o640},
		"etc/skel/.bashrc": {"# bash\n", 0o644},
		"etc/skel/bin/run": {"#!/bin/sh\n", 0o755},
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(file.content), file.mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(root, "etc/skel/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "etc/sudoers.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestMakeAccountKeepsModesAndSettlesSudo(t *testing.T) {
	t.Parallel()
	root := imageRoot(t)
	config := Config{Account: "jane.doe", UID: 10001, LocalAdmin: true}
	for _, admin := range []bool{true, true, false, false} {
		config.LocalAdmin = admin
		if _, err := makeAccount(root, config); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(root, sudoersFile)); (err == nil) != admin {
			t.Errorf("administrator %v: %v", admin, err)
		}
	}
	info, err := os.Stat(filepath.Join(root, "etc/shadow"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o640 {
		t.Errorf("shadow has mode %v", info.Mode())
	}
}
