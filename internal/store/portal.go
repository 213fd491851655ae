package store

import (
	"context"
	"time"

	"carrel/internal/workspaces"
)

// PortalSession is a person signed in to the portal with one browser.
type PortalSession struct {
	workspaces.Scope
	ID               string // a hash of what the browser holds
	DirectoryID      string
	RegistrationCode string                 // of the registration that it was made under
	UserName         string                 // as in the directory
	Credential       string                 // a hash of what they signed in with: it is another once they have a new password
	Staying          bool                   // kept when the browser is closed
	BySAML           bool                   // they came with an identity provider's word
	Subject          workspaces.SAMLSubject // whom that calls so
	CreatedAt        time.Time
	ExpiresAt        time.Time
}

const portalSessionColumns = "id, account, region, directory_id, registration_code, user_name, credential, staying, created_at, expires_at, by_saml, " + samlSubjectColumns

// PortalSession returns the session with the id; found is false where there is none, also
// one that has expired.
func (t *Tx) PortalSession(ctx context.Context, id string, now time.Time) (s PortalSession, found bool, err error) {
	scan := func(row scanner) (s PortalSession, err error) {
		var created, expires int64
		err = row.Scan(append([]any{
			&s.ID, &s.Account, &s.Region, &s.DirectoryID, &s.RegistrationCode, &s.UserName, &s.Credential, &s.Staying,
			&created, &expires, &s.BySAML,
		}, samlSubjectFields(&s.Subject)...)...)
		s.CreatedAt, s.ExpiresAt = instantOf(created), instantOf(expires)
		return s, err
	}
	return one(ctx, t, scan, "SELECT "+portalSessionColumns+" FROM portal_session WHERE id = $1 AND expires_at > $2", id, micros(now))
}

// InsertPortalSession adds a session and forgets those that have expired.
func (t *Tx) InsertPortalSession(ctx context.Context, s PortalSession, now time.Time) error {
	if err := t.exec(ctx, "DELETE FROM portal_session WHERE expires_at <= $1", micros(now)); err != nil {
		return err
	}
	return t.exec(ctx, "INSERT INTO portal_session ("+portalSessionColumns+") VALUES ("+placeholders(16)+")",
		append([]any{
			s.ID, s.Account, s.Region, s.DirectoryID, s.RegistrationCode, s.UserName, s.Credential, s.Staying, micros(s.CreatedAt),
			micros(s.ExpiresAt), s.BySAML,
		}, samlSubjectValues(s.Subject)...)...)
}

// DeletePortalSession ends a session; its tickets open nothing any more. It succeeds where there is none.
func (t *Tx) DeletePortalSession(ctx context.Context, id string) error {
	if err := t.exec(ctx, "DELETE FROM portal_ticket WHERE session_id = $1", id); err != nil {
		return err
	}
	return t.exec(ctx, "DELETE FROM portal_session WHERE id = $1", id)
}

// PortalTicket is the right to open one connection to a desktop, soon and from the same place.
type PortalTicket struct {
	workspaces.Scope
	ID        string // a hash of what the browser was told
	SessionID string
	WorkSpace string
	Address   string // the client's
	Share     bool   // beside other connections to the desktop, not in their place
	ExpiresAt time.Time
}

const portalTicketColumns = "id, session_id, account, region, workspace_id, address, share, expires_at"

// InsertPortalTicket adds a ticket and forgets those that have expired.
func (t *Tx) InsertPortalTicket(ctx context.Context, p PortalTicket, now time.Time) error {
	if err := t.exec(ctx, "DELETE FROM portal_ticket WHERE expires_at <= $1", micros(now)); err != nil {
		return err
	}
	return t.exec(ctx, "INSERT INTO portal_ticket ("+portalTicketColumns+") VALUES ("+placeholders(8)+")",
		p.ID, p.SessionID, p.Account, p.Region, p.WorkSpace, p.Address, p.Share, micros(p.ExpiresAt))
}

// TakePortalTicket returns the ticket with the id and forgets it, so that of several who come
// with it only one gets it; found is false for the others, and where it has expired.
func (t *Tx) TakePortalTicket(ctx context.Context, id string, now time.Time) (p PortalTicket, found bool, err error) {
	scan := func(row scanner) (p PortalTicket, err error) {
		var expires int64
		err = row.Scan(&p.ID, &p.SessionID, &p.Account, &p.Region, &p.WorkSpace, &p.Address, &p.Share, &expires)
		p.ExpiresAt = instantOf(expires)
		return p, err
	}
	p, found, err = one(ctx, t, scan, "DELETE FROM portal_ticket WHERE id = $1 RETURNING "+portalTicketColumns, id)
	return p, found && p.ExpiresAt.After(now), err
}

// WorkspaceDirectoryByCode returns the registration with a registration code, in whatever scope.
func (t *Tx) WorkspaceDirectoryByCode(ctx context.Context, code string) (d *workspaces.WorkspaceDirectory, found bool, err error) {
	return one(ctx, t, scanWorkspaceDirectory, "SELECT "+workspaceDirectoryColumns+" FROM workspace_directory WHERE registration_code = $1", code)
}
