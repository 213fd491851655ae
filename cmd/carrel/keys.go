package main

import (
	"context"
	"sync"
	"time"

	"carrel/internal/awsjson"
	"carrel/internal/store"
)

// keysFor is how long a key is remembered: the longest that a key which carrel key delete
// has taken away still signs requests.
const keysFor = time.Second

// authenticator decides whose requests are answered.
func (s *server) authenticator() awsjson.Authenticator {
	if s.config.Auth == "any" {
		return awsjson.AnyKey{DefaultAccount: s.config.Account}
	}
	return awsjson.NewSigV4(&keys{store: s.store}, time.Now)
}

// keys finds access keys in the store, and remembers the last of them for a moment: a
// client asks again and again with the same one.
type keys struct {
	store *store.Store

	mu    sync.Mutex
	id    string
	key   awsjson.Key
	until time.Time
}

// Key returns the key with the id.
func (k *keys) Key(ctx context.Context, id string) (awsjson.Key, error) {
	if key, ok := k.remembered(id); ok {
		return key, nil
	}
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
	if err == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.id, k.key, k.until = id, key, time.Now().Add(keysFor)
	}
	return key, err
}

func (k *keys) remembered(id string) (awsjson.Key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.key, k.id == id && time.Now().Before(k.until)
}
