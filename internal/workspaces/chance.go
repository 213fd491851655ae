package workspaces

import (
	crypto "crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// Chance is where ids and whatever else is left to chance are drawn from. A nil Chance is the
// machine's own, which nobody can foresee; one that was made from a seed gives the same again to
// whoever draws the same in the same order. It may be used from any goroutine.
type Chance struct {
	mu   sync.Mutex
	from *rand.ChaCha8
}

// Seed is what a Chance can be made from.
type Seed [32]byte

// Of returns the seed of the n'th thing that belongs to what has this one: whoever makes them, in
// whatever order, each gets its own.
func (s Seed) Of(n int64) Seed {
	return sha256.Sum256(binary.BigEndian.AppendUint64(s[:], uint64(n))) //nolint:gosec // only told apart
}

// NewSeed draws a seed.
func NewSeed(c *Chance) (s Seed) {
	c.fill(s[:])
	return s
}

// NewChance returns the Chance of a seed.
func NewChance(seed Seed) *Chance { return &Chance{from: rand.NewChaCha8(seed)} }

func (c *Chance) fill(buf []byte) {
	_, _ = c.Read(buf) // never fails
}

// Read implements [io.Reader]. It fills the buffer and never fails.
func (c *Chance) Read(buf []byte) (int, error) {
	if c == nil {
		return crypto.Read(buf)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.from.Read(buf)
}

// IntN returns a number from 0 up to n, which is above 0.
func (c *Chance) IntN(n int) int {
	var buf [8]byte
	c.fill(buf[:])
	return int(binary.LittleEndian.Uint64(buf[:]) % uint64(n)) //nolint:gosec // below n, which is above 0
}
