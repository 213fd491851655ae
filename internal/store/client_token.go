package store

import (
	"context"
	"math/rand/v2"
	"time"

	"carrel/internal/workspaces"
)

// ClientToken is what was answered to a request that carried one, so that the same request
// can be answered again without doing its work twice.
type ClientToken struct {
	workspaces.Scope
	DirectoryID string
	Token       string
	Request     string // a fingerprint of the operation and its input
	Answer      string // the output, as JSON
	ExpiresAt   time.Time
}

// ClientToken returns what is remembered for a token; found is false where that is nothing,
// or is no longer to be remembered.
func (t *Tx) ClientToken(
	ctx context.Context, s workspaces.Scope, directoryID, token string, now time.Time,
) (c ClientToken, found bool, err error) {
	scan := func(row scanner) (c ClientToken, err error) {
		var expires int64
		err = row.Scan(&c.Account, &c.Region, &c.DirectoryID, &c.Token, &c.Request, &c.Answer, &expires)
		c.ExpiresAt = instantOf(expires)
		return c, err
	}
	return one(ctx, t, scan, "SELECT account, region, directory_id, token, request, answer, expires_at FROM client_token"+
		" WHERE account = $1 AND region = $2 AND directory_id = $3 AND token = $4 AND expires_at > $5",
		s.Account, s.Region, directoryID, token, micros(now))
}

// sweepOnceIn is how many remembered requests it takes for the expired ones to be swept out,
// on average: SDKs send a token with every change, and each sweep reads beyond its own rows.
const sweepOnceIn = 64

// PutClientToken remembers what was answered to a token, in place of what was remembered
// for it, and from time to time forgets those that have expired.
func (t *Tx) PutClientToken(ctx context.Context, c ClientToken, now time.Time) error {
	if rand.IntN(sweepOnceIn) == 0 { //nolint:gosec // spreads work, hides nothing
		if err := t.exec(ctx, "DELETE FROM client_token WHERE expires_at <= $1", micros(now)); err != nil {
			return err
		}
	}
	return t.exec(ctx, "INSERT INTO client_token (account, region, directory_id, token, request, answer, expires_at)"+
		" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account, region, directory_id, token)"+
		" DO UPDATE SET request = excluded.request, answer = excluded.answer, expires_at = excluded.expires_at",
		c.Account, c.Region, c.DirectoryID, c.Token, c.Request, c.Answer, micros(c.ExpiresAt))
}
