package main

import (
	"context"
	"time"

	"carrel/internal/awsjson"
	"carrel/internal/store"
)

// authenticator decides whose requests are answered.
func (s *server) authenticator() awsjson.Authenticator {
	if s.config.Auth == "any" {
		return awsjson.AnyKey{DefaultAccount: s.config.Account}
	}
	return awsjson.NewSigV4(keys{s.store}, time.Now)
}

// keys finds access keys in the store.
type keys struct{ store *store.Store }

// Key returns the key with the id.
func (k keys) Key(ctx context.Context, id string) (awsjson.Key, error) {
	var key awsjson.Key
	err := k.store.View(func(tx *store.Tx) error {
		found, ok, err := tx.AccessKey(ctx, id)
		if err == nil && !ok {
			err = awsjson.ErrUnknownKey
		}
		key = awsjson.Key{
			Secret: found.Secret, Account: found.Account, UserARN: "arn:aws:iam::" + found.Account + ":user/carrel", UserID: found.ID,
		}
		return err
	})
	return key, err
}
