package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"carrel/internal/saml"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func newSAMLRenew(s *shared) *cobra.Command {
	var finish bool
	cmd := &cobra.Command{
		Use:   "renew",
		Short: "Give Carrel another key and certificate, in two steps",
		Long: "Give Carrel another key and certificate for a directory's identity provider, in two steps, so that signing in\n" +
			"and out goes on meanwhile. The first publishes the next certificate in Carrel's metadata beside that which signs;\n" +
			"either decrypts from then on. Have the identity provider read the metadata again. Then --finish has the next sign,\n" +
			"and forgets the one before.",
		Example: "  carrel saml renew --directory d-926722edaf\n  carrel saml renew --directory d-926722edaf --finish",
		Args:    cobra.NoArgs,
	}
	directory, output := s.directoryFlag(cmd), outputFlag(cmd)
	cmd.Flags().BoolVar(&finish, "finish", false, "the identity provider knows the next certificate: sign with it, and forget the one before")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return s.withStore(cmd.Context(), func(db *store.Store) error {
			var shown shownSAML
			err := db.Update(cmd.Context(), func(tx *store.Tx) error {
				d, p, err := s.samlProvider(cmd.Context(), tx, *directory)
				if err == nil {
					err = s.renew(p, finish)
				}
				if err != nil {
					return err
				}
				if shown, err = showSAML(d, p); err != nil {
					return err
				}
				return tx.PutSAMLProvider(cmd.Context(), p)
			})
			if err != nil {
				return err
			}
			if err := s.printSAML(*output, shown); err != nil || *output == formatJSON || finish {
				return err
			}
			_, err = fmt.Fprintf(s.Out, "\nHave the identity provider read that metadata again, then:\n  carrel saml renew --directory %s --finish\n", shown.DirectoryID)
			return err
		})
	}
	return cmd
}

// renew takes one of the two steps.
func (s *shared) renew(p *workspaces.SAMLProvider, finish bool) (err error) {
	switch {
	case finish && p.NextKeyPair == "":
		return fmt.Errorf("no certificate of the directory %s is being renewed; carrel saml renew begins it", p.DirectoryID)
	case finish:
		p.KeyPair, p.NextKeyPair = p.NextKeyPair, ""
		return nil
	case p.NextKeyPair != "":
		return fmt.Errorf("the certificate of the directory %s is being renewed already; once the identity provider has read the metadata "+
			"%s again, --finish ends that", p.DirectoryID, p.EntityID())
	}
	p.NextKeyPair, err = saml.NewKeyPair(p.DirectoryID, s.clock.Now())
	return err
}
