package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

const samlProviderColumns = "account, region, directory_id, id, address, metadata, user_attribute, key_pair, next_key_pair"

func scanSAMLProvider(row scanner) (*workspaces.SAMLProvider, error) {
	p := new(workspaces.SAMLProvider)
	return p, row.Scan(&p.Account, &p.Region, &p.DirectoryID, &p.ID, &p.Address, &p.Metadata, &p.UserAttribute, &p.KeyPair, &p.NextKeyPair)
}

// SAMLProvider returns the provider of a directory; found is false where it has none.
func (t *Tx) SAMLProvider(ctx context.Context, s workspaces.Scope, directoryID string) (p *workspaces.SAMLProvider, found bool, err error) {
	return one(ctx, t, scanSAMLProvider, "SELECT "+samlProviderColumns+
		" FROM saml_provider WHERE account = $1 AND region = $2 AND directory_id = $3", s.Account, s.Region, directoryID)
}

// SAMLProviderByID returns the provider with the id, in whatever scope.
func (t *Tx) SAMLProviderByID(ctx context.Context, id string) (p *workspaces.SAMLProvider, found bool, err error) {
	return one(ctx, t, scanSAMLProvider, "SELECT "+samlProviderColumns+" FROM saml_provider WHERE id = $1", id)
}

// EverySAMLProvider returns the providers of all directories of all accounts and regions.
func (t *Tx) EverySAMLProvider(ctx context.Context) ([]*workspaces.SAMLProvider, error) {
	return list(ctx, t, scanSAMLProvider, "SELECT "+samlProviderColumns+" FROM saml_provider ORDER BY account, region, directory_id")
}

// PutSAMLProvider gives a directory its provider, in place of the one that it had.
func (t *Tx) PutSAMLProvider(ctx context.Context, p *workspaces.SAMLProvider) error {
	return t.exec(ctx, "INSERT INTO saml_provider ("+samlProviderColumns+") VALUES ("+placeholders(9)+
		") ON CONFLICT (account, region, directory_id) DO UPDATE SET id = excluded.id, address = excluded.address, "+
		"metadata = excluded.metadata, user_attribute = excluded.user_attribute, key_pair = excluded.key_pair, next_key_pair = excluded.next_key_pair",
		p.Account, p.Region, p.DirectoryID, p.ID, p.Address, p.Metadata, p.UserAttribute, p.KeyPair, p.NextKeyPair)
}

// DeleteSAMLProvider takes a directory's provider away, and reports whether there was one.
func (t *Tx) DeleteSAMLProvider(ctx context.Context, s workspaces.Scope, directoryID string) (deleted bool, err error) {
	n, err := t.execCount(ctx, "DELETE FROM saml_provider WHERE account = $1 AND region = $2 AND directory_id = $3", s.Account, s.Region, directoryID)
	return n == 1, err
}

// UseSAMLAssertion notes that the assertion with the id was taken, and reports false where it had
// been before. It is forgotten once it has expired.
func (t *Tx) UseSAMLAssertion(ctx context.Context, id string, expires, now time.Time) (first bool, err error) {
	if err := t.exec(ctx, "DELETE FROM saml_assertion WHERE expires_at < $1", micros(now)); err != nil {
		return false, err
	}
	n, err := t.execCount(ctx, "INSERT INTO saml_assertion (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", id, micros(expires))
	return n == 1, err
}

// SAMLArrival is somebody who has come with an assertion, on the way to a session.
type SAMLArrival struct {
	workspaces.Scope
	ID          string // a hash of what the browser was told
	DirectoryID string
	State       string // a hash of the relay state that the assertion answers; "": it answers none
	UserName    string // as the identity provider calls the user
	Email       string // likewise; "": it does not say
	SID         string // likewise
	Subject     workspaces.SAMLSubject
	SessionEnds time.Time // zero: it sets no end
	ExpiresAt   time.Time
}

const samlArrivalColumns = "id, account, region, directory_id, state, user_name, email, sid, session_ends, expires_at, " + samlSubjectColumns

// InsertSAMLArrival adds an arrival and forgets those that have expired.
func (t *Tx) InsertSAMLArrival(ctx context.Context, a SAMLArrival, now time.Time) error {
	if err := t.exec(ctx, "DELETE FROM saml_arrival WHERE expires_at <= $1", micros(now)); err != nil {
		return err
	}
	return t.exec(ctx, "INSERT INTO saml_arrival ("+samlArrivalColumns+") VALUES ("+placeholders(15)+")",
		append([]any{a.ID, a.Account, a.Region, a.DirectoryID, a.State, a.UserName, a.Email, a.SID, micros(a.SessionEnds), micros(a.ExpiresAt)},
			samlSubjectValues(a.Subject)...)...)
}

// TakeSAMLArrival returns the arrival with the id and forgets it; found is false where there is
// none, or it has expired.
func (t *Tx) TakeSAMLArrival(ctx context.Context, id string, now time.Time) (a SAMLArrival, found bool, err error) {
	scan := func(row scanner) (a SAMLArrival, err error) {
		var ends, expires int64
		err = row.Scan(append([]any{&a.ID, &a.Account, &a.Region, &a.DirectoryID, &a.State, &a.UserName, &a.Email, &a.SID, &ends, &expires},
			samlSubjectFields(&a.Subject)...)...)
		a.SessionEnds, a.ExpiresAt = instantOf(ends), instantOf(expires)
		return a, err
	}
	a, found, err = one(ctx, t, scan, "DELETE FROM saml_arrival WHERE id = $1 RETURNING "+samlArrivalColumns, id)
	return a, found && a.ExpiresAt.After(now), err
}

const samlSubjectColumns = "name_id, name_format, name_qualifier, sp_name_qualifier, session_index"

func samlSubjectValues(s workspaces.SAMLSubject) []any {
	return []any{s.NameID, s.Format, s.NameQualifier, s.SPNameQualifier, s.SessionIndex}
}

func samlSubjectFields(s *workspaces.SAMLSubject) []any {
	return []any{&s.NameID, &s.Format, &s.NameQualifier, &s.SPNameQualifier, &s.SessionIndex}
}

// DeleteSAMLSessions ends the sessions of somebody whom the provider has signed in, and their arrivals: those that it
// calls by one of the indexes, and those that it has called by none; without indexes, all. It returns how many sessions ended.
func (t *Tx) DeleteSAMLSessions(ctx context.Context, p *workspaces.SAMLProvider, nameID string, indexes ...string) (ended int64, err error) {
	var c condition
	c.scope(p.Scope)
	c.and("directory_id = ? AND name_id = ?", p.DirectoryID, nameID)
	if len(indexes) > 0 {
		c.in("session_index", append(indexes, ""))
	}
	for _, from := range []string{
		"portal_ticket WHERE session_id IN (SELECT id FROM portal_session" + c.where() + ")", "saml_arrival" + c.where(), "portal_session" + c.where(),
	} {
		if ended, err = t.execCount(ctx, "DELETE FROM "+from, c.args...); err != nil {
			return 0, err
		}
	}
	return ended, nil
}
