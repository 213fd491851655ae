package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// ModifyWorkspaceProperties changes one kind of property of a WorkSpace: running mode, timeout and data replication
// at once, compute type, volumes and protocol by a job. What it has already is no change.
//
// Effect: desktop. Limits and volumes change in the engine; running mode and timeout decide when
// AutoStop stops it, and the mode when its maintenance windows are. The protocol is kept: browsers speak one. DataReplication decides whether its standby WorkSpace
// gets its files.
func (s WorkSpaces) ModifyWorkspaceProperties(
	ctx context.Context, in *wsapi.ModifyWorkspacePropertiesRequest,
) (*wsapi.ModifyWorkspacePropertiesResult, error) {
	out := &wsapi.ModifyWorkspacePropertiesResult{}
	var started []workspaces.Ref
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		started = nil
		w, err := workSpace(ctx, tx, deref(in.WorkspaceId))
		if err != nil {
			return err
		}
		if err := checkModification(in); err != nil {
			return err
		}
		if in.DataReplication != nil {
			return s.setReplication(ctx, tx, w, *in.DataReplication)
		}
		bundle, _, err := s.Bundle(ctx, tx, w.BundleID)
		if err != nil {
			return err
		}
		read := w.Generation
		changed, err := w.Modify(changeOf(in.WorkspaceProperties), bundle, s.Limits, s.Clock.Now())
		if err != nil || !changed {
			return err
		}
		if err := s.checkComputeRoom(ctx, tx, w); err != nil {
			return err
		}
		if _, running := w.Running(); running {
			started = []workspaces.Ref{w.Ref()}
		}
		if _, err := tx.SaveWorkSpace(ctx, w, read); err != nil {
			return err
		}
		if in.WorkspaceProperties.RunningMode != nil { // its maintenance windows are others
			if err := tx.PutOffMaintenance(ctx, w.Scope, w.ID, s.Clock.Now()); err != nil {
				return err
			}
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: started})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindWorkSpace, started...)
	return out, nil
}

// checkModification wants something to be modified that can be.
func checkModification(in *wsapi.ModifyWorkspacePropertiesRequest) error {
	switch {
	case in.DataReplication != nil && in.WorkspaceProperties != nil:
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "DataReplication and WorkspaceProperties cannot be modified together.")
	case in.DataReplication == nil && (in.WorkspaceProperties == nil || changeOf(in.WorkspaceProperties).IsEmpty()):
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "The request has nothing to be modified.")
	}
	return nil
}

// checkComputeRoom applies the quota on the compute type that a WorkSpace is to get.
func (s WorkSpaces) checkComputeRoom(ctx context.Context, tx *store.Tx, w *workspaces.WorkSpace) error {
	wanted := w.Wanted().ComputeType
	quota, has := s.Limits.ByComputeType[wanted]
	if !has || wanted == w.Properties.ComputeType {
		return nil
	}
	n, err := tx.CountLivingWorkSpaces(ctx, w.Scope, wanted)
	if err == nil && n >= quota {
		err = workspaces.Errorf(workspaces.CodeUnavailable, "The account %s can have %d WorkSpaces with the compute type %s in %s and has %d.",
			w.Account, quota, wanted, w.Region, n).About(w.ID)
	}
	return err
}

// changeOf reads the properties of the request.
func changeOf(p *wsapi.WorkspaceProperties) workspaces.Change {
	c := workspaces.Change{
		RunningMode: deref(p.RunningMode), ComputeType: deref(p.ComputeTypeName), RootGiB: int(deref(p.RootVolumeSizeGib)),
		UserGiB: int(deref(p.UserVolumeSizeGib)), Protocols: p.Protocols, OperatingSystem: deref(p.OperatingSystemName),
	}
	if p.RunningModeAutoStopTimeoutInMinutes != nil {
		c.AutoStopMinutes = new(int(*p.RunningModeAutoStopTimeoutInMinutes))
	}
	if g := p.GlobalAccelerator; g != nil {
		c.Accelerator = &workspaces.GlobalAccelerator{Mode: deref(g.Mode), PreferredProtocol: deref(g.PreferredProtocol)}
	}
	return c
}

// ModifyWorkspaceState locks a WorkSpace for the administrator's maintenance, or unlocks it. One that
// is so already stays so.
//
// Effect: portal, stream. In ADMIN_MAINTENANCE the user is cut off and locked out, and the desktop
// runs on. Maintenance windows leave it alone.
func (s WorkSpaces) ModifyWorkspaceState(ctx context.Context, in *wsapi.ModifyWorkspaceStateRequest) (*wsapi.ModifyWorkspaceStateResult, error) {
	return &wsapi.ModifyWorkspaceStateResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		w, err := workSpace(ctx, tx, deref(in.WorkspaceId))
		if err != nil {
			return err
		}
		action := workspaces.ActionUnlock
		if deref(in.WorkspaceState) == wsapi.TargetWorkspaceStateAdminMaintenance {
			action = workspaces.ActionLock
		}
		read := w.Generation
		if action.Lookup().Done == w.State {
			return nil
		}
		if err := w.Begin(action, s.Clock.Now()); err != nil {
			return as(workspaces.CodeInvalidState, err, workspaces.CodeInProgress)
		}
		_, err = tx.SaveWorkSpace(ctx, w, read)
		return err
	})
}
