package store

import (
	"context"
)

// Setting returns a named value of the installation, "" where there is none.
func (t *Tx) Setting(ctx context.Context, name string) (string, error) {
	value, _, err := one(ctx, t, func(row scanner) (v string, err error) { return v, row.Scan(&v) },
		"SELECT value FROM setting WHERE name = $1", name)
	return value, err
}

// PutSetting sets a named value of the installation.
func (t *Tx) PutSetting(ctx context.Context, name, value string) error {
	return t.exec(ctx, "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		name, value)
}

// tablesOfClients are the tables that hold what clients made, in no particular order: what
// a reset empties. Keys, subnets and settings belong to the installation and stay.
func tablesOfClients() []string {
	return []string{
		"workspace", "workspace_directory", "directory_user", "client_token", "directory", "tag", "ip_group", "ip_group_association",
		"client_branding", "client_logo", "client_add_in", "connection",
		"connection_alias", "connection_string",
		"account", "account_modification", "account_link",
		"directory_alias", "trust",
		"image", "image_permission", "bundle",
		"saml_provider", "saml_assertion", "saml_arrival",
		"portal_session", "portal_ticket", "snapshot", "application_association", "deployment", "pool", "pool_desktop",
		"standby", "region_down",
		"stay", "happening", "pool_stay", "pool_refusal",
		"pool_session", "pool_settings",
	}
}

// Reset forgets everything that clients made, in all accounts and regions.
func (t *Tx) Reset(ctx context.Context) error {
	t.touchedAll = true
	for _, table := range tablesOfClients() {
		if err := t.exec(ctx, "DELETE FROM "+table); err != nil {
			return err
		}
	}
	return nil
}
