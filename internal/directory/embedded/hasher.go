package embedded

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a hash: about 20 ms on one core. Source: OWASP's password storage cheat
// sheet, the argon2id setting for small servers.
const (
	memoryKiB   = 19 << 10
	passes      = 2
	parallelism = 1
	saltBytes   = 16
	keyBytes    = 32
)

// nobodysHash is of no password: its key is all zeros, and Verify refuses it after as much
// work as any other. It stands in for the hash of users that do not exist or have none.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Hasher makes and checks argon2id hashes of passwords, as many at once as there are
// processors: each takes 19 MiB, and a crowd at the sign-in must not take the machine.
// All methods may be called from any goroutine.
type Hasher struct{ slots chan struct{} }

// NewHasher returns a Hasher for the whole process.
func NewHasher() *Hasher { return &Hasher{slots: make(chan struct{}, runtime.GOMAXPROCS(0))} }

// Hash returns the hash of a password, with a salt of its own, in PHC string notation.
// Errors: the context's, while it waits for its turn.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	p := parameters{memory: memoryKiB, time: passes, threads: parallelism, salt: salt}
	key, err := h.derive(ctx, p, password, keyBytes)
	if err != nil {
		return "", err
	}
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads, encode(salt), encode(key)), nil
}

// Verify reports whether the hash is of the password. The empty password is nobody's.
// Errors: a hash that cannot be read, and the context's.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	p, want, err := parse(hash)
	if err != nil {
		return false, err
	}
	key, err := h.derive(ctx, p, password, uint32(len(want))) //nolint:gosec // parse bounds it
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, want) == 1 && password != "", nil
}

func (h *Hasher) derive(ctx context.Context, p parameters, password string, length uint32) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, length), nil
}

// parameters are what a hash says about how it was made.
type parameters struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
	salt    []byte
}

// What a hash that was made elsewhere may ask for, so that none stops the machine.
const (
	maxMemoryKiB = 1 << 20
	maxPasses    = 64
	maxKeyBytes  = 128
)

var errHash = errors.New("embedded: not an argon2id hash in PHC notation")

// parse reads PHC notation: $argon2id$v=19$m=…,t=…,p=…$salt$key.
func parse(hash string) (p parameters, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, nil, errHash
	}
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, nil, errHash
	}
	if key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return p, nil, errHash
	}
	if p.memory == 0 || p.memory > maxMemoryKiB || p.time == 0 || p.time > maxPasses || p.threads == 0 || len(key) < keyBytes || len(key) > maxKeyBytes {
		return p, nil, errHash
	}
	return p, key, nil
}
