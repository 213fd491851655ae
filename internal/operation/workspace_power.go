package operation

import (
	"context"
	"errors"
	"slices"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// StartWorkspaces starts stopped WorkSpaces that do not always run.
//
// Effect: desktop. The machine is started.
func (s WorkSpaces) StartWorkspaces(ctx context.Context, in *wsapi.StartWorkspacesRequest) (*wsapi.StartWorkspacesResult, error) {
	ids := make([]string, len(in.StartWorkspaceRequests))
	for i, r := range in.StartWorkspaceRequests {
		ids[i] = deref(r.WorkspaceId)
	}
	failed, err := s.change(ctx, workspaces.ActionStart, ids, nil)
	return &wsapi.StartWorkspacesResult{FailedRequests: failed}, err
}

// StopWorkspaces stops WorkSpaces that do not always run. What users have open in them is closed.
//
// Effect: desktop, stream. The machine is stopped.
func (s WorkSpaces) StopWorkspaces(ctx context.Context, in *wsapi.StopWorkspacesRequest) (*wsapi.StopWorkspacesResult, error) {
	ids := make([]string, len(in.StopWorkspaceRequests))
	for i, r := range in.StopWorkspaceRequests {
		ids[i] = deref(r.WorkspaceId)
	}
	failed, err := s.change(ctx, workspaces.ActionStop, ids, nil)
	return &wsapi.StopWorkspacesResult{FailedRequests: failed}, err
}

// RebootWorkspaces reboots WorkSpaces that are available or unhealthy.
//
// Effect: desktop, stream. The machine is stopped and started.
func (s WorkSpaces) RebootWorkspaces(ctx context.Context, in *wsapi.RebootWorkspacesRequest) (*wsapi.RebootWorkspacesResult, error) {
	ids := make([]string, len(in.RebootWorkspaceRequests))
	for i, r := range in.RebootWorkspaceRequests {
		ids[i] = deref(r.WorkspaceId)
	}
	failed, err := s.change(ctx, workspaces.ActionReboot, ids, nil)
	return &wsapi.RebootWorkspacesResult{FailedRequests: failed}, err
}

// TerminateWorkspaces removes WorkSpaces for ever, with both volumes, in any state but
// SUSPENDED. For one that is being terminated already it succeeds and changes nothing.
//
// Effect: desktop, network. The machine, its volumes and snapshots are removed, and its address is
// free.
func (s WorkSpaces) TerminateWorkspaces(ctx context.Context, in *wsapi.TerminateWorkspacesRequest) (*wsapi.TerminateWorkspacesResult, error) {
	ids := make([]string, len(in.TerminateWorkspaceRequests))
	for i, r := range in.TerminateWorkspaceRequests {
		ids[i] = deref(r.WorkspaceId)
	}
	failed, err := s.change(ctx, workspaces.ActionTerminate, ids, nil)
	return &wsapi.TerminateWorkspacesResult{FailedRequests: failed}, err
}

// preparation looks up and writes into a WorkSpace what an action that has begun on it needs, or
// says why it cannot begin after all.
type preparation func(tx *store.Tx, w *workspaces.WorkSpace) error

// change begins an action on each WorkSpace that allows it, in one transaction with the
// job, and returns why the others do not.
func (s WorkSpaces) change(
	ctx context.Context, a workspaces.Action, ids []string, prepare preparation,
) ([]wsapi.FailedWorkspaceChangeRequest, error) {
	var failed []wsapi.FailedWorkspaceChangeRequest
	var refs []workspaces.Ref
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		failed, refs = []wsapi.FailedWorkspaceChangeRequest{}, nil
		for i, id := range ids {
			if id != "" && slices.Contains(ids[:i], id) {
				continue // named twice, done once
			}
			ref, err := s.begin(ctx, tx, a, id, prepare)
			if refusal, ok := refusalOf(a, err); ok {
				failed = append(failed, wsapi.FailedWorkspaceChangeRequest{
					WorkspaceId: some(id), ErrorCode: &refusal.Code, ErrorMessage: &refusal.Message,
				})
				continue
			}
			if err != nil {
				return err
			}
			if ref != nil {
				refs = append(refs, *ref)
			}
		}
		return tx.Enqueue(ctx, store.Work{Resource: workspaces.KindWorkSpace, Refs: refs})
	})
	if err != nil {
		return nil, err
	}
	Started(ctx, workspaces.KindWorkSpace, refs...)
	return failed, nil
}

