package cursor_test

import (
	"encoding/base64"
	"testing"

	"carrel/internal/operation/cursor"
	"carrel/internal/workspaces"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"alice", "a.b.c", "ärger", "1767.d-0123456789"} {
		got, err := cursor.Key(cursor.Token(key, "ListUsers", "d-1"), "ListUsers", "d-1")
		if err != nil || got != key {
			t.Errorf("Key(Token(%q)) = %q, %v", key, got, err)
		}
	}
	if got, err := cursor.Key(nil, "ListUsers"); got != "" || err != nil {
		t.Errorf("Key(nil) = %q, %v; want the first page", got, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for why, token := range map[string]string{
		"empty":              "",
		"not base64":         "!!",
		"no key":             base64.RawURLEncoding.EncodeToString([]byte("abc")),
		"made up":            base64.RawURLEncoding.EncodeToString([]byte("abc.alice")),
		"of another list":    *cursor.Token("alice", "ListUsers", "d-2"),
		"cut differently":    *cursor.Token("alice", "ListUsersd", "-1"),
		"behind nothing":     *cursor.Token("", "ListUsers", "d-1"),
		"a zero byte":        *cursor.Token("al\x00ice", "ListUsers", "d-1"),
		"not UTF-8":          *cursor.Token("al\xffice", "ListUsers", "d-1"),
		"with something new": *cursor.Token("alice", "ListUsers", "d-1") + "AA.A",
	} {
		key, err := cursor.Key(&token, "ListUsers", "d-1")
		if workspaces.CodeOf(err) != workspaces.CodeInvalidNextToken {
			t.Errorf("%s: Key = %q, %v; want CodeInvalidNextToken", why, key, err)
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add("")
	f.Add(*cursor.Token("alice", "ListUsers"))
	f.Fuzz(func(t *testing.T, token string) {
		key, err := cursor.Key(&token, "ListUsers")
		if err == nil && key == "" {
			t.Error("a token was taken for the first page")
		}
	})
}
