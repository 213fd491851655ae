package directorydata

import (
	"context"
	"slices"
	"strings"

	"carrel/internal/api/dsdata"
	"carrel/internal/operation/cursor"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// maxResults is how many users a page holds where the request does not say: the most that it
// can ask for.
const maxResults = 250

// ListUsers lists the users of a directory by name.
func (s *Service) ListUsers(ctx context.Context, in *dsdata.ListUsersRequest) (*dsdata.ListUsersResult, error) {
	p, err := newPage(value(in.DirectoryId), in.Realm, in.MaxResults, in.NextToken, dsdata.ListUsers.Name)
	if err != nil {
		return nil, err
	}
	if err := s.fill(ctx, p, func(*workspaces.User) bool { return true }); err != nil {
		return nil, err
	}
	out := &dsdata.ListUsersResult{DirectoryId: &p.directory.ID, Realm: &p.directory.Name, NextToken: p.next, Users: []dsdata.UserSummary{}}
	for _, u := range p.users {
		out.Users = append(out.Users, dsdata.UserSummary{
			SAMAccountName: &u.Name, SID: &u.SID, Enabled: &u.Enabled, GivenName: unlessEmpty(u.GivenName), Surname: unlessEmpty(u.Surname),
		})
	}
	return out, nil
}

// SearchUsers lists, by name, the users of whom one of the attributes holds the search string
// somewhere, in any case, with those attributes.
func (s *Service) SearchUsers(ctx context.Context, in *dsdata.SearchUsersRequest) (*dsdata.SearchUsersResult, error) {
	search, err := newSearch(in)
	if err != nil {
		return nil, err
	}
	about := append([]string{dsdata.SearchUsers.Name, search.text}, in.SearchAttributes...)
	p, err := newPage(value(in.DirectoryId), in.Realm, in.MaxResults, in.NextToken, about...)
	if err != nil {
		return nil, err
	}
	if err := s.fill(ctx, p, search.finds); err != nil {
		return nil, err
	}
	out := &dsdata.SearchUsersResult{DirectoryId: &p.directory.ID, Realm: &p.directory.Name, NextToken: p.next, Users: []dsdata.User{}}
	for _, u := range p.users {
		out.Users = append(out.Users, describe(p.directory, u, search.attributes))
	}
	return out, nil
}

// page is a part of the list of a directory's users.
type page struct {
	directoryID string
	realm       *string
	size        int
	after       string   // the key of the user that it begins behind
	about       []string // what its token is good for

	directory *workspaces.Directory
	users     []*workspaces.User
	next      *string
}

func newPage(directoryID string, realm *string, size *int32, token *string, about ...string) (*page, error) {
	p := &page{directoryID: directoryID, realm: realm, size: maxResults, about: append(about, directoryID)}
	if size != nil {
		p.size = int(*size)
	}
	var err error
	if p.after, err = cursor.Key(token, p.about...); err != nil {
		return nil, invalid(dsdata.ValidationExceptionReasonInvalidNextToken, "%s", err)
	}
	return p, nil
}

// fill reads the users that belong on the page, and one more to know whether there are more.
func (s *Service) fill(ctx context.Context, p *page, belongs func(*workspaces.User) bool) error {
	return s.core.Store.View(func(tx *store.Tx) (err error) {
		if p.directory, err = openRealm(ctx, tx, p.directoryID, p.realm); err != nil {
			return err
		}
		f := store.UserFilter{Scope: p.directory.Scope, DirectoryID: p.directory.ID, AfterKey: p.after, Limit: maxResults + 1}
		for {
			batch, err := tx.Users(ctx, f)
			if err != nil {
				return err
			}
			for _, u := range batch {
				if belongs(u) && p.add(u) {
					return nil
				}
			}
			if len(batch) < f.Limit {
				return nil
			}
			f.AfterKey = workspaces.UserKey(batch[len(batch)-1].Name)
		}
	})
}

// add takes a user onto the page and reports whether it was too many, and the page is done.
func (p *page) add(u *workspaces.User) (done bool) {
	if len(p.users) < p.size {
		p.users = append(p.users, u)
		return false
	}
	p.next = cursor.Token(workspaces.UserKey(p.users[p.size-1].Name), p.about...)
	return true
}

// search is what SearchUsers looks for.
type search struct {
	text       string // in lower case
	members    []string
	attributes []attribute
}

func newSearch(in *dsdata.SearchUsersRequest) (search, error) {
	s := search{text: strings.ToLower(value(in.SearchString))}
	if strings.Contains(s.text, "*") {
		return s, invalid(dsdata.ValidationExceptionReasonInvalidAttributeValue, "Wildcard (*) searches are not supported.")
	}
	for _, name := range in.SearchAttributes {
		a := attributeNamed(name)
		switch a.kind {
		case ownMember:
			s.members = append(s.members, a.name)
		case text, set:
			s.attributes = append(s.attributes, a)
		case unknown:
			return s, invalid(dsdata.ValidationExceptionReasonInvalidAttributeName, "There is no attribute %s.", name)
		case ofGroup:
			return s, invalid(dsdata.ValidationExceptionReasonInvalidAttributeForUser, "Users do not have the attribute %s.", name)
		case number, boolean, notChanged:
			return s, invalid(dsdata.ValidationExceptionReasonInvalidAttributeForSearch, "The attribute %s cannot be searched.", name)
		}
		if countOf(in.SearchAttributes, name) > 1 {
			return s, invalid(dsdata.ValidationExceptionReasonDuplicateAttribute, "The attribute %s is given twice.", a.name)
		}
	}
	return s, nil
}

func countOf(names []string, name string) (n int) {
	for _, other := range names {
		if strings.EqualFold(other, name) {
			n++
		}
	}
	return n
}

// finds reports whether the user is one of those looked for.
func (s search) finds(u *workspaces.User) bool {
	for _, name := range s.members {
		if s.in(memberOf(u, name)) {
			return true
		}
	}
	return slices.ContainsFunc(s.attributes, func(a attribute) bool { return slices.ContainsFunc(u.Attributes[a.name], s.in) })
}

func (s search) in(v string) bool { return strings.Contains(strings.ToLower(v), s.text) }

// memberOf returns the attribute of a user that is a member of its own.
func memberOf(u *workspaces.User, name string) string {
	switch name {
	case mail, "EmailAddress":
		return u.EmailAddress
	case givenName:
		return u.GivenName
	case surname, "Surname":
		return u.Surname
	default:
		return u.Name
	}
}
