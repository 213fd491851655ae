package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// DescribeIpGroups lists IP access control groups, all of them or those with the ids. Ids that
// do not exist are left out of the reply.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeIpGroups(ctx context.Context, in *wsapi.DescribeIpGroupsRequest) (*wsapi.DescribeIpGroupsResult, error) {
	if err := checkIPGroupIDs(in.GroupIds); err != nil {
		return nil, err
	}
	filter := store.IPGroupFilter{Scope: Scope(ctx), IDs: in.GroupIds, Limit: PageSize(in.MaxResults)}
	about := list(ctx, "DescribeIpGroups", filter.IDs)
	var err error
	if filter.After, err = PagePosition(in.NextToken, about...); err != nil {
		return nil, err
	}
	var page store.IPGroupPage
	err = s.Store.View(func(tx *store.Tx) (err error) {
		page, err = tx.IPGroups(ctx, filter)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &wsapi.DescribeIpGroupsResult{
		Result: make([]wsapi.WorkspacesIpGroup, len(page.Groups)), NextToken: PageToken(page.Next, about...),
	}
	for i, g := range page.Groups {
		out.Result[i] = describeIPGroup(g)
	}
	return out, nil
}

// CreateIpGroup makes an IP access control group, with or without rules.
//
// Effect: operations. Its rules hold for no directory before AssociateIpGroups.
func (s WorkSpaces) CreateIpGroup(ctx context.Context, in *wsapi.CreateIpGroupRequest) (*wsapi.CreateIpGroupResult, error) {
	g := &workspaces.IPGroup{
		Scope: Scope(ctx), ID: workspaces.NewIPGroupID(Chance(ctx)), Name: deref(in.GroupName), Description: deref(in.GroupDesc),
		Rules: ipRulesOf(in.UserRules),
	}
	tags := tagsOf(in.Tags)
	if err := workspaces.CheckTags(tags); err != nil {
		return nil, err
	}
	if err := g.Check(); err != nil {
		return nil, err
	}
	if err := s.roomForRules(g); err != nil {
		return nil, err
	}
	return &wsapi.CreateIpGroupResult{GroupId: &g.ID}, s.Store.Update(ctx, func(tx *store.Tx) error {
		if _, found, err := tx.IPGroupNamed(ctx, g.Scope, g.Name); err != nil {
			return err
		} else if found {
			return workspaces.Errorf(workspaces.CodeAlreadyExists, "An IP access control group with the name %s exists.", g.Name)
		}
		if n, err := tx.CountIPGroups(ctx, g.Scope); err != nil {
			return err
		} else if n >= s.Limits.IPGroups {
			return workspaces.Errorf(workspaces.CodeLimitExceeded, "The account %s can have %d IP access control groups in %s.",
				g.Account, s.Limits.IPGroups, g.Region)
		}
		if err := tx.InsertIPGroup(ctx, g); err != nil {
			return err
		}
		return tx.PutTags(ctx, g.Scope, g.ID, tags)
	})
}

// DeleteIpGroup deletes an IP access control group that no directory is associated with.
//
// Effect: operations. It can no longer be associated.
func (s WorkSpaces) DeleteIpGroup(ctx context.Context, in *wsapi.DeleteIpGroupRequest) (*wsapi.DeleteIpGroupResult, error) {
	id := deref(in.GroupId)
	return &wsapi.DeleteIpGroupResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		g, err := ipGroup(ctx, tx, id)
		if err != nil {
			return err
		}
		if is, err := tx.IPGroupIsAssociated(ctx, g.Scope, id); err != nil {
			return err
		} else if is {
			return workspaces.Errorf(workspaces.CodeAssociated,
				"The IP access control group %s is associated with a directory; disassociate it first.", id).About(id)
		}
		return tx.DeleteIPGroup(ctx, g.Scope, id)
	})
}

// AuthorizeIpRules adds rules to a group.
//
// Effect: network, stream. Sign-in and streams of the directories that the group is associated
// with, at once.
func (s WorkSpaces) AuthorizeIpRules(ctx context.Context, in *wsapi.AuthorizeIpRulesRequest) (*wsapi.AuthorizeIpRulesResult, error) {
	return &wsapi.AuthorizeIpRulesResult{}, s.changeRules(ctx, in.GroupId, func(g *workspaces.IPGroup) error {
		if err := g.Authorize(ipRulesOf(in.UserRules)); err != nil {
			return err
		}
		return s.roomForRules(g)
	})
}

// RevokeIpRules takes rules away from a group, by their ranges.
//
// Effect: network, stream. Sign-in and streams of the directories that the group is associated
// with, at once; streams that may not be any more are ended.
func (s WorkSpaces) RevokeIpRules(ctx context.Context, in *wsapi.RevokeIpRulesRequest) (*wsapi.RevokeIpRulesResult, error) {
	return &wsapi.RevokeIpRulesResult{}, s.changeRules(ctx, in.GroupId, func(g *workspaces.IPGroup) error {
		return g.Revoke(in.UserRules)
	})
}

