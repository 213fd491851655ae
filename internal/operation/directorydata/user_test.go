package directorydata_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	data "github.com/aws/aws-sdk-go-v2/service/directoryservicedata"
	"github.com/aws/aws-sdk-go-v2/service/directoryservicedata/types"

	dsdataapi "carrel/internal/api/dsdata"
	"carrel/internal/directory"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

func TestLifeOfAUser(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	made, err := s.Data().CreateUser(t.Context(), &data.CreateUserInput{
		DirectoryId: &id, SAMAccountName: aws.String("Alice"), GivenName: aws.String("Alice"), Surname: aws.String("Liddell"),
		EmailAddress: aws.String("alice@example.com"),
		OtherAttributes: map[string]types.AttributeValue{
			"TITLE": &types.AttributeValueMemberS{Value: "Heroine"},
			"uid":   &types.AttributeValueMemberSS{Value: []string{"al", "lice"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if *made.DirectoryId != id || *made.SAMAccountName != "Alice" || !regexp.MustCompile(`^S-1-5-21-\d+-\d+-\d+-1103$`).MatchString(*made.SID) {
		t.Errorf("CreateUser = %s %s %s", *made.DirectoryId, *made.SAMAccountName, *made.SID)
	}
	u := describe(t, s, id, "alice", "title", "UID", "company")
	got := fmt.Sprint(*u.SAMAccountName, " ", *u.GivenName, " ", *u.Surname, " ", *u.EmailAddress, " ", *u.UserPrincipalName, " ",
		*u.DistinguishedName, " ", *u.Realm, " ", *u.Enabled, " ", *u.SID == *made.SID)
	want := "Alice Alice Liddell alice@example.com Alice@corp.example.com CN=Alice,CN=Users,DC=corp,DC=example,DC=com corp.example.com true true"
	if got != want {
		t.Errorf("DescribeUser = %s\nwant %s", got, want)
	}
	if got := attributes(u.OtherAttributes); got != "title=Heroine uid=[al lice]" {
		t.Errorf("OtherAttributes = %s", got)
	}
	if u := describe(t, s, id, "ALICE"); len(u.OtherAttributes) != 0 {
		t.Errorf("OtherAttributes that were not asked for: %v", u.OtherAttributes)
	}

	if _, err := s.Data().DisableUser(t.Context(), &data.DisableUserInput{DirectoryId: &id, SAMAccountName: aws.String("aLICE")}); err != nil {
		t.Fatal(err)
	}
	if u := describe(t, s, id, "alice"); *u.Enabled {
		t.Error("a disabled user is enabled")
	}
	if _, err := s.Data().DeleteUser(t.Context(), &data.DeleteUserInput{DirectoryId: &id, SAMAccountName: aws.String("alice")}); err != nil {
		t.Fatal(err)
	}
	_, err = s.Data().DescribeUser(t.Context(), &data.DescribeUserInput{DirectoryId: &id, SAMAccountName: aws.String("alice")})
	dstest.WantError(t, dsdataapi.DescribeUser.Info, err, "ResourceNotFoundException")
	if again := create(t, s, id, "alice"); again == *made.SID {
		t.Errorf("the SID %s was given twice", again)
	}
}

// TestNewUserSignsInAfterReset shows what a user can do before and after having a password.
func TestNewUserSignsInAfterReset(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	create(t, s, id, "alice")
	users := s.Directories.Of(dstest.Scope(), id)
	if u, err := users.Lookup(t.Context(), "alice"); err != nil || !u.Enabled {
		t.Errorf("a new user = %+v, %v; want enabled", u, err)
	}
	for _, password := range []string{"", "Through-the-1"} {
		if _, err := users.Authenticate(t.Context(), "alice", password); !errors.Is(err, directory.ErrNoUser) {
			t.Errorf("a user without a password was let in with %q: %v", password, err)
		}
	}
	reset := &directoryservice.ResetUserPasswordInput{DirectoryId: &id, UserName: aws.String("alice"), NewPassword: aws.String("Through-the-1")}
	if _, err := s.DS().ResetUserPassword(t.Context(), reset); err != nil {
		t.Fatal(err)
	}
	if _, err := users.Authenticate(t.Context(), "alice", "Through-the-1"); err != nil {
		t.Errorf("after ResetUserPassword: %v", err)
	}
	if _, err := s.Data().DisableUser(t.Context(), &data.DisableUserInput{DirectoryId: &id, SAMAccountName: aws.String("alice")}); err != nil {
		t.Fatal(err)
	}
	if _, err := users.Authenticate(t.Context(), "alice", "Through-the-1"); !errors.Is(err, directory.ErrNoUser) {
		t.Errorf("a disabled user was let in: %v", err)
	}
}

func create(t *testing.T, s *dstest.Server, id, name string) (sid string) {
	t.Helper()
	out, err := s.Data().CreateUser(t.Context(), &data.CreateUserInput{DirectoryId: &id, SAMAccountName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *out.SID
}

func describe(t *testing.T, s *dstest.Server, id, name string, attributes ...string) *data.DescribeUserOutput {
	t.Helper()
	out, err := s.Data().DescribeUser(t.Context(),
		&data.DescribeUserInput{DirectoryId: &id, SAMAccountName: &name, OtherAttributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCreateUserRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	create(t, s, id, "alice")
	type input = data.CreateUserInput
	name := func(name string) func(*input) { return func(in *input) { in.SAMAccountName = &name } }
	other := func(name string, v types.AttributeValue) func(*input) {
		return func(in *input) { in.OtherAttributes = map[string]types.AttributeValue{name: v} }
	}
	text := &types.AttributeValueMemberS{Value: "x"}
	for why, c := range map[string]struct {
		change func(*input)
		code   string
		reason string
	}{
		"exists":            {name("alice"), "ConflictException", ""},
		"exists, spelled":   {name("ALICE"), "ConflictException", ""},
		"administrator":     {name("administrator"), "ConflictException", ""},
		"long":              {name("abcdefghijklmnopqrstu"), "ValidationException", ""},
		"spaces":            {name("a b"), "ValidationException", ""},
		"dots only":         {name(".."), "ValidationException", "INVALID_ATTRIBUTE_VALUE"},
		"no such attribute": {other("shoeSize", text), "ValidationException", "INVALID_ATTRIBUTE_NAME"},
		"own member":        {other("givenname", text), "ValidationException", "INVALID_ATTRIBUTE_NAME"},
		"read-only":         {other("objectSid", text), "ValidationException", "INVALID_ATTRIBUTE_FOR_MODIFY"},
		"of groups":         {other("groupType", text), "ValidationException", "INVALID_ATTRIBUTE_FOR_USER"},
		"text as a set": {
			other("title", &types.AttributeValueMemberSS{Value: []string{"x"}}), "ValidationException", "INVALID_ATTRIBUTE_VALUE",
		},
		"set as a text":    {other("url", text), "ValidationException", "INVALID_ATTRIBUTE_VALUE"},
		"number as a text": {other("uidNumber", text), "ValidationException", "INVALID_ATTRIBUTE_VALUE"},
		"value twice": {
			other("url", &types.AttributeValueMemberSS{Value: []string{"x", "x"}}), "ValidationException", "INVALID_ATTRIBUTE_VALUE",
		},
		"zero byte": {
			other("title", &types.AttributeValueMemberS{Value: "\x00"}), "ValidationException", "INVALID_ATTRIBUTE_VALUE",
		},
		"zero byte in a name": {func(in *input) { in.Surname = aws.String("a\x00b") }, "ValidationException", "INVALID_ATTRIBUTE_VALUE"},
		"attribute twice": {
			func(in *input) { in.OtherAttributes = map[string]types.AttributeValue{"title": text, "Title": text} },
			"ValidationException", "DUPLICATE_ATTRIBUTE",
		},
	} {
		in := &input{DirectoryId: &id, SAMAccountName: aws.String("bob")}
		c.change(in)
		_, err := s.Data().CreateUser(t.Context(), in)
		dstest.WantError(t, dsdataapi.CreateUser.Info, err, c.code)
		if got := reasonOf(err); got != c.reason {
			t.Errorf("%s: %v\nreason %q, want %q", why, err, got, c.reason)
		}
	}
	if names := list(t, s, id, 250); names != "Administrator alice" {
		t.Errorf("users = %s", names)
	}
}

// reasonOf returns the reason that an exception gives.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*types.ValidationException](err); ok {
		return string(e.Reason)
	}
	if e, ok := errors.AsType[*types.AccessDeniedException](err); ok {
		return string(e.Reason)
	}
	if e, ok := errors.AsType[*types.DirectoryUnavailableException](err); ok {
		return string(e.Reason)
	}
	return ""
}

// TestDirectoryCannotBeUsed calls every operation on directories whose users cannot be had.
func TestDirectoryCannotBeUsed(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	creating, connector, disabled, fine := s.Create(t), s.CreateActive(t), s.CreateActive(t), s.CreateActive(t)
	s.Change(t, connector, func(d *workspaces.Directory) { d.Type = workspaces.ADConnector })
	if _, err := s.DS().DisableDirectoryDataAccess(t.Context(), &directoryservice.DisableDirectoryDataAccessInput{DirectoryId: &disabled}); err != nil {
		t.Fatal(err)
	}
	far := data.NewFromConfig(s.As(dstest.Account, dstest.FarRegion))
	stranger := data.NewFromConfig(s.As("210987654321", dstest.Region))
	for why, c := range map[string]struct {
		client           *data.Client
		id, code, reason string
	}{
		"unknown":         {s.Data(), "d-0000000000", "AccessDeniedException", "DIRECTORY_AUTH"},
		"another region":  {far, fine, "AccessDeniedException", "DIRECTORY_AUTH"},
		"another account": {stranger, fine, "AccessDeniedException", "DIRECTORY_AUTH"},
		"not active":      {s.Data(), creating, "DirectoryUnavailableException", "INVALID_DIRECTORY_STATE"},
		"connector":       {s.Data(), connector, "ValidationException", "INVALID_DIRECTORY_TYPE"},
		"disabled":        {s.Data(), disabled, "AccessDeniedException", "DATA_DISABLED"},
		"malformed":       {s.Data(), "d-1", "ValidationException", ""},
	} {
		for name, call := range onUsers(c.client, c.id, workspaces.Administrator) {
			op, _ := dsdataapi.Service.Operation(name)
			err := call(t.Context())
			dstest.WantError(t, op.Spec(), err, c.code)
			if got := reasonOf(err); got != c.reason {
				t.Errorf("%s, %s: reason %q, want %q", why, name, got, c.reason)
			}
		}
	}
	for name, call := range onUsers(s.Data(), fine, "nobody") {
		if strings.HasSuffix(name, "User") && name != "CreateUser" {
			op, _ := dsdataapi.Service.Operation(name)
			dstest.WantError(t, op.Spec(), call(t.Context()), "ResourceNotFoundException")
		}
	}
}

// onUsers is a good call of every operation.
func onUsers(client *data.Client, id, name string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"CreateUser": func(ctx context.Context) error {
			_, err := client.CreateUser(ctx, &data.CreateUserInput{DirectoryId: &id, SAMAccountName: &name})
			return err
		},
		"DeleteUser": func(ctx context.Context) error {
			_, err := client.DeleteUser(ctx, &data.DeleteUserInput{DirectoryId: &id, SAMAccountName: &name})
			return err
		},
		"DescribeUser": func(ctx context.Context) error {
			_, err := client.DescribeUser(ctx, &data.DescribeUserInput{DirectoryId: &id, SAMAccountName: &name})
			return err
		},
		"DisableUser": func(ctx context.Context) error {
			_, err := client.DisableUser(ctx, &data.DisableUserInput{DirectoryId: &id, SAMAccountName: &name})
			return err
		},
		"ListUsers": func(ctx context.Context) error {
			_, err := client.ListUsers(ctx, &data.ListUsersInput{DirectoryId: &id})
			return err
		},
		"SearchUsers": func(ctx context.Context) error {
			_, err := client.SearchUsers(ctx,
				&data.SearchUsersInput{DirectoryId: &id, SearchString: &name, SearchAttributes: []string{"sAMAccountName"}})
			return err
		},
		"UpdateUser": func(ctx context.Context) error {
			_, err := client.UpdateUser(ctx, &data.UpdateUserInput{DirectoryId: &id, SAMAccountName: &name, Surname: aws.String("x")})
			return err
		},
	}
}

func TestAdministratorStays(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	_, err := s.Data().DeleteUser(t.Context(), &data.DeleteUserInput{DirectoryId: &id, SAMAccountName: aws.String("administrator")})
	dstest.WantError(t, dsdataapi.DeleteUser.Info, err, "ValidationException")
	if got := reasonOf(err); got != "LDAP_UNSUPPORTED_OPERATION" {
		t.Errorf("reason = %s", got)
	}
	if u := describe(t, s, id, "administrator"); !strings.HasSuffix(*u.SID, "-500") || !*u.Enabled {
		t.Errorf("administrator = %s, enabled %v", *u.SID, *u.Enabled)
	}
}

func TestClientToken(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		s := dstest.StartOn(t, url)
		id, other := s.CreateActive(t), s.CreateActive(t)
		in := &data.CreateUserInput{DirectoryId: &id, SAMAccountName: aws.String("alice"), ClientToken: aws.String("token\x00\x7f")}
		first, err := s.Data().CreateUser(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Data().CreateUser(t.Context(), in); err != nil || *again.SID != *first.SID || *again.DirectoryId != id {
			t.Errorf("the same request again = %+v, %v", again, err)
		}
		changed := *in
		changed.Surname = aws.String("Liddell")
		_, err = s.Data().CreateUser(t.Context(), &changed)
		dstest.WantError(t, dsdataapi.CreateUser.Info, err, "ConflictException")
		_, err = s.Data().DeleteUser(t.Context(),
			&data.DeleteUserInput{DirectoryId: &id, SAMAccountName: in.SAMAccountName, ClientToken: in.ClientToken})
		dstest.WantError(t, dsdataapi.DeleteUser.Info, err, "ConflictException")
		elsewhere := *in
		elsewhere.DirectoryId = &other
		if _, err := s.Data().CreateUser(t.Context(), &elsewhere); err != nil {
			t.Errorf("the token in another directory: %v", err)
		}

		remove := &data.DeleteUserInput{DirectoryId: &id, SAMAccountName: aws.String("alice"), ClientToken: aws.String("another")}
		for range 2 {
			if _, err := s.Data().DeleteUser(t.Context(), remove); err != nil {
				t.Errorf("DeleteUser with a token: %v", err)
			}
		}
		advance(t, s, 7*time.Hour)
		if _, err := s.Data().CreateUser(t.Context(), in); err != nil { // valid for another 8 hours
			t.Errorf("within 8 hours: %v", err)
		}
		advance(t, s, 7*time.Hour)
		if again, err := s.Data().CreateUser(t.Context(), in); err != nil || *again.SID != *first.SID {
			t.Errorf("within another 8 hours: %+v, %v", again, err)
		}
		advance(t, s, 9*time.Hour)
		if again, err := s.Data().CreateUser(t.Context(), in); err != nil || *again.SID == *first.SID {
			t.Errorf("after 8 hours: %+v, %v; want a new user", again, err)
		}
	})
}

func advance(t *testing.T, s *dstest.Server, d time.Duration) {
	t.Helper()
	if err := s.Clock.Advance(d); err != nil {
		t.Fatal(err)
	}
}

// TestFailureLeavesNoToken makes sure that a refusal is not remembered as the answer.
func TestFailureLeavesNoToken(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	in := &data.DisableUserInput{DirectoryId: &id, SAMAccountName: aws.String("alice"), ClientToken: aws.String("token")}
	_, err := s.Data().DisableUser(t.Context(), in)
	dstest.WantError(t, dsdataapi.DisableUser.Info, err, "ResourceNotFoundException")
	create(t, s, id, "alice")
	if _, err := s.Data().DisableUser(t.Context(), in); err != nil || *describe(t, s, id, "alice").Enabled {
		t.Errorf("the request that failed before: %v", err)
	}
}

func TestCreateUserConcurrently(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		s := dstest.StartOn(t, url)
		id := s.CreateActive(t)
		var wait sync.WaitGroup
		var mu sync.Mutex
		made, sids := make(map[string]int), make(map[string]bool)
		for i := range 24 {
			name := []string{"alice", "Alice", "bob", "BOB"}[i%4]
			wait.Go(func() {
				out, err := s.Data().CreateUser(t.Context(), &data.CreateUserInput{DirectoryId: &id, SAMAccountName: &name})
				if err != nil {
					dstest.WantError(t, dsdataapi.CreateUser.Info, err, "ConflictException")
					return
				}
				mu.Lock()
				defer mu.Unlock()
				made[workspaces.UserKey(name)]++
				sids[*out.SID] = true
			})
		}
		wait.Wait()
		if made["alice"] != 1 || made["bob"] != 1 || len(sids) != 2 {
			t.Errorf("made %v with SIDs %v, want each once", made, sids)
		}
	})
}

// TestOneTokenConcurrently sends one request many times at once: it is done once.
func TestOneTokenConcurrently(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		s := dstest.StartOn(t, url)
		id := s.CreateActive(t)
		var wait sync.WaitGroup
		var mu sync.Mutex
		sids := make(map[string]bool)
		for range 12 {
			wait.Go(func() {
				out, err := s.Data().CreateUser(t.Context(),
					&data.CreateUserInput{DirectoryId: &id, SAMAccountName: aws.String("alice"), ClientToken: aws.String("token")})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				sids[*out.SID] = true
			})
		}
		wait.Wait()
		if len(sids) != 1 {
			t.Errorf("one request was answered with %v", sids)
		}
	})
}

func TestDescribeUserRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	for why, c := range map[string]struct {
		in     data.DescribeUserInput
		reason string
	}{
		"no such attribute": {data.DescribeUserInput{OtherAttributes: []string{"shoeSize"}}, "INVALID_ATTRIBUTE_NAME"},
		"own member":        {data.DescribeUserInput{OtherAttributes: []string{"mail"}}, "INVALID_ATTRIBUTE_NAME"},
		"read-only":         {data.DescribeUserInput{OtherAttributes: []string{"memberOf"}}, "INVALID_ATTRIBUTE_NAME"},
		"of groups":         {data.DescribeUserInput{OtherAttributes: []string{"member"}}, "INVALID_ATTRIBUTE_FOR_USER"},
		"twice":             {data.DescribeUserInput{OtherAttributes: []string{"title", "TITLE"}}, "DUPLICATE_ATTRIBUTE"},
		"another realm":     {data.DescribeUserInput{Realm: aws.String("other.example.com")}, "INVALID_REALM"},
	} {
		c.in.DirectoryId, c.in.SAMAccountName = &id, aws.String(workspaces.Administrator)
		_, err := s.Data().DescribeUser(t.Context(), &c.in)
		dstest.WantError(t, dsdataapi.DescribeUser.Info, err, "ValidationException")
		if got := reasonOf(err); got != c.reason {
			t.Errorf("%s: reason %q, want %q", why, got, c.reason)
		}
	}
}
