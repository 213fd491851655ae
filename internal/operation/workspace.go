package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// DescribeWorkspaces lists WorkSpaces, all of them or by exactly one of id, directory (and
// user), bundle or name. Ids that do not exist are left out of the reply.
//
// Effect: answer. Read from the store, where the jobs write what the engine said.
func (s WorkSpaces) DescribeWorkspaces(ctx context.Context, in *wsapi.DescribeWorkspacesRequest) (*wsapi.DescribeWorkspacesResult, error) {
	filter, err := workSpaceFilter(ctx, in)
	if err != nil {
		return nil, err
	}
	about := list(ctx, "DescribeWorkspaces", []string{filter.DirectoryID, filter.UserName, filter.BundleID, filter.Name}, filter.IDs)
	if filter.After, err = PagePosition(in.NextToken, about...); err != nil {
		return nil, err
	}
	out := new(wsapi.DescribeWorkspacesResult)
	return out, s.Store.View(func(tx *store.Tx) error {
		page, err := tx.WorkSpaces(ctx, filter)
		if err != nil {
			return err
		}
		out.Workspaces, out.NextToken = make([]wsapi.Workspace, len(page.WorkSpaces)), PageToken(page.Next, about...)
		for i, w := range page.WorkSpaces {
			out.Workspaces[i] = describeWorkSpace(w)
		}
		return describeStandbys(ctx, tx, filter.Scope, out.Workspaces)
	})
}

// workSpaceFilter reads the filter of a request. The wordings are the service's own.
func workSpaceFilter(ctx context.Context, in *wsapi.DescribeWorkspacesRequest) (store.WorkSpaceFilter, error) {
	filter := store.WorkSpaceFilter{Scope: Scope(ctx), IDs: in.WorkspaceIds, Limit: PageSize(in.Limit)}
	given := 0
	for _, present := range []bool{len(in.WorkspaceIds) > 0, in.DirectoryId != nil, in.BundleId != nil, in.WorkspaceName != nil} {
		if present {
			given++
		}
	}
	if given > 1 {
		return filter, workspaces.Errorf(workspaces.CodeInvalidParameter, "An invalid number of parameters provided with "+
			"DescribeWorkspaces. Only one of the following are allowed to be specified: BundleId, DirectoryId, WorkSpaceIds, Filters.")
	}
	if in.UserName != nil && in.DirectoryId == nil {
		return filter, workspaces.Errorf(workspaces.CodeInvalidParameter, "The DirectoryId parameter is required when UserName is used.")
	}
	filter.DirectoryID, filter.UserName = deref(in.DirectoryId), deref(in.UserName)
	filter.BundleID, filter.Name = deref(in.BundleId), deref(in.WorkspaceName)
	return filter, nil
}

// describeWorkSpace is a WorkSpace as the API shows it. One that is being made shows no
// address and no computer name yet.
func describeWorkSpace(w *workspaces.WorkSpace) wsapi.Workspace {
	out := wsapi.Workspace{
		WorkspaceId: &w.ID, DirectoryId: &w.DirectoryID, UserName: &w.UserName, BundleId: &w.BundleID, State: (*string)(&w.State),
		WorkspaceName: some(w.Name), ErrorCode: some(w.ErrorCode), ErrorMessage: some(w.ErrorMessage),
		VolumeEncryptionKey: some(w.EncryptionKey), ModificationStates: []wsapi.ModificationState{},
		WorkspaceProperties: describeProperties(&w.Properties),
	}
	if state := w.ModificationState(); state != "" {
		out.ModificationStates = append(out.ModificationStates, wsapi.ModificationState{Resource: &w.Modification.Resource, State: &state})
	}
	if w.RootEncrypted {
		out.RootVolumeEncryptionEnabled = &w.RootEncrypted
	}
	if w.UserEncrypted {
		out.UserVolumeEncryptionEnabled = &w.UserEncrypted
	}
	if w.State != workspaces.Pending {
		out.IpAddress, out.Ipv6Address = some(w.IPAddress), some(w.IPv6Address)
		out.SubnetId, out.ComputerName = some(w.SubnetID), some(w.ComputerName)
	}
	return out
}

func describeProperties(p *workspaces.Properties) *wsapi.WorkspaceProperties {
	out := &wsapi.WorkspaceProperties{
		ComputeTypeName: &p.ComputeType, RootVolumeSizeGib: new(int32(p.RootGiB)), UserVolumeSizeGib: new(int32(p.UserGiB)), //nolint:gosec // at most 2000
		RunningMode: &p.RunningMode, Protocols: p.Protocols, OperatingSystemName: some(p.OperatingSystem),
	}
	if p.AutoStopMinutes > 0 {
		out.RunningModeAutoStopTimeoutInMinutes = new(int32(p.AutoStopMinutes)) //nolint:gosec // checked when it was set
	}
	if p.Accelerator.Mode != "" {
		out.GlobalAccelerator = &wsapi.GlobalAcceleratorForWorkSpace{
			Mode: &p.Accelerator.Mode, PreferredProtocol: some(p.Accelerator.PreferredProtocol),
		}
	}
	return out
}

// some is a member that is absent where the value is empty.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// deref is a member's value, the zero value where it is absent.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
