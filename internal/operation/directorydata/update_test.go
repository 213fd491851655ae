package directorydata_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	data "github.com/aws/aws-sdk-go-v2/service/directoryservicedata"
	"github.com/aws/aws-sdk-go-v2/service/directoryservicedata/types"

	dsdataapi "carrel/internal/api/dsdata"
	"carrel/internal/operation/directoryservice/dstest"
)

// attributes writes other attributes as name=value, by name.
func attributes(of map[string]types.AttributeValue) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		switch v := of[name].(type) {
		case *types.AttributeValueMemberS:
			out = append(out, name+"="+v.Value)
		case *types.AttributeValueMemberN:
			out = append(out, fmt.Sprint(name, "=", v.Value))
		case *types.AttributeValueMemberBOOL:
			out = append(out, fmt.Sprint(name, "=", v.Value))
		case *types.AttributeValueMemberSS:
			out = append(out, fmt.Sprint(name, "=", v.Value))
		}
	}
	return strings.Join(out, " ")
}

func texts(name, value string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{name: &types.AttributeValueMemberS{Value: value}}
}

func set(name string, values ...string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{name: &types.AttributeValueMemberSS{Value: values}}
}

// TestUpdateUser walks one user through updates, each with the attributes after it.
func TestUpdateUser(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	create(t, s, id, "alice")
	type input = data.UpdateUserInput
	for i, step := range []struct {
		in   input
		want string
	}{
		{input{UpdateType: "ADD", Surname: aws.String("Liddell"), OtherAttributes: texts("title", "Heroine")}, "/Liddell/ title=Heroine"},
		{input{UpdateType: "REPLACE", GivenName: aws.String("Alice"), Surname: aws.String("Hargreaves")}, "Alice/Hargreaves/ title=Heroine"},
		{input{EmailAddress: aws.String("a@example.com"), OtherAttributes: texts("TITLE", "Mrs")}, "Alice/Hargreaves/a@example.com title=Mrs"},
		{input{UpdateType: "REMOVE", GivenName: aws.String("x"), OtherAttributes: texts("title", "x")}, "/Hargreaves/a@example.com "},
		{input{UpdateType: "ADD", OtherAttributes: set("url", "a", "b")}, "/Hargreaves/a@example.com url=[a b]"},
		{input{UpdateType: "ADD", OtherAttributes: set("url", "c")}, "/Hargreaves/a@example.com url=[a b c]"},
		{input{UpdateType: "REMOVE", OtherAttributes: set("url", "c", "a")}, "/Hargreaves/a@example.com url=[b]"},
		{input{UpdateType: "REMOVE", OtherAttributes: set("url", "b")}, "/Hargreaves/a@example.com "},
		{input{UpdateType: "REPLACE", OtherAttributes: set("url", "d")}, "/Hargreaves/a@example.com url=[d]"},
		{input{UpdateType: "REPLACE", OtherAttributes: set("url")}, "/Hargreaves/a@example.com "},
		{input{OtherAttributes: map[string]types.AttributeValue{
			"uidNumber": &types.AttributeValueMemberN{Value: -7}, "msNPAllowDialin": &types.AttributeValueMemberBOOL{Value: true},
		}}, "/Hargreaves/a@example.com msNPAllowDialin=true uidNumber=-7"},
	} {
		step.in.DirectoryId, step.in.SAMAccountName = &id, aws.String("ALICE")
		if _, err := s.Data().UpdateUser(t.Context(), &step.in); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		u := describe(t, s, id, "alice", "title", "url", "uidNumber", "msNPAllowDialin")
		got := aws.ToString(u.GivenName) + "/" + aws.ToString(u.Surname) + "/" + aws.ToString(u.EmailAddress) + " " + attributes(u.OtherAttributes)
		if got != step.want {
			t.Errorf("after step %d: %s, want %s", i, got, step.want)
		}
	}
}

func TestUpdateUserRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	_, err := s.Data().CreateUser(t.Context(), &data.CreateUserInput{
		DirectoryId: &id, SAMAccountName: aws.String("alice"), Surname: aws.String("Liddell"), OtherAttributes: set("url", "a"),
	})
	if err != nil {
		t.Fatal(err)
	}
	type input = data.UpdateUserInput
	for why, c := range map[string]struct {
		in     input
		reason string
	}{
		"add where there is":          {input{UpdateType: "ADD", Surname: aws.String("x")}, "ATTRIBUTE_EXISTS"},
		"add a member twice":          {input{UpdateType: "ADD", OtherAttributes: set("url", "b", "a")}, "ATTRIBUTE_EXISTS"},
		"remove where there is not":   {input{UpdateType: "REMOVE", GivenName: aws.String("x")}, "MISSING_ATTRIBUTE"},
		"remove what is not a member": {input{UpdateType: "REMOVE", OtherAttributes: set("url", "b")}, "MISSING_ATTRIBUTE"},
		"remove an empty attribute":   {input{UpdateType: "REMOVE", OtherAttributes: texts("title", "x")}, "MISSING_ATTRIBUTE"},
		"nothing":                     {input{UpdateType: "ADD"}, "MISSING_ATTRIBUTE"},
		"one of two":                  {input{UpdateType: "ADD", GivenName: aws.String("x"), Surname: aws.String("x")}, "ATTRIBUTE_EXISTS"},
		"read-only":                   {input{OtherAttributes: texts("memberOf", "x")}, "INVALID_ATTRIBUTE_FOR_MODIFY"},
		"zero byte":                   {input{GivenName: aws.String("\x00")}, "INVALID_ATTRIBUTE_VALUE"},
		"type":                        {input{UpdateType: "CHANGE", GivenName: aws.String("x")}, ""},
	} {
		c.in.DirectoryId, c.in.SAMAccountName = &id, aws.String("alice")
		_, err := s.Data().UpdateUser(t.Context(), &c.in)
		dstest.WantError(t, dsdataapi.UpdateUser.Info, err, "ValidationException")
		if got := reasonOf(err); got != c.reason {
			t.Errorf("%s: reason %q, want %q", why, got, c.reason)
		}
	}
	u := describe(t, s, id, "alice", "url")
	if *u.Surname != "Liddell" || u.GivenName != nil || attributes(u.OtherAttributes) != "url=[a]" {
		t.Errorf("refused updates have changed %+v", u)
	}
}

// TestUpdateUserIsBounded adds to a set until it is full.
func TestUpdateUserIsBounded(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateActive(t)
	create(t, s, id, "alice")
	for i := range 11 {
		var values []string
		for j := range 25 {
			values = append(values, fmt.Sprintf("%d.%d", i, j))
		}
		_, err := s.Data().UpdateUser(t.Context(), &data.UpdateUserInput{
			DirectoryId: &id, SAMAccountName: aws.String("alice"), UpdateType: "ADD", OtherAttributes: set("url", values...),
		})
		if i == 10 && reasonOf(err) != "LDAP_SIZE_LIMIT_EXCEEDED" || i < 10 && err != nil {
			t.Errorf("after %d values: %v", 25*i, err)
		}
	}
}
