package operation

import (
	"context"
	"slices"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// DescribeApplications lists the catalogue as the caller's account sees it. Ids that it does not have are
// left out of the reply.
//
// Effect: answer. The catalogue is the administrator's, in the configuration file.
func (s WorkSpaces) DescribeApplications(ctx context.Context, in *wsapi.DescribeApplicationsRequest) (*wsapi.DescribeApplicationsResult, error) {
	about := list(ctx, "DescribeApplications", in.ApplicationIds, in.ComputeTypeNames, in.OperatingSystemNames,
		[]string{deref(in.LicenseType), deref(in.Owner)})
	position, err := PagePosition(in.NextToken, about...)
	if err != nil {
		return nil, err
	}
	var found []*workspaces.Application
	for i := range s.Applications {
		if a := &s.Applications[i]; a.IsFor(Scope(ctx).Account) && asksFor(in, a) {
			found = append(found, a)
		}
	}
	out := &wsapi.DescribeApplicationsResult{Applications: []wsapi.WorkSpaceApplication{}}
	from := min(int(position), len(found))
	to := min(from+PageSize(in.MaxResults), len(found))
	for _, a := range found[from:to] {
		out.Applications = append(out.Applications, wsapi.WorkSpaceApplication{
			ApplicationId: &a.ID, Name: &a.Name, Description: &a.Description, Owner: &a.Owner, LicenseType: &a.LicenseType,
			State: new(a.State()), Created: api.At(a.CreatedAt),
			SupportedComputeTypeNames: a.ComputeTypes, SupportedOperatingSystemNames: a.OperatingSystems,
		})
	}
	if to < len(found) {
		out.NextToken = PageToken(int64(to), about...)
	}
	return out, nil
}

// asksFor reports whether an application is one that the request is for.
func asksFor(in *wsapi.DescribeApplicationsRequest, a *workspaces.Application) bool {
	return (len(in.ApplicationIds) == 0 || slices.Contains(in.ApplicationIds, a.ID)) &&
		(in.LicenseType == nil || *in.LicenseType == a.LicenseType) &&
		(in.Owner == nil || *in.Owner == a.Owner) &&
		(len(in.ComputeTypeNames) == 0 || slices.ContainsFunc(in.ComputeTypeNames, a.RunsOn)) &&
		(len(in.OperatingSystemNames) == 0 || slices.ContainsFunc(in.OperatingSystemNames, a.RunsUnder))
}

// AssociateWorkspaceApplication notes that an application is to be installed in a WorkSpace, by the next
// DeployWorkspaceApplications.
//
// Effect: operations. Nothing happens to the desktop before DeployWorkspaceApplications, as in the
// service.
func (s WorkSpaces) AssociateWorkspaceApplication(
	ctx context.Context, in *wsapi.AssociateWorkspaceApplicationRequest,
) (*wsapi.AssociateWorkspaceApplicationResult, error) {
	var a *workspaces.Association
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		w, err := s.hostOfApplications(ctx, tx, deref(in.WorkspaceId))
		if err != nil {
			return err
		}
		application, err := s.application(ctx, deref(in.ApplicationId))
		if err != nil {
			return err
		}
		others, err := s.applicationsIn(ctx, tx, w)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		var found bool
		if a, found, err = tx.Association(ctx, w.Scope, w.ID, application.ID); err != nil {
			return err
		}
		if found {
			err = a.Associate(now)
		} else {
			a = &workspaces.Association{Scope: w.Scope, ResourceID: w.ID, ApplicationID: application.ID, CreatedAt: now}
			a.Enter(workspaces.PendingInstall, now)
		}
		if err != nil {
			return err
		}
		if err := application.Suits(w, others); err != nil {
			return err
		}
		return tx.PutAssociation(ctx, a)
	})
	if err != nil {
		return nil, err
	}
	return &wsapi.AssociateWorkspaceApplicationResult{Association: new(describeAssociation(a))}, nil
}

// DisassociateWorkspaceApplication notes that an application is to be removed from a WorkSpace, by the next
// DeployWorkspaceApplications. What has not been deployed is out at once.
//
// Effect: operations. Nothing happens to the desktop before DeployWorkspaceApplications, as in the
// service.
func (s WorkSpaces) DisassociateWorkspaceApplication(
	ctx context.Context, in *wsapi.DisassociateWorkspaceApplicationRequest,
) (*wsapi.DisassociateWorkspaceApplicationResult, error) {
	var a *workspaces.Association
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		w, err := s.hostOfApplications(ctx, tx, deref(in.WorkspaceId))
		if err != nil {
			return err
		}
		var found bool
		if a, found, err = tx.Association(ctx, w.Scope, w.ID, deref(in.ApplicationId)); err != nil {
			return err
		}
		if !found {
			return workspaces.Errorf(workspaces.CodeNotFound, "The application %s is not associated with the WorkSpace %s.",
				deref(in.ApplicationId), w.ID).About(deref(in.ApplicationId))
		}
		if err := a.Disassociate(s.Clock.Now()); err != nil {
			return err
		}
		return tx.PutAssociation(ctx, a)
	})
	if err != nil {
		return nil, err
	}
	return &wsapi.DisassociateWorkspaceApplicationResult{Association: new(describeAssociation(a))}, nil
}

