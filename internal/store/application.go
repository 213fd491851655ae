package store

import (
	"context"

	"carrel/internal/workspaces"
)

const associationColumns = "account, region, resource_id, application_id, in_image, state, removing, error_code, error_message, runs, created_at, updated_at"

// AssociationFilter says which associations of applications a query is for. Empty members do not restrict.
type AssociationFilter struct {
	workspaces.Scope
	ResourceID    string
	ApplicationID string
	WorkSpaces    bool // with Images: only those in WorkSpaces, in images or in both; neither: all
	Images        bool
	After         int64 // only those behind this position
	Limit         int   // 0: all
}

// Associations returns a page of the associations that the filter names, in the order in which they were
// first made, and where the next page begins, 0 on the last.
func (t *Tx) Associations(ctx context.Context, f AssociationFilter) (page []*workspaces.Association, next int64, err error) {
	var c condition
	c.scope(f.Scope)
	if f.ResourceID != "" {
		c.and("resource_id = ?", f.ResourceID)
	}
	if f.ApplicationID != "" {
		c.and("application_id = ?", f.ApplicationID)
	}
	if f.WorkSpaces != f.Images {
		c.and("in_image = ?", f.Images)
	}
	c.and("seq > ?", f.After)
	return sequence(ctx, t, scanAssociation, "SELECT seq, "+associationColumns+" FROM application_association", c, f.Limit)
}

// Association returns what is known of an application in a WorkSpace or image; found is false where nothing is.
func (t *Tx) Association(
	ctx context.Context, s workspaces.Scope, resourceID, applicationID string,
) (a *workspaces.Association, found bool, err error) {
	return one(ctx, t, scanAssociation, "SELECT "+associationColumns+" FROM application_association"+
		" WHERE account = $1 AND region = $2 AND resource_id = $3 AND application_id = $4", s.Account, s.Region, resourceID, applicationID)
}

// PutAssociation adds an association, or writes what has become of it.
func (t *Tx) PutAssociation(ctx context.Context, a *workspaces.Association) error {
	return t.exec(ctx, "INSERT INTO application_association ("+associationColumns+", seq) VALUES ("+placeholders(13)+")"+
		" ON CONFLICT (account, region, resource_id, application_id) DO UPDATE SET state = excluded.state, removing = excluded.removing,"+
		" error_code = excluded.error_code, error_message = excluded.error_message, runs = excluded.runs,"+
		" created_at = excluded.created_at, updated_at = excluded.updated_at",
		a.Account, a.Region, a.ResourceID, a.ApplicationID, a.InImage, string(a.State), a.Removing, a.ErrorCode, a.ErrorMessage, a.Runs,
		micros(a.CreatedAt), micros(a.UpdatedAt), t.store.nextSeq())
}

// deleteAssociations forgets what is known of applications in a WorkSpace or image, and the work on them.
func (t *Tx) deleteAssociations(ctx context.Context, s workspaces.Scope, resourceID string) error {
	err := t.exec(ctx, "DELETE FROM application_association WHERE account = $1 AND region = $2 AND resource_id = $3", s.Account, s.Region, resourceID)
	if err != nil {
		return err
	}
	return t.exec(ctx, "DELETE FROM deployment WHERE account = $1 AND region = $2 AND id = $3", s.Account, s.Region, resourceID)
}

func scanAssociation(row scanner) (*workspaces.Association, error) {
	a := new(workspaces.Association)
	var created, updated int64
	err := row.Scan(&a.Account, &a.Region, &a.ResourceID, &a.ApplicationID, &a.InImage, (*string)(&a.State), &a.Removing, &a.ErrorCode, &a.ErrorMessage,
		&a.Runs, &created, &updated)
	a.CreatedAt, a.UpdatedAt = instantOf(created), instantOf(updated)
	return a, err
}

const deploymentColumns = "account, region, id, since, attempts, generation, deadline, wake_at"

// Deployment returns the work on the applications of a WorkSpace; found is false where there has never been any.
func (t *Tx) Deployment(ctx context.Context, s workspaces.Scope, workSpaceID string) (d *workspaces.Deployment, found bool, err error) {
	return one(ctx, t, scanDeployment, "SELECT "+deploymentColumns+" FROM deployment WHERE account = $1 AND region = $2 AND id = $3",
		s.Account, s.Region, workSpaceID)
}

// InsertDeployment adds the work on the applications of a WorkSpace.
func (t *Tx) InsertDeployment(ctx context.Context, d *workspaces.Deployment) error {
	args := deploymentValues(d)
	return t.exec(ctx, "INSERT INTO deployment ("+deploymentColumns+") VALUES ("+placeholders(len(args))+")", args...)
}

// SaveDeployment writes the work if it still has the generation that it had when it was read, and
// reports whether it did.
func (t *Tx) SaveDeployment(ctx context.Context, d *workspaces.Deployment, read int64) (saved bool, err error) {
	n, err := t.execCount(ctx, "UPDATE deployment SET "+assignments(deploymentColumns)+
		" WHERE account = $1 AND region = $2 AND id = $3 AND generation = $9", append(deploymentValues(d), read)...)
	return n == 1, err
}

// hastenDeployment makes the next turn of work on the applications of a WorkSpace due, which has waited
// for it to be AVAILABLE.
func (t *Tx) hastenDeployment(ctx context.Context, w *workspaces.WorkSpace) error {
	return t.exec(ctx, "UPDATE deployment SET wake_at = $1 WHERE account = $2 AND region = $3 AND id = $4",
		micros(w.ChangedAt), w.Account, w.Region, w.ID)
}

func deploymentValues(d *workspaces.Deployment) []any {
	return []any{d.Account, d.Region, d.ID, micros(d.Since), int64(d.Attempts), d.Generation, micros(d.Deadline), micros(d.WakeAt)}
}

func scanDeployment(row scanner) (*workspaces.Deployment, error) {
	d := new(workspaces.Deployment)
	var since, deadline, wake int64
	err := row.Scan(&d.Account, &d.Region, &d.ID, &since, &d.Attempts, &d.Generation, &deadline, &wake)
	d.Since, d.Deadline, d.WakeAt = instantOf(since), instantOf(deadline), instantOf(wake)
	return d, err
}
