package jobtest

import (
	"fmt"
	"slices"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/workspaces"
)

// Create asks for WorkSpaces of the users and returns their ids.
func (w *World) Create(users ...string) []string {
	w.tb.Helper()
	return w.CreateOf(w.API.Bundles[0].ID, users...)
}

// CreateOf is Create with a bundle.
func (w *World) CreateOf(bundle string, users ...string) []string {
	w.tb.Helper()
	in := &wsapi.CreateWorkspacesRequest{}
	for _, user := range users {
		in.Workspaces = append(in.Workspaces, wsapi.WorkspaceRequest{
			DirectoryId: new(DirectoryID), UserName: &user, BundleId: &bundle,
			WorkspaceProperties: &wsapi.WorkspaceProperties{RunningMode: new(workspaces.Manual)},
		})
	}
	out, err := w.API.CreateWorkspaces(w.ctx, in)
	if err != nil {
		w.tb.Fatalf("%v", err)
	}
	for _, failed := range out.FailedRequests {
		w.tb.Fatalf("CreateWorkspaces: %s: %s", *failed.ErrorCode, *failed.ErrorMessage)
	}
	ids := make([]string, len(out.PendingRequests))
	for i, made := range out.PendingRequests {
		ids[i] = *made.WorkspaceId
	}
	return ids
}

// Ask asks for an action on a WorkSpace that exists, and reports whether it was accepted.
func (w *World) Ask(action workspaces.Action, id string) bool {
	w.tb.Helper()
	var failed []wsapi.FailedWorkspaceChangeRequest
	var err error
	switch action {
	case workspaces.ActionStart:
		var out *wsapi.StartWorkspacesResult
		out, err = w.API.StartWorkspaces(w.ctx, &wsapi.StartWorkspacesRequest{StartWorkspaceRequests: []wsapi.StartRequest{{WorkspaceId: &id}}})
		failed = out.FailedRequests
	case workspaces.ActionStop:
		var out *wsapi.StopWorkspacesResult
		out, err = w.API.StopWorkspaces(w.ctx, &wsapi.StopWorkspacesRequest{StopWorkspaceRequests: []wsapi.StopRequest{{WorkspaceId: &id}}})
		failed = out.FailedRequests
	case workspaces.ActionReboot:
		var out *wsapi.RebootWorkspacesResult
		out, err = w.API.RebootWorkspaces(w.ctx, &wsapi.RebootWorkspacesRequest{RebootWorkspaceRequests: []wsapi.RebootRequest{{WorkspaceId: &id}}})
		failed = out.FailedRequests
	case workspaces.ActionTerminate:
		var out *wsapi.TerminateWorkspacesResult
		out, err = w.API.TerminateWorkspaces(w.ctx, &wsapi.TerminateWorkspacesRequest{TerminateWorkspaceRequests: []wsapi.TerminateRequest{{WorkspaceId: &id}}})
		failed = out.FailedRequests
	case workspaces.ActionRebuild:
		var out *wsapi.RebuildWorkspacesResult
		out, err = w.API.RebuildWorkspaces(w.ctx, &wsapi.RebuildWorkspacesRequest{RebuildWorkspaceRequests: []wsapi.RebuildRequest{{WorkspaceId: &id}}})
		failed = out.FailedRequests
	default:
		return w.askAlone(action, id)
	}
	if err != nil {
		w.tb.Fatalf("%s %s: %v", action, id, err)
	}
	return len(failed) == 0
}

// askAlone is Ask for the operations that are for one WorkSpace. Each modification asks for a little more.
func (w *World) askAlone(action workspaces.Action, id string) bool {
	w.tb.Helper()
	var err error
	switch action {
	case workspaces.ActionRestore:
		_, err = w.API.RestoreWorkspace(w.ctx, &wsapi.RestoreWorkspaceRequest{WorkspaceId: &id})
	case workspaces.ActionMigrate:
		has := w.WorkSpace(id).BundleID
		i := slices.IndexFunc(w.API.Bundles, func(b workspaces.Bundle) bool { return b.ID == has })
		bundle := w.API.Bundles[(i+1)%3].ID
		_, err = w.API.MigrateWorkspace(w.ctx, &wsapi.MigrateWorkspaceRequest{SourceWorkspaceId: &id, BundleId: &bundle})
	case workspaces.ActionModify:
		to := "PERFORMANCE"
		if w.WorkSpace(id).Properties.ComputeType == to {
			to = "STANDARD"
		}
		err = w.modify(id, &wsapi.WorkspaceProperties{ComputeTypeName: &to})
	case workspaces.ActionGrow:
		p := w.WorkSpace(id).Properties
		switch {
		case p.UserGiB < 50:
			err = w.modify(id, &wsapi.WorkspaceProperties{UserVolumeSizeGib: new(int32(50))})
		case p.UserGiB < 100:
			err = w.modify(id, &wsapi.WorkspaceProperties{UserVolumeSizeGib: new(int32(100))})
		default:
			err = w.modify(id, &wsapi.WorkspaceProperties{RootVolumeSizeGib: new(int32(max(p.RootGiB+1, 175)))}) //nolint:gosec // it grows by little
		}
	case workspaces.ActionLock, workspaces.ActionUnlock:
		state := string(action.Lookup().Done)
		_, err = w.API.ModifyWorkspaceState(w.ctx, &wsapi.ModifyWorkspaceStateRequest{WorkspaceId: &id, WorkspaceState: &state})
	default:
		err = fmt.Errorf("nobody asks to %s", action)
	}
	if err != nil && workspaces.CodeOf(err) == "" {
		w.tb.Fatalf("%s %s: %v", action, id, err)
	}
	return err == nil
}

func (w *World) modify(id string, p *wsapi.WorkspaceProperties) error {
	_, err := w.API.ModifyWorkspaceProperties(w.ctx, &wsapi.ModifyWorkspacePropertiesRequest{WorkspaceId: &id, WorkspaceProperties: p})
	return err
}