// UpdateRulesOfIpGroup gives a group these rules in place of all that it has.
//
// Effect: network, stream. Sign-in and streams of the directories that the group is associated
// with, at once; streams that may not be any more are ended.
func (s WorkSpaces) UpdateRulesOfIpGroup(
	ctx context.Context, in *wsapi.UpdateRulesOfIpGroupRequest,
) (*wsapi.UpdateRulesOfIpGroupResult, error) {
	return &wsapi.UpdateRulesOfIpGroupResult{}, s.changeRules(ctx, in.GroupId, func(g *workspaces.IPGroup) error {
		g.Rules = ipRulesOf(in.UserRules)
		if err := g.Check(); err != nil {
			return err
		}
		return s.roomForRules(g)
	})
}

// changeRules changes the rules of a group.
func (s WorkSpaces) changeRules(ctx context.Context, id *string, change func(*workspaces.IPGroup) error) error {
	return s.Store.Update(ctx, func(tx *store.Tx) error {
		g, err := ipGroup(ctx, tx, deref(id))
		if err != nil {
			return err
		}
		if err := change(g); err != nil {
			return err
		}
		return tx.SaveIPGroup(ctx, g)
	})
}

// AssociateIpGroups associates groups with a directory, beside those that are. Their rules
// hold at once, for streams that run as well.
//
// Effect: network, stream. Who is let in to sign in and to stream is decided by the client's
// address.
func (s WorkSpaces) AssociateIpGroups(ctx context.Context, in *wsapi.AssociateIpGroupsRequest) (*wsapi.AssociateIpGroupsResult, error) {
	id := deref(in.DirectoryId)
	return &wsapi.AssociateIpGroupsResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := checkAssociation(ctx, tx, id, in.GroupIds); err != nil {
			return err
		}
		for _, groupID := range in.GroupIds {
			if err := tx.AssociateIPGroup(ctx, Scope(ctx), id, groupID); err != nil {
				return err
			}
		}
		all, err := tx.IPGroupIDs(ctx, Scope(ctx), []string{id})
		if err == nil && len(all[id]) > s.Limits.IPGroupsPerDirectory {
			err = workspaces.Errorf(workspaces.CodeLimitExceeded, "A directory can have %d IP access control groups.", s.Limits.IPGroupsPerDirectory)
		}
		return err
	})
}

// DisassociateIpGroups ends the associations of groups with a directory. Groups that are not
// associated with it are ignored.
//
// Effect: network, stream. Who is let in to sign in and to stream is decided by the groups that are
// left.
func (s WorkSpaces) DisassociateIpGroups(
	ctx context.Context, in *wsapi.DisassociateIpGroupsRequest,
) (*wsapi.DisassociateIpGroupsResult, error) {
	id := deref(in.DirectoryId)
	return &wsapi.DisassociateIpGroupsResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := checkAssociation(ctx, tx, id, in.GroupIds); err != nil {
			return err
		}
		for _, groupID := range in.GroupIds {
			if err := tx.DisassociateIPGroup(ctx, Scope(ctx), id, groupID); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkAssociation wants a directory that is registered and groups that there are.
func checkAssociation(ctx context.Context, tx *store.Tx, directoryID string, groupIDs []string) error {
	if err := checkIPGroupIDs(groupIDs); err != nil {
		return err
	}
	d, err := registration(ctx, tx, directoryID)
	if err != nil {
		return err
	}
	if err := d.CheckRegistered(workspaces.CodeInvalidState); err != nil {
		return err
	}
	for _, groupID := range groupIDs {
		if _, err := ipGroup(ctx, tx, groupID); err != nil {
			return err
		}
	}
	return nil
}

// maxIPGroupIDs is how many groups a request may name: the model sets no limit, a database does.
const maxIPGroupIDs = 1000

func checkIPGroupIDs(ids []string) error {
	if len(ids) > maxIPGroupIDs {
		return workspaces.Errorf(workspaces.CodeInvalidParameter, "A request can name at most %d groups.", maxIPGroupIDs)
	}
	return nil
}

// ipGroup returns the caller's group with the id.
func ipGroup(ctx context.Context, tx *store.Tx, id string) (*workspaces.IPGroup, error) {
	g, found, err := tx.IPGroup(ctx, Scope(ctx), id)
	if err == nil && !found {
		err = workspaces.Errorf(workspaces.CodeNotFound, "The IP access control group %s could not be found.", id).About(id)
	}
	return g, err
}

// roomForRules refuses a group with more rules than the quota allows.
func (s WorkSpaces) roomForRules(g *workspaces.IPGroup) error {
	if len(g.Rules) > s.Limits.RulesPerIPGroup {
		return workspaces.Errorf(workspaces.CodeLimitExceeded, "An IP access control group can have %d rules.", s.Limits.RulesPerIPGroup)
	}
	return nil
}

func ipRulesOf(in []wsapi.IpRuleItem) []workspaces.IPRule {
	rules := make([]workspaces.IPRule, len(in))
	for i, r := range in {
		rules[i] = workspaces.IPRule{Range: deref(r.IpRule), Description: deref(r.RuleDesc)}
	}
	return rules
}

// describeIPGroup is a group as the API shows it.
func describeIPGroup(g *workspaces.IPGroup) wsapi.WorkspacesIpGroup {
	out := wsapi.WorkspacesIpGroup{
		GroupId: &g.ID, GroupName: &g.Name, GroupDesc: some(g.Description), UserRules: make([]wsapi.IpRuleItem, len(g.Rules)),
	}
	for i, r := range g.Rules {
		out.UserRules[i] = wsapi.IpRuleItem{IpRule: &r.Range, RuleDesc: some(r.Description)}
	}
	return out
}
