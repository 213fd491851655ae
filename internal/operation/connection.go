package operation

import (
	"context"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
)

// DescribeWorkspacesConnectionStatus tells which WorkSpaces somebody is connected to, of all or
// of those named. Ids that do not exist and WorkSpaces that have never been available are left
// out, so that a page may hold fewer than it has places.
//
// Effect: answer. From the streams that the gateway carries.
func (s WorkSpaces) DescribeWorkspacesConnectionStatus(
	ctx context.Context, in *wsapi.DescribeWorkspacesConnectionStatusRequest,
) (*wsapi.DescribeWorkspacesConnectionStatusResult, error) {
	about := list(ctx, "DescribeWorkspacesConnectionStatus", in.WorkspaceIds)
	after, err := PagePosition(in.NextToken, about...)
	if err != nil {
		return nil, err
	}
	filter := store.WorkSpaceFilter{Scope: Scope(ctx), IDs: in.WorkspaceIds, After: after, Limit: MaxPage}
	out := &wsapi.DescribeWorkspacesConnectionStatusResult{WorkspacesConnectionStatus: []wsapi.WorkspaceConnectionStatus{}}
	now := s.Clock.Now()
	err = s.Store.View(func(tx *store.Tx) error {
		page, err := tx.WorkSpaces(ctx, filter)
		if err != nil {
			return err
		}
		out.NextToken = PageToken(page.Next, about...)
		ids := make([]string, len(page.WorkSpaces))
		for i, w := range page.WorkSpaces {
			ids[i] = w.ID
		}
		connections, err := tx.Connections(ctx, filter.Scope, ids)
		for _, w := range page.WorkSpaces {
			c := connections[w.ID]
			state, ok := w.ConnectionState(c)
			if !ok {
				continue
			}
			out.WorkspacesConnectionStatus = append(out.WorkspacesConnectionStatus, wsapi.WorkspaceConnectionStatus{
				WorkspaceId: &w.ID, ConnectionState: (*string)(&state), ConnectionStateCheckTimestamp: api.At(now),
				LastKnownUserConnectionTimestamp: api.At(c.LastKnown(now)),
			})
		}
		return err
	})
	return out, err
}