// begin begins an action on one WorkSpace; a nil ref means that nothing is to be done.
func (s WorkSpaces) begin(ctx context.Context, tx *store.Tx, a workspaces.Action, id string, prepare preparation) (*workspaces.Ref, error) {
	if id == "" {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "The request names no WorkspaceId.")
	}
	w, err := workSpace(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if a == workspaces.ActionTerminate && w.IsEnding() {
		return nil, nil
	}
	if a == workspaces.ActionStart || a == workspaces.ActionStop {
		if err := w.CanBePowered(); err != nil {
			return nil, err
		}
	}
	read, migrating := w.Generation, w.Migrating
	if err := w.Begin(a, s.Clock.Now()); err != nil {
		return nil, err
	}
	if prepare != nil {
		if err := prepare(tx, w); err != nil {
			return nil, err
		}
	}
	if migrating != "" { // terminated: the other WorkSpace of the migration finds out at its next turn
		if err := s.wake(ctx, tx, migrating); err != nil {
			return nil, err
		}
	}
	if saved, err := tx.SaveWorkSpace(ctx, w, read); err != nil || !saved {
		return nil, err
	}
	return new(w.Ref()), nil
}

// workSpace returns the WorkSpace with the id, or the refusal of one that does not exist.
func workSpace(ctx context.Context, tx *store.Tx, id string) (*workspaces.WorkSpace, error) {
	w, found, err := tx.WorkSpace(ctx, Scope(ctx), id)
	if err == nil && !found {
		err = workspaces.Errorf(workspaces.CodeNotFound, "WorkSpace %s could not be found.", id).About(id)
	}
	return w, err
}

// wake has the next turn of work on a WorkSpace come now.
func (s WorkSpaces) wake(ctx context.Context, tx *store.Tx, id string) error {
	w, found, err := tx.WorkSpace(ctx, Scope(ctx), id)
	if err != nil || !found || w.WakeAt.IsZero() {
		return err
	}
	return tx.PutOff(ctx, workspaces.KindWorkSpace, w.Ref(), s.Clock.Now())
}

// refusalOf is what an item of a batch shows for an error that its client is told about.
func refusalOf(a workspaces.Action, err error) (*workspaces.Refusal, bool) {
	if refusal, ok := errors.AsType[*workspaces.Refusal](err); ok {
		return refusal, true
	}
	if e, ok := errors.AsType[*workspaces.Error](err); ok {
		return &workspaces.Refusal{Code: itemCode(a, e), Message: e.Message}, true
	}
	return nil, false
}

// itemCode is the ErrorCode of an item for a domain error. The one for an unknown id that is
// to be terminated is what others have seen of the service; the rest follows its way of
// naming (spec, section B).
func itemCode(a workspaces.Action, e *workspaces.Error) string {
	switch {
	case e.Code == workspaces.CodeNotFound && a == workspaces.ActionTerminate:
		return "400"
	case e.Code == workspaces.CodeNotFound:
		return "ResourceNotFound.Workspace"
	case e.Code == workspaces.CodeInvalidState:
		return "InvalidResourceState.Workspace"
	case e.Code == workspaces.CodeNotSupported:
		return "OperationNotSupported.Workspace"
	case e.Code == workspaces.CodeInProgress:
		return "OperationInProgress.Workspace"
	case e.Code == workspaces.CodeInvalidParameter:
		return "InvalidParameterValues.WorkspaceId"
	default:
		return string(e.Code)
	}
}
