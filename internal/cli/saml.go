package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"carrel/internal/control"
	"carrel/internal/saml"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func newSAML(s *shared) *cobra.Command {
	cmd := group("saml", "Say which identity provider signs the users of a directory in",
		"  carrel saml set --directory d-926722edaf --metadata idp.xml --address https://desktops.example.com", newSAMLSet(s), newSAMLShow(s), newSAMLRenew(s), newSAMLRemove(s))
	cmd.Long = "Say which SAML 2.0 identity provider signs the users of a directory in. Whether it does is for\n" +
		"aws workspaces modify-saml-properties to say; the service keeps the provider itself in IAM. These commands\n" +
		"work on the database, whether or not a server runs."
	return cmd
}

// shownSAML is a directory's provider as the commands print it.
type shownSAML struct {
	DirectoryID   string                `json:"directory_id"`
	Region        string                `json:"region"`
	Status        string                `json:"status"`
	EntityID      string                `json:"entity_id"` // Carrel's own, which is the audience of assertions
	ConsumerURL   string                `json:"assertion_consumer_service"`
	LogoutURL     string                `json:"single_logout_service"`
	UserAttribute string                `json:"user_attribute,omitempty"`
	Issuer        string                `json:"identity_provider"`
	SignOnURL     string                `json:"sign_on_url,omitempty"`
	Certificates  []control.Certificate `json:"certificates"`
	// Own are Carrel's certificates: that which it signs with, and while it is renewed the next.
	Own []control.Certificate `json:"own_certificates"`
}

func newSAMLSet(s *shared) *cobra.Command {
	var metadata, address, attribute string
	cmd := &cobra.Command{
		Use:   "set",
		Short: "Give a directory its identity provider, from the provider's metadata",
		Long: "Give a directory its identity provider, from the metadata that the provider publishes, and print what the\n" +
			"provider has to be told of Carrel. The subject's NameID has to be the user name in the directory, unless\n" +
			"--user-attribute names an attribute that is. Called again, it replaces what is given and keeps the rest.",
		Example: "  carrel saml set --directory d-926722edaf --metadata idp.xml --address https://desktops.example.com\n" +
			"  carrel saml set --directory d-926722edaf --metadata new-certificate.xml",
		Args: cobra.NoArgs,
	}
	directory, output := s.directoryFlag(cmd), outputFlag(cmd)
	cmd.Flags().StringVar(&metadata, "metadata", "", "file with the identity provider's metadata, in XML")
	cmd.Flags().StringVar(&address, "address", "", "this server's address, as users' browsers know it")
	cmd.Flags().StringVar(&attribute, "user-attribute", "", "the SAML attribute that holds the user name; empty: the NameID does")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		text := ""
		if metadata != "" {
			content, err := os.ReadFile(metadata)
			if err != nil {
				return err
			}
			if text = string(content); strings.TrimSpace(text) == "" {
				return fmt.Errorf("%s is empty", metadata)
			}
			if _, err := saml.ReadMetadata(text); err != nil {
				return fmt.Errorf("%s: %w", metadata, err)
			}
		}
		address, err := plainAddress(address)
		if err != nil {
			return usageError{err}
		}
		change := func(p *workspaces.SAMLProvider) {
			p.Metadata, p.Address = cmp.Or(text, p.Metadata), cmp.Or(address, p.Address)
			if cmd.Flags().Changed("user-attribute") {
				p.UserAttribute = attribute
			}
		}
		return s.withStore(cmd.Context(), func(db *store.Store) error {
			shown, err := s.setSAML(cmd.Context(), db, *directory, change)
			if err != nil {
				return err
			}
			return s.printSAML(*output, shown)
		})
	}
	return cmd
}

// plainAddress is a server's address without what follows the host.
func plainAddress(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	at, err := url.Parse(text)
	if err != nil || at.Scheme != "https" && at.Scheme != "http" || at.Host == "" || strings.Trim(at.Path, "/") != "" || at.RawQuery != "" || at.User != nil {
		return "", fmt.Errorf("--address is like https://desktops.example.com, not %q", text)
	}
	return at.Scheme + "://" + at.Host, nil
}

func (s *shared) setSAML(ctx context.Context, db *store.Store, said string, change func(*workspaces.SAMLProvider)) (shown shownSAML, err error) {
	return shown, db.Update(ctx, func(tx *store.Tx) error {
		d, err := s.registeredDirectory(ctx, tx, said)
		if err != nil {
			return err
		}
		p, found, err := tx.SAMLProvider(ctx, d.Scope, d.ID)
		if err != nil {
			return err
		}
		if !found {
			p = &workspaces.SAMLProvider{Scope: d.Scope, DirectoryID: d.ID, ID: workspaces.NewSAMLProviderID()}
		}
		change(p)
		if p.Metadata == "" || p.Address == "" {
			return usagef("a directory's first identity provider needs --metadata and --address")
		}
		if p.KeyPair == "" {
			if p.KeyPair, err = saml.NewKeyPair(d.ID, s.clock.Now()); err != nil {
				return err
			}
		}
		if shown, err = showSAML(d, p); err != nil {
			return err
		}
		return tx.PutSAMLProvider(ctx, p)
	})
}

