package embedded_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"carrel/internal/directory/embedded"
)

func TestHash(t *testing.T) {
	t.Parallel()
	hasher := embedded.NewHasher()
	one, err := hasher.Hash(t.Context(), "Correct-Horse-1")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`).MatchString(one) {
		t.Errorf("not PHC notation: %s", one)
	}
	two, err := hasher.Hash(t.Context(), "Correct-Horse-1")
	if err != nil || one == two {
		t.Errorf("two hashes of one password are the same: %s (%v)", two, err)
	}
	for password, want := range map[string]bool{"Correct-Horse-1": true, "correct-horse-1": false, "": false} {
		if got, err := hasher.Verify(t.Context(), one, password); got != want || err != nil {
			t.Errorf("Verify(%q) = %v, %v; want %v", password, got, err, want)
		}
	}
}

// TestVerifyElsewhere takes a hash that the reference implementation made, with other costs.
func TestVerifyElsewhere(t *testing.T) {
	t.Parallel()
	const hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if right, err := embedded.NewHasher().Verify(t.Context(), hash, "password"); !right || err != nil {
		t.Errorf("Verify = %v, %v; want true", right, err)
	}
}

func TestVerifyBroken(t *testing.T) {
	t.Parallel()
	const good = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for _, change := range [][2]string{
		{"$argon2id$", "$argon2i$"},
		{"v=19", "v=16"},
		{"m=256", "m=0"},
		{"m=256", "m=9999999999"},
		{"m=256", "m=2000000"},
		{"t=2", "t=0"},
		{"t=2", "t=65"},
		{"p=1", "p=0"},
		{"m=256,t=2", "t=2,m=256"},
		{"$c29", "$!29"},
		{"nf65", "n"},
		{"/uIP", "/uIP!"},
		{good, ""},
		{good, "plain"},
		{good, good + "$"},
	} {
		broken := strings.Replace(good, change[0], change[1], 1)
		if right, err := embedded.NewHasher().Verify(t.Context(), broken, "password"); right || err == nil {
			t.Errorf("Verify(%s) = %v, %v; want an error", broken, right, err)
		}
	}
}

func TestHashCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := embedded.NewHasher().Hash(ctx, "Correct-Horse-1"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash with a cancelled context: %v", err)
	}
}
