package operation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// tokenValid is how long a request is remembered by its client token.
// Source: CreateUser of Directory Service Data, ClientToken.
const tokenValid = 8 * time.Hour

// TokenRequest is what Once has to know of a request that may carry a client token.
type TokenRequest struct {
	Operation string
	About     string // what the request is about, e.g. a directory: tokens of two such things do not meet
	Token     *string
	Input     any
}

// Once makes a change in a transaction and remembers its answer under the request's client
// token, if it has one. The same request with the same token gets the same answer again and
// changes nothing; another request with it is refused with CodeInProgress.
func Once[O any](ctx context.Context, tx *store.Tx, now time.Time, r TokenRequest, change func() (*O, error)) (*O, error) {
	if r.Token == nil {
		return change()
	}
	input, err := json.Marshal(r.Input)
	if err != nil {
		return nil, err
	}
	// A fingerprint tells requests apart without keeping what they say.
	kept := store.ClientToken{
		Scope: Scope(ctx), DirectoryID: r.About, Token: digest(*r.Token), Request: digest(r.Operation + "\x00" + string(input)),
		ExpiresAt: now.Add(tokenValid),
	}
	before, found, err := tx.ClientToken(ctx, kept.Scope, kept.DirectoryID, kept.Token, now)
	if err != nil {
		return nil, err
	}
	out := new(O)
	switch {
	case found && before.Request != kept.Request:
		return nil, workspaces.Errorf(workspaces.CodeInProgress, "The client token was used for another request less than %d hours ago.",
			int(tokenValid.Hours()))
	case found:
		err = json.Unmarshal([]byte(before.Answer), out)
	default:
		out, err = change()
	}
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	kept.Answer = string(answer)
	return out, tx.PutClientToken(ctx, kept, now)
}

// digest also keeps tokens, which may hold any ASCII, out of databases that do not take all
// of it as text.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
