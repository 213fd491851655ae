package store

import (
	"context"

	"carrel/internal/workspaces"
)

// ClientBrandings returns the branding of a directory by platform, with the names of its
// logos and without the pictures.
func (t *Tx) ClientBrandings(ctx context.Context, s workspaces.Scope, directoryID string) (map[workspaces.Platform]*workspaces.ClientBranding, error) {
	all := make(map[workspaces.Platform]*workspaces.ClientBranding)
	err := t.each(ctx, func(row scanner) error {
		b := &workspaces.ClientBranding{Scope: s, DirectoryID: directoryID}
		err := row.Scan((*string)(&b.Platform), &b.SupportEmail, &b.SupportLink, &b.ForgotPasswordLink, document{&b.LoginMessages})
		all[b.Platform] = b
		return err
	}, "SELECT platform, support_email, support_link, forgot_password_link, login_messages FROM client_branding"+
		" WHERE account = $1 AND region = $2 AND directory_id = $3", s.Account, s.Region, directoryID)
	if err != nil || len(all) == 0 {
		return all, err
	}
	return all, t.each(ctx, func(row scanner) error {
		var platform workspaces.Platform
		var logo workspaces.Logo
		err := row.Scan((*string)(&platform), &logo.Size, &logo.Hash)
		if b, found := all[platform]; found {
			b.Logos = append(b.Logos, logo)
		}
		return err
	}, "SELECT platform, size, hash FROM client_logo WHERE account = $1 AND region = $2 AND directory_id = $3 ORDER BY size",
		s.Account, s.Region, directoryID)
}

// PutClientBranding sets the branding of a platform, in place of what it had.
func (t *Tx) PutClientBranding(ctx context.Context, b *workspaces.ClientBranding) error {
	if err := t.DeleteClientBranding(ctx, b.Scope, b.DirectoryID, b.Platform); err != nil {
		return err
	}
	messages, err := document{b.LoginMessages}.text()
	if err != nil {
		return err
	}
	err = t.exec(ctx, "INSERT INTO client_branding (account, region, directory_id, platform, support_email, support_link, forgot_password_link,"+
		" login_messages) VALUES ("+placeholders(8)+")",
		b.Account, b.Region, b.DirectoryID, string(b.Platform), b.SupportEmail, b.SupportLink, b.ForgotPasswordLink, messages)
	for _, logo := range b.Logos {
		if err != nil {
			break
		}
		err = t.exec(ctx, "INSERT INTO client_logo (account, region, directory_id, platform, size, hash, png) VALUES ("+placeholders(7)+")",
			b.Account, b.Region, b.DirectoryID, string(b.Platform), logo.Size, logo.Hash, logo.PNG)
	}
	return err
}

// DeleteClientBranding forgets the branding of a platform, if it has any.
func (t *Tx) DeleteClientBranding(ctx context.Context, s workspaces.Scope, directoryID string, platform workspaces.Platform) error {
	for _, table := range []string{"client_branding", "client_logo"} {
		err := t.exec(ctx, "DELETE FROM "+table+" WHERE account = $1 AND region = $2 AND directory_id = $3 AND platform = $4",
			s.Account, s.Region, directoryID, string(platform))
		if err != nil {
			return err
		}
	}
	return nil
}

// ClientLogo returns a picture of a directory's branding by its hash; found is false where there is
// none. Whoever asks knows no account: logos are for everybody to see, and a directory's id is random.
func (t *Tx) ClientLogo(ctx context.Context, directoryID string, platform workspaces.Platform, hash string) (png []byte, found bool, err error) {
	return one(ctx, t, func(row scanner) (content []byte, err error) {
		err = row.Scan(&content)
		return content, err
	}, "SELECT png FROM client_logo WHERE directory_id = $1 AND hash = $2 AND platform = $3 LIMIT 1", directoryID, hash, string(platform))
}
