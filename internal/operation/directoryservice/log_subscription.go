package directoryservice

import (
	"context"
	"slices"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateLogSubscription notes where a directory's security logs are to go. There are none:
// it is a record.
func (s *Service) CreateLogSubscription(
	ctx context.Context, in *ds.CreateLogSubscriptionRequest,
) (*ds.CreateLogSubscriptionResult, error) {
	return &ds.CreateLogSubscriptionResult{}, s.changeDetails(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		if err := checkLogs(d); err != nil {
			return err
		}
		if d.Details.Log.Group != "" {
			return workspaces.Errorf(workspaces.CodeAlreadyExists, "Log subscription already exists.").About(d.ID)
		}
		d.Details.Log = workspaces.LogSubscription{Group: value(in.LogGroupName), CreatedAt: s.core.Clock.Now()}
		return nil
	})
}

// DeleteLogSubscription forgets where a directory's security logs go.
func (s *Service) DeleteLogSubscription(
	ctx context.Context, in *ds.DeleteLogSubscriptionRequest,
) (*ds.DeleteLogSubscriptionResult, error) {
	return &ds.DeleteLogSubscriptionResult{}, s.changeDetails(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		if err := checkLogs(d); err != nil {
			return err
		}
		if d.Details.Log.Group == "" {
			return workspaces.Errorf(workspaces.CodeNotFound, "Log subscription for %s does not exist.", d.ID).About(d.ID)
		}
		d.Details.Log = workspaces.LogSubscription{}
		return nil
	})
}

// checkLogs refuses directories whose controllers are elsewhere.
func checkLogs(d *workspaces.Directory) error {
	if !d.KeepsUsers() {
		return workspaces.Errorf(workspaces.CodeDirectoryType, "Log subscriptions are not supported for a directory of the type %s.", d.Type)
	}
	return nil
}

// maxLogSubscriptions is the most that one reply lists.
const maxLogSubscriptions = 50

// ListLogSubscriptions lists the log subscriptions of the caller's directories, or of one.
func (s *Service) ListLogSubscriptions(ctx context.Context, in *ds.ListLogSubscriptionsRequest) (*ds.ListLogSubscriptionsResult, error) {
	filter := store.DirectoryFilter{Scope: operation.Scope(ctx)}
	if in.DirectoryId != nil {
		filter.IDs = []string{*in.DirectoryId}
	}
	about := append([]string{"ListLogSubscriptions", filter.Account, filter.Region}, filter.IDs...)
	position, err := cursor.Key(in.NextToken, about...)
	if err == nil && position != "" {
		filter.After, err = directoryAt(position)
	}
	if err != nil {
		return nil, err
	}
	var found []*workspaces.Directory
	err = s.core.Store.View(func(tx *store.Tx) error {
		if err := mustExist(ctx, tx, filter.IDs); err != nil {
			return err
		}
		found, err = tx.DirectoryPage(ctx, filter)
		return err
	})
	if err != nil {
		return nil, err
	}
	limit := int(value(in.Limit))
	if limit == 0 || limit > maxLogSubscriptions {
		limit = maxLogSubscriptions
	}
	found = slices.DeleteFunc(found, func(d *workspaces.Directory) bool { return d.Details.Log.Group == "" })
	out := &ds.ListLogSubscriptionsResult{LogSubscriptions: []ds.LogSubscription{}}
	if len(found) > limit {
		found = found[:limit]
		out.NextToken = cursor.Token(positionOf(found[limit-1]), about...)
	}
	for _, d := range found {
		out.LogSubscriptions = append(out.LogSubscriptions, ds.LogSubscription{
			DirectoryId: &d.ID, LogGroupName: &d.Details.Log.Group, SubscriptionCreatedDateTime: api.At(d.Details.Log.CreatedAt),
		})
	}
	return out, nil
}

// logExceptions is the table of the operations on log subscriptions.
func logExceptions() operation.Exceptions { return aliasExceptions() }
