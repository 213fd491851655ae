package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func newKey(s *shared) *cobra.Command {
	cmd := group("key", "Make, list and delete the access keys that requests are signed with",
		"  carrel key create --account 210987654321", newKeyCreate(s), newKeyList(s), newKeyDelete(s))
	cmd.Long = "Make, list and delete the access keys that requests are signed with. A key acts in one account, and everything\n" +
		"is kept apart by account. These commands work on the database, whether or not a server runs."
	return cmd
}

// withStore runs f on the installation's database.
func (s *shared) withStore(ctx context.Context, f func(*store.Store) error) (err error) {
	url := s.config.Database
	if url == "" {
		url = s.config.Folder().Database()
		// To open a file that is not there would make an empty database that no server uses.
		if _, err := os.Stat(url); errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("there is no database %s; carrel serve makes it, or name another with --data or --database", url)
		}
	}
	db, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return f(db)
}

// createdKey is a key as key create prints it: with its secret, for the only time.
type createdKey struct {
	ID        string    `json:"access_key_id"`
	Secret    string    `json:"secret_access_key"`
	Account   string    `json:"account"`
	CreatedAt time.Time `json:"created_at"`
}

// listedKey is a key as key list prints it.
type listedKey struct {
	ID        string    `json:"access_key_id"`
	Account   string    `json:"account"`
	CreatedAt time.Time `json:"created_at"`
	// Administrator marks the key of the data folder, which carrel's own commands use.
	Administrator bool `json:"administrator"`
}

func newKeyCreate(s *shared) *cobra.Command {
	var account string
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an access key and print it, once",
		Long: "Make an access key and print it with its secret, as a profile for ~/.aws/credentials. The secret is shown\n" +
			"this once. An account exists from its first key on.",
		Example: "  carrel key create >>~/.aws/credentials\n  carrel key create --account 210987654321 --output json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	cmd.Flags().StringVar(&account, "account", "", "the account that the key acts in, 12 digits; default: the administrator's")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if account != "" && !accountPattern.MatchString(account) {
			return usagef("--account has 12 digits, not %q", account)
		}
		return s.withStore(cmd.Context(), func(db *store.Store) error {
			key, err := s.createKey(cmd.Context(), db, account)
			if err != nil {
				return err
			}
			return s.printKey(*output, key)
		})
	}
	return cmd
}

func (s *shared) createKey(ctx context.Context, db *store.Store, account string) (k workspaces.AccessKey, err error) {
	k = workspaces.AccessKey{ID: workspaces.NewAccessKeyID(), Secret: workspaces.NewSecretKey(), Account: account, CreatedAt: s.clock.Now()}
	return k, db.Update(ctx, func(tx *store.Tx) error {
		if account == "" {
			if k.Account, err = s.administratorAccount(ctx, tx); err != nil {
				return err
			}
		}
		return tx.InsertAccessKey(ctx, k)
	})
}

// administratorAccount is the account of the data folder's own key.
func (s *shared) administratorAccount(ctx context.Context, tx *store.Tx) (string, error) {
	id, _, err := s.config.Folder().Key()
	if err != nil {
		return "", fmt.Errorf("name the account with --account, since the administrator's is not known here: %w", err)
	}
	k, found, err := tx.AccessKey(ctx, id)
	if err == nil && !found {
		err = fmt.Errorf("name the account with --account: the database does not know the administrator's key %s", id)
	}
	return k.Account, err
}

func (s *shared) printKey(f format, k workspaces.AccessKey) error {
	if f == formatJSON {
		return printJSON(s.Out, createdKey(k))
	}
	_, err := fmt.Fprintf(s.Out, "# Account %s. Carrel will not show this secret again.\n[carrel-%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		k.Account, k.ID, k.ID, k.Secret)
	return err
}

func newKeyList(s *shared) *cobra.Command {
	var account string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the access keys, without their secrets",
		Example: "  carrel key list\n  carrel key list --account 210987654321 --output json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	cmd.Flags().StringVar(&account, "account", "", "only the keys of this account")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var keys []listedKey
		err := s.withStore(cmd.Context(), func(db *store.Store) error {
			return db.View(func(tx *store.Tx) error {
				found, err := tx.AccessKeys(cmd.Context(), account)
				for _, k := range found {
					keys = append(keys, listedKey{ID: k.ID, Account: k.Account, CreatedAt: k.CreatedAt, Administrator: s.isAdministrator(k.ID)})
				}
				return err
			})
		})
		if err != nil {
			return err
		}
		return printList(s.Out, *output, keys, []string{"KEY", "ACCOUNT", "CREATED", "NOTE"}, func(k listedKey) []string {
			note := ""
			if k.Administrator {
				note = "administrator, in " + s.config.Folder().Credentials()
			}
			return []string{k.ID, k.Account, k.CreatedAt.Local().Format(time.DateTime), note}
		})
	}
	return cmd
}

// isAdministrator reports whether the key is the one in the data folder.
func (s *shared) isAdministrator(id string) bool {
	own, _, err := s.config.Folder().Key()
	return err == nil && own == id
}

func newKeyDelete(s *shared) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "delete KEY...",
		Short: "Delete access keys; requests signed with them are refused from then on",
		Long: "Delete access keys; requests signed with them are refused from then on. What was made with a key stays.\n" +
			"The administrator's own key is deleted only with --force; the next start of the server makes another.",
		Example:           "  carrel key delete AKIAEXAMPLE",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeArgs(s.keyIDs),
		RunE: func(cmd *cobra.Command, ids []string) error {
			if i := slices.IndexFunc(ids, s.isAdministrator); i >= 0 && !force {
				return fmt.Errorf("%s is the administrator's own key, which carrel's commands use; add --force if it is to go", ids[i])
			}
			return s.withStore(cmd.Context(), func(db *store.Store) error { return deleteKeys(cmd.Context(), db, ids) })
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "delete the administrator's own key too")
	return cmd
}

// deleteKeys deletes all of the keys or, on an error, none.
func deleteKeys(ctx context.Context, db *store.Store, ids []string) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		for _, id := range ids {
			deleted, err := tx.DeleteAccessKey(ctx, id)
			if err != nil {
				return err
			}
			if !deleted {
				return fmt.Errorf("there is no key %s; carrel key list shows those that there are", id)
			}
		}
		return nil
	})
}

// keyIDs are the keys that a shell can offer.
func (s *shared) keyIDs(ctx context.Context) (ids []string, err error) {
	err = s.withStore(ctx, func(db *store.Store) error {
		return db.View(func(tx *store.Tx) error {
			keys, err := tx.AccessKeys(ctx, "")
			for _, k := range keys {
				ids = append(ids, cobra.CompletionWithDesc(k.ID, k.Account))
			}
			return err
		})
	})
	return ids, err
}
