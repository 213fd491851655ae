package directorydata_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	data "github.com/aws/aws-sdk-go-v2/service/directoryservicedata"
	"github.com/aws/aws-sdk-go-v2/service/directoryservicedata/types"

	dsdataapi "carrel/internal/api/dsdata"
	"carrel/internal/operation/directoryservice/dstest"
)

// list returns the names of all users, read in pages of a size.
func list(t *testing.T, s *dstest.Server, id string, size int32) string {
	t.Helper()
	var names []string
	pages := data.NewListUsersPaginator(s.Data(), &data.ListUsersInput{DirectoryId: &id, MaxResults: &size})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(page.Users); n == 0 || n > int(size) || *page.DirectoryId != id || *page.Realm != "corp.example.com" {
			t.Errorf("a page of %d users of %s, %s", n, *page.DirectoryId, *page.Realm)
		}
		for _, u := range page.Users {
			names = append(names, *u.SAMAccountName)
			if u.Enabled == nil || u.SID == nil {
				t.Errorf("%s is listed without what every user has", *u.SAMAccountName)
			}
		}
	}
	return strings.Join(names, " ")
}

func TestListUsers(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	for _, name := range []string{"dodo", "Carol", "bob", "Alice"} {
		create(t, s, id, name)
	}
	for _, size := range []int32{1, 2, 4, 5, 250} {
		if got := list(t, s, id, size); got != "Administrator Alice bob Carol dodo" {
			t.Errorf("in pages of %d: %s", size, got)
		}
	}
}

// TestListUsersOfABigDirectory reads more users than one batch of the store holds.
func TestListUsersOfABigDirectory(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	for i := range 600 {
		create(t, s, id, fmt.Sprintf("user%03d", i))
	}
	if got := len(strings.Fields(list(t, s, id, 200))); got != 601 {
		t.Errorf("listed %d users, want 601", got)
	}
	out, err := s.Data().ListUsers(t.Context(), &data.ListUsersInput{DirectoryId: &id})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Users) != 250 || out.NextToken == nil {
		t.Errorf("without MaxResults: %d users, and a token: %v", len(out.Users), out.NextToken != nil)
	}
	if got := search(t, s, id, "599", "SAMAccountName"); got != "user599" {
		t.Errorf("searched far away: %s", got)
	}
}

func TestListUsersRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id, other := s.CreateActive(t), s.CreateActive(t)
	first, err := s.Data().ListUsers(t.Context(), &data.ListUsersInput{DirectoryId: &id, MaxResults: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	if first.NextToken != nil {
		t.Error("a list of one user goes on")
	}
	create(t, s, id, "zoe")
	if first, err = s.Data().ListUsers(t.Context(), &data.ListUsersInput{DirectoryId: &id, MaxResults: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	for why, c := range map[string]struct {
		in     data.ListUsersInput
		reason string
	}{
		"made-up token":             {data.ListUsersInput{DirectoryId: &id, NextToken: aws.String("abc")}, "INVALID_NEXT_TOKEN"},
		"another directory's token": {data.ListUsersInput{DirectoryId: &other, NextToken: first.NextToken}, "INVALID_NEXT_TOKEN"},
		"another realm":             {data.ListUsersInput{DirectoryId: &id, Realm: aws.String("other.example.com")}, "INVALID_REALM"},
		"no results":                {data.ListUsersInput{DirectoryId: &id, MaxResults: aws.Int32(0)}, ""},
		"too many results":          {data.ListUsersInput{DirectoryId: &id, MaxResults: aws.Int32(251)}, ""},
	} {
		_, err := s.Data().ListUsers(t.Context(), &c.in)
		dstest.WantError(t, dsdataapi.ListUsers.Info, err, "ValidationException")
		if got := reasonOf(err); got != c.reason {
			t.Errorf("%s: reason %q, want %q", why, got, c.reason)
		}
	}
	for _, realm := range []string{"corp.example.com", "CORP.Example.COM", "corp.example.com."} {
		if _, err := s.Data().ListUsers(t.Context(), &data.ListUsersInput{DirectoryId: &id, Realm: &realm}); err != nil {
			t.Errorf("realm %s: %v", realm, err)
		}
	}
}

// search returns the names of the users found, read in pages of one.
func search(t *testing.T, s *dstest.Server, id, text string, attributes ...string) string {
	t.Helper()
	var names []string
	pages := data.NewSearchUsersPaginator(s.Data(),
		&data.SearchUsersInput{DirectoryId: &id, SearchString: &text, SearchAttributes: attributes, MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			names = append(names, *u.SAMAccountName)
		}
	}
	return strings.Join(names, " ")
}

func TestSearchUsers(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	for name, given := range map[string]string{"alice": "Alice", "bob": "Robert", "carol": "Carol"} {
		_, err := s.Data().CreateUser(t.Context(), &data.CreateUserInput{
			DirectoryId: &id, SAMAccountName: &name, GivenName: &given, Surname: aws.String("Härtel"), EmailAddress: aws.String(name + "@example.com"),
			OtherAttributes: map[string]types.AttributeValue{
				"department": &types.AttributeValueMemberS{Value: "Wonder of " + given},
				"url":        &types.AttributeValueMemberSS{Value: []string{"http://a.test", "http://" + name + ".test"}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		text       string
		attributes []string
		want       string
	}{
		{"ali", []string{"sAMAccountName"}, "alice"},
		{"ICE", []string{"SamAccountName"}, "alice"},
		{"o", []string{"samaccountname"}, "Administrator bob carol"},
		{"robert", []string{"givenName"}, "bob"},
		{"robert", []string{"sAMAccountName", "GivenName"}, "bob"},
		{"HÄRT", []string{"sn"}, "alice bob carol"},
		{"härt", []string{"Surname"}, "alice bob carol"},
		{"@example", []string{"mail"}, "alice bob carol"},
		{"@example", []string{"EmailAddress"}, "alice bob carol"},
		{"wonder of c", []string{"Department"}, "carol"},
		{"bob.test", []string{"url"}, "bob"},
		{"nothing", []string{"sAMAccountName", "mail", "department"}, ""},
		{"%", []string{"sAMAccountName"}, ""},
	} {
		if got := search(t, s, id, c.text, c.attributes...); got != c.want {
			t.Errorf("search for %q in %v = %q, want %q", c.text, c.attributes, got, c.want)
		}
	}
	out, err := s.Data().SearchUsers(t.Context(),
		&data.SearchUsersInput{DirectoryId: &id, SearchString: aws.String("alice"), SearchAttributes: []string{"Department"}})
	if err != nil || len(out.Users) != 1 || *out.Realm != "corp.example.com" {
		t.Fatalf("SearchUsers = %+v, %v", out, err)
	}
	u := out.Users[0]
	if got := attributes(u.OtherAttributes); got != "department=Wonder of Alice" || *u.UserPrincipalName != "alice@corp.example.com" || u.SID == nil {
		t.Errorf("found %+v with %s", u, got)
	}
}

func TestSearchUsersRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	for why, c := range map[string]struct {
		text   string
		names  []string
		reason string
	}{
		"no such attribute": {"a", []string{"shoeSize"}, "INVALID_ATTRIBUTE_NAME"},
		"read-only":         {"a", []string{"objectSid"}, "INVALID_ATTRIBUTE_FOR_SEARCH"},
		"number":            {"a", []string{"uidNumber"}, "INVALID_ATTRIBUTE_FOR_SEARCH"},
		"of groups":         {"a", []string{"groupScope"}, "INVALID_ATTRIBUTE_FOR_USER"},
		"twice":             {"a", []string{"title", "Title"}, "DUPLICATE_ATTRIBUTE"},
		"wildcard":          {"a*", []string{"title"}, "INVALID_ATTRIBUTE_VALUE"},
		"no attributes":     {"a", []string{}, ""},
		"no text":           {"", []string{"title"}, ""},
	} {
		_, err := s.Data().SearchUsers(t.Context(), &data.SearchUsersInput{DirectoryId: &id, SearchString: &c.text, SearchAttributes: c.names})
		dstest.WantError(t, dsdataapi.SearchUsers.Info, err, "ValidationException")
		if got := reasonOf(err); got != c.reason {
			t.Errorf("%s: reason %q, want %q", why, got, c.reason)
		}
	}
}