// DeployWorkspaceApplications installs and removes what is associated with a WorkSpace and disassociated
// from it; with Force also what failed before. A WorkSpace that does not run gets it when it does.
//
// Effect: desktop. Packages or a script, run as root in the desktop; what came of it is the
// association's State and StateReason.
func (s WorkSpaces) DeployWorkspaceApplications(
	ctx context.Context, in *wsapi.DeployWorkspaceApplicationsRequest,
) (*wsapi.DeployWorkspaceApplicationsResult, error) {
	out := &wsapi.DeployWorkspaceApplicationsResult{Deployment: new(wsapi.WorkSpaceApplicationDeployment)}
	var work workspaces.Ref
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		out.Deployment.Associations = []wsapi.WorkspaceResourceAssociation{}
		w, err := s.hostOfApplications(ctx, tx, deref(in.WorkspaceId))
		if err != nil {
			return err
		}
		all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: w.Scope, ResourceID: w.ID})
		if err != nil {
			return err
		}
		if err := s.checkDeployable(w, all); err != nil {
			return err
		}
		for _, a := range all {
			if !a.Deploy(deref(in.Force), s.Clock.Now()) {
				continue
			}
			if err := tx.PutAssociation(ctx, a); err != nil {
				return err
			}
			out.Deployment.Associations = append(out.Deployment.Associations, describeAssociation(a))
		}
		work, err = s.beginDeployment(ctx, tx, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindDeployment, work)
	return out, nil
}

// beginDeployment asks for the work on a WorkSpace's applications.
func (s WorkSpaces) beginDeployment(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace) (workspaces.Ref, error) {
	d, found, err := tx.Deployment(ctx, w.Scope, w.ID)
	if err != nil {
		return workspaces.Ref{}, err
	}
	if !found {
		d = &workspaces.Deployment{Scope: w.Scope, ID: w.ID}
	}
	read := d.Generation
	d.Ask(s.Clock.Now())
	if found {
		_, err = tx.SaveDeployment(ctx, d, read)
	} else {
		err = tx.InsertDeployment(ctx, d)
	}
	if err != nil {
		return workspaces.Ref{}, err
	}
	return d.Ref(), tx.Enqueue(ctx, store.Work{Resource: workspaces.KindDeployment, Refs: []workspaces.Ref{d.Ref()}})
}

// checkDeployable refuses a deployment beside another one, and one of what has been removed from the
// catalogue or restricted since it was associated.
func (s WorkSpaces) checkDeployable(w *workspaces.WorkSpace, all []*workspaces.Association) error {
	for _, a := range all {
		if a.IsDeployed() {
			return workspaces.Errorf(workspaces.CodeInUse, "The application %s is %s in the WorkSpace %s.", a.ApplicationID, a.State, w.ID).About(w.ID)
		}
	}
	for i, a := range all {
		one, known := s.known(a.ApplicationID)
		for _, other := range all[:i] {
			if two, both := s.known(other.ApplicationID); known && both && a.IsWanted() && other.IsWanted() && !one.GoesWith(two) {
				return workspaces.Errorf(workspaces.CodeIncompatibleApplications, "The applications %s and %s cannot be in one WorkSpace.", one.ID, two.ID)
			}
		}
	}
	return nil
}

// hostOfApplications finds a WorkSpace of which applications can be changed: it has a desktop, and nothing is done to it.
func (WorkSpaces) hostOfApplications(ctx context.Context, tx *store.Tx, id string) (*workspaces.WorkSpace, error) {
	w, found, err := tx.WorkSpace(ctx, Scope(ctx), id)
	if err != nil {
		return nil, err
	}
	if !found || w.IsEnding() {
		return nil, workspaces.Errorf(workspaces.CodeNotFound, "The WorkSpace %s does not exist.", id).About(id)
	}
	if _, running := w.Running(); running {
		return nil, workspaces.Errorf(workspaces.CodeInUse, "The WorkSpace %s is in the state %s.", id, w.State).About(id)
	}
	if w.State == workspaces.Errored {
		return nil, workspaces.Errorf(workspaces.CodeNotSupported, "The WorkSpace %s is in the state %s, and has no desktop.", id, w.State)
	}
	return w, nil
}

// application finds an application of the catalogue that the caller sees.
func (s WorkSpaces) application(ctx context.Context, id string) (*workspaces.Application, error) {
	a, found := s.known(id)
	if !found || !a.IsFor(Scope(ctx).Account) {
		return nil, workspaces.Errorf(workspaces.CodeNotFound, "The application %s does not exist.", id).About(id)
	}
	return a, nil
}

func (c *Core) known(id string) (*workspaces.Application, bool) {
	i := slices.IndexFunc(c.Applications, func(a workspaces.Application) bool { return a.ID == id })
	if i < 0 {
		return nil, false
	}
	return &c.Applications[i], true
}

// applicationsIn returns what is in a WorkSpace or to be, as far as the catalogue has it.
func (s WorkSpaces) applicationsIn(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace) (others []*workspaces.Application, err error) {
	all, _, err := tx.Associations(ctx, store.AssociationFilter{Scope: w.Scope, ResourceID: w.ID})
	for _, a := range all {
		if known, found := s.known(a.ApplicationID); found && a.IsWanted() {
			others = append(others, known)
		}
	}
	return others, err
}
