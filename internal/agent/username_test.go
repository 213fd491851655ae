package agent_test

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"carrel/internal/agent"
)

func TestAccountName(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]string{
		"jane":                      "jane",
		"Jane.Doe":                  "jane.doe",
		`CORP\Jane.Doe`:             "jane.doe",
		"Jane.Doe@corp.example.com": "jane.doe",
		"j_doe-2":                   "j_doe-2",
		"Müller":                    "muller",
		"MÜLLER":                    "muller",
		"Straße":                    "strasse",
		"Ærøskøbing":                "aeroskobing",
		"Łukasz":                    "lukasz",
		"7of9":                      "u7of9",
		"-x":                        "u-x",
		".hidden":                   "u.hidden",
		"ends.":                     "ends",
		"@nobody":                   "u_nobody-", // and a hash
		"jane doe":                  "jane_doe-", // and a hash
		"Алиса":                     "u_____-",   // and a hash
	} {
		got := agent.AccountName(user)
		if want[len(want)-1] == '-' {
			if len(got) != len(want)+6 || got[:len(want)] != want {
				t.Errorf("%q: got %q, want %q and six digits", user, got, want)
			}
		} else if got != want {
			t.Errorf("%q: got %q, want %q", user, got, want)
		}
	}
}

func TestAccountNameTellsLongNamesApart(t *testing.T) {
	t.Parallel()
	one := agent.AccountName("maximiliana.von.und.zu.hohenstein.senior")
	other := agent.AccountName("maximiliana.von.und.zu.hohenstein.junior")
	if one == other || len(one) != 32 || len(other) != 32 {
		t.Errorf("%q and %q", one, other)
	}
}

func TestAccountNameIsAlwaysFitForLinux(t *testing.T) {
	t.Parallel()
	valid := regexp.MustCompile(`^[a-z][a-z0-9._-]{0,31}$`)
	rapid.Check(t, func(t *rapid.T) {
		user := rapid.String().Draw(t, "user")
		account := agent.AccountName(user)
		if !valid.MatchString(account) || account[len(account)-1] == '.' {
			t.Fatalf("%q becomes %q", user, account)
		}
		if again := agent.AccountName(user); again != account {
			t.Fatalf("%q becomes %q, then %q", user, account, again)
		}
	})
}