// registeredDirectory finds the registration that --directory says, by id or name: or, where
// it says nothing, the only one that there is. Where several fit, those of the region count that other commands work in.
func (s *shared) registeredDirectory(ctx context.Context, tx *store.Tx, said string) (*workspaces.WorkspaceDirectory, error) {
	all, err := tx.EveryWorkspaceDirectory(ctx)
	if err != nil {
		return nil, err
	}
	var fitting []*workspaces.WorkspaceDirectory
	for _, d := range all {
		if said == "" || said == d.ID || strings.EqualFold(said, d.Name) {
			fitting = append(fitting, d)
		}
	}
	region := s.region()
	if near := slices.DeleteFunc(slices.Clone(fitting), func(d *workspaces.WorkspaceDirectory) bool { return d.Region != region }); len(near) > 0 {
		fitting = near
	}
	switch {
	case len(fitting) == 1:
		return fitting[0], nil
	case len(fitting) > 1:
		named := make([]string, len(fitting))
		for i, d := range fitting {
			named[i] = d.ID + " in " + d.Region
		}
		return nil, usagef("there are several directories; say which, by its id, with --directory: %s", strings.Join(named, ", "))
	case said != "":
		return nil, fmt.Errorf("no directory %s is registered with WorkSpaces; carrel directory list shows those that are", said)
	default:
		return nil, fmt.Errorf("no directory is registered with WorkSpaces yet; carrel directory quickstart makes one")
	}
}

// region is the region that commands work in: that of the environment, or of the data folder's server.
func (s *shared) region() string {
	if r, err := s.remote(); err == nil {
		return cmp.Or(s.variable("AWS_REGION"), r.region)
	}
	return cmp.Or(s.variable("AWS_REGION"), s.variable("AWS_DEFAULT_REGION"), s.config.Region)
}

func showSAML(d *workspaces.WorkspaceDirectory, p *workspaces.SAMLProvider) (shownSAML, error) {
	idp, err := saml.ReadMetadata(p.Metadata)
	if err != nil {
		return shownSAML{}, err
	}
	shown := shownSAML{
		DirectoryID: d.ID, Region: d.Region, Status: d.Settings.SAML.Status, EntityID: p.EntityID(), ConsumerURL: p.ConsumerURL(), LogoutURL: p.LogoutURL(),
		Certificates: control.Certificates(idp.Certificates), UserAttribute: p.UserAttribute, Issuer: idp.EntityID, SignOnURL: idp.SignOnURL,
	}
	own, err := saml.OwnCertificates(p)
	shown.Own = control.Certificates(own)
	return shown, err
}

func (s *shared) printSAML(f format, p shownSAML) error {
	if f == formatJSON {
		return printJSON(s.Out, p)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "The users of %s in %s are signed in by %s (status %s).\n", p.DirectoryID, p.Region, p.Issuer, p.Status)
	now := s.clock.Now()
	for _, c := range p.Certificates {
		fmt.Fprintf(&text, "  it signs as %q, %s\n", c.Subject, goodUntil(c, now))
	}
	for i, c := range p.Own {
		fmt.Fprintf(&text, "  Carrel's %s %q, %s\n", []string{"certificate", "next certificate"}[i], c.Subject, goodUntil(c, now))
	}
	if len(p.Own) == 0 {
		fmt.Fprintln(&text, "  Carrel has no certificate yet; the server makes it when it starts")
	}
	fmt.Fprintf(&text, "\nWhat the identity provider is told of Carrel:\n  metadata                    %s\n"+
		"  entity id, audience         %s\n  assertion consumer service  %s\n  single logout service       %s\n",
		p.EntityID, p.EntityID, p.ConsumerURL, p.LogoutURL)
	if p.Status == workspaces.Disabled {
		fmt.Fprintf(&text, "\nSwitched on by:\n  aws workspaces modify-saml-properties --resource-id %s --saml-properties Status=ENABLED,UserAccessUrl=%s\n",
			p.DirectoryID, cmp.Or(p.SignOnURL, "URL"))
	}
	_, err := fmt.Fprint(s.Out, text.String())
	return err
}

// samlProvider finds the provider of the directory that --directory says.
func (s *shared) samlProvider(ctx context.Context, tx *store.Tx, said string) (*workspaces.WorkspaceDirectory, *workspaces.SAMLProvider, error) {
	d, err := s.registeredDirectory(ctx, tx, said)
	if err != nil {
		return nil, nil, err
	}
	p, found, err := tx.SAMLProvider(ctx, d.Scope, d.ID)
	if err == nil && !found {
		err = fmt.Errorf("the directory %s has no identity provider; carrel saml set gives it one", d.ID)
	}
	return d, p, err
}

func newSAMLShow(s *shared) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Show a directory's identity provider, what it is told of Carrel, and until when certificates are good",
		Example: "  carrel saml show\n  carrel saml show --directory d-926722edaf --output json",
		Args:    cobra.NoArgs,
	}
	directory, output := s.directoryFlag(cmd), outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return s.withStore(cmd.Context(), func(db *store.Store) error {
			var shown shownSAML
			err := db.View(func(tx *store.Tx) error {
				d, p, err := s.samlProvider(cmd.Context(), tx, *directory)
				if err != nil {
					return err
				}
				shown, err = showSAML(d, p)
				return err
			})
			if err != nil {
				return err
			}
			return s.printSAML(*output, shown)
		})
	}
	return cmd
}

func newSAMLRemove(s *shared) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "remove",
		Short:   "Take a directory's identity provider away; nobody can sign in by it any more",
		Example: "  carrel saml remove --directory d-926722edaf",
		Args:    cobra.NoArgs,
	}
	directory := s.directoryFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return s.withStore(cmd.Context(), func(db *store.Store) error {
			return db.Update(cmd.Context(), func(tx *store.Tx) error {
				d, err := s.registeredDirectory(cmd.Context(), tx, *directory)
				if err != nil {
					return err
				}
				deleted, err := tx.DeleteSAMLProvider(cmd.Context(), d.Scope, d.ID)
				if err == nil && !deleted {
					err = fmt.Errorf("the directory %s has no identity provider", d.ID)
				}
				return err
			})
		})
	}
	return cmd
}
