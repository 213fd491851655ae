package directorydata

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
// Source: CreateUser, ClientToken.
const tokenValid = 8 * time.Hour

// request is what once has to know of a request. Tokens of two directories do not meet.
type request struct {
	operation   string
	directoryID string
	token       *string
	input       any
}

// once runs a change in one transaction and remembers its answer under the request's client
// token. The same request with the same token gets the same answer again and changes
// nothing; another request with it is refused with CodeInProgress.
func once[O any](
	ctx context.Context, s *Service, r request, change func(*store.Tx, *workspaces.Directory) (*O, error),
) (out *O, err error) {
	err = s.core.Store.Update(ctx, func(tx *store.Tx) error {
		d, err := open(ctx, tx, r.directoryID)
		if err != nil {
			return err
		}
		out = new(O)
		done, err := s.recall(ctx, tx, d, r, out)
		if err != nil {
			return err
		}
		if !done {
			if out, err = change(tx, d); err != nil {
				return err
			}
		}
		return s.remember(ctx, tx, d, r, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// recall reads what was answered to the same request before; done is false where nothing was.
func (s *Service) recall(ctx context.Context, tx *store.Tx, d *workspaces.Directory, r request, out any) (done bool, err error) {
	if r.token == nil {
		return false, nil
	}
	before, found, err := tx.ClientToken(ctx, d.Scope, d.ID, digest(*r.token), s.core.Clock.Now())
	if err != nil || !found {
		return false, err
	}
	print, err := r.fingerprint()
	if err != nil {
		return false, err
	}
	if before.Request != print {
		return false, workspaces.Errorf(workspaces.CodeInProgress, "The client token was used for another request less than %d hours ago.",
			int(tokenValid.Hours()))
	}
	return true, json.Unmarshal([]byte(before.Answer), out)
}

// remember keeps what is answered to a request, for as long as its token is valid from now on.
func (s *Service) remember(ctx context.Context, tx *store.Tx, d *workspaces.Directory, r request, out any) error {
	if r.token == nil {
		return nil
	}
	print, err := r.fingerprint()
	if err != nil {
		return err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return err
	}
	now := s.core.Clock.Now()
	return tx.PutClientToken(ctx, store.ClientToken{
		Scope: d.Scope, DirectoryID: d.ID, Token: digest(*r.token), Request: print, Answer: string(answer), ExpiresAt: now.Add(tokenValid),
	}, now)
}

// fingerprint tells requests apart without keeping what they say.
func (r request) fingerprint() (string, error) {
	input, err := json.Marshal(r.input)
	return digest(r.operation + "\x00" + string(input)), err
}

// digest also keeps tokens, which may hold any ASCII, out of databases that do not take all
// of it as text.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
