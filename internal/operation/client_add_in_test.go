package operation_test

import (
	"reflect"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/google/uuid"

	wsapi "carrel/internal/api/workspaces"
)

const unknownAddIn = "01234567-89ab-cdef-0123-456789abcdef"

func (c client) createAddIn(t *testing.T, directory, name, url string) (id string, err error) {
	t.Helper()
	out, err := c.CreateConnectClientAddIn(t.Context(), &sdk.CreateConnectClientAddInInput{ResourceId: &directory, Name: &name, URL: &url})
	if err != nil {
		return "", err
	}
	return *out.AddInId, nil
}

func (c client) addIns(t *testing.T, directory string) []types.ConnectClientAddIn {
	t.Helper()
	out, err := c.DescribeConnectClientAddIns(t.Context(), &sdk.DescribeConnectClientAddInsInput{ResourceId: &directory})
	if err != nil || out.NextToken != nil {
		t.Fatal(show(out), err)
	}
	return out.AddIns
}

func (c client) updateAddIn(t *testing.T, directory, id string, name, url *string) error {
	t.Helper()
	_, err := c.UpdateConnectClientAddIn(t.Context(), &sdk.UpdateConnectClientAddInInput{ResourceId: &directory, AddInId: &id, Name: name, URL: url})
	return err
}

func (c client) deleteAddIn(t *testing.T, directory, id string) error {
	t.Helper()
	_, err := c.DeleteConnectClientAddIn(t.Context(), &sdk.DeleteConnectClientAddInInput{ResourceId: &directory, AddInId: &id})
	return err
}

func TestClientAddIns(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d, other := s.home(t), s.home(t)
	if got := c.addIns(t, d); len(got) > 0 {
		t.Errorf("a fresh directory has %s", show(got))
	}
	id, err := c.createAddIn(t, d, "Calls", "https://calls.example/")
	if err != nil || uuid.Validate(id) != nil {
		t.Fatalf("%q, %v", id, err)
	}
	want := func(name, url string) {
		t.Helper()
		want := []types.ConnectClientAddIn{{AddInId: &id, ResourceId: &d, Name: &name, URL: &url}}
		if got := c.addIns(t, d); !reflect.DeepEqual(got, want) {
			t.Errorf("got %s\nwant %s", show(got), show(want))
		}
	}
	want("Calls", "https://calls.example/")
	_, err = c.createAddIn(t, d, "More calls", "https://calls.example/")
	refused(t, err, exists, d)
	for _, change := range []struct{ name, url *string }{{new("Phone"), nil}, {nil, new("https://phone.example/")}, {nil, nil}} {
		if err := c.updateAddIn(t, d, id, change.name, change.url); err != nil {
			t.Error(err)
		}
	}
	want("Phone", "https://phone.example/")
	refused(t, c.updateAddIn(t, d, id, new("Fax"), new("https:///fax")), invalid, "no link")
	refused(t, c.updateAddIn(t, d, unknownAddIn, new("Fax"), nil), notFound, unknownAddIn)
	refused(t, c.updateAddIn(t, other, id, new("Fax"), nil), notFound, id)
	refused(t, c.deleteAddIn(t, d, unknownAddIn), notFound, unknownAddIn)
	refused(t, c.deleteAddIn(t, other, id), notFound, id)
	want("Phone", "https://phone.example/")
	if err := c.deleteAddIn(t, d, id); err != nil {
		t.Fatal(err)
	}
	refused(t, c.deleteAddIn(t, d, id), notFound, id)
	if got := c.addIns(t, d); len(got) > 0 {
		t.Errorf("there is still %s", show(got))
	}
	_, err = c.createAddIn(t, d, "Calls", "https://%zz")
	refused(t, err, invalid, "no link")
	if _, err = c.createAddIn(t, d, "Calls", "https://calls.example/"); err != nil {
		t.Error(err)
	}
}

// waysOfClientAddIns are those of client add-ins.
func waysOfClientAddIns(t *testing.T) []way {
	t.Helper()
	s := start(t)
	c := s.client()
	d := s.home(t)
	id, err := c.createAddIn(t, d, "Calls", "https://calls.example/")
	if err != nil {
		t.Fatal(err)
	}
	create := func(directory, url string) func() error {
		return func() error {
			_, err := c.createAddIn(t, directory, "Calls", url)
			return err
		}
	}
	describe := func(directory string, token *string) func() error {
		return func() error {
			_, err := c.DescribeConnectClientAddIns(t.Context(), &sdk.DescribeConnectClientAddInsInput{ResourceId: &directory, NextToken: token})
			return err
		}
	}
	return []way{
		{wsapi.CreateConnectClientAddIn.Spec(), invalid, create(d, "https:///")},
		{wsapi.CreateConnectClientAddIn.Spec(), notFound, create("d-0123456789", "https://calls.example/")},
		{wsapi.CreateConnectClientAddIn.Spec(), exists, create(d, "https://calls.example/")},
		{wsapi.DescribeConnectClientAddIns.Spec(), invalid, describe(d, new("x"))},
		{wsapi.DescribeConnectClientAddIns.Spec(), notFound, describe("d-0123456789", nil)},
		{wsapi.UpdateConnectClientAddIn.Spec(), invalid, func() error { return c.updateAddIn(t, d, id, nil, new("https:///")) }},
		{wsapi.UpdateConnectClientAddIn.Spec(), notFound, func() error { return c.updateAddIn(t, d, unknownAddIn, nil, nil) }},
		{wsapi.DeleteConnectClientAddIn.Spec(), notFound, func() error { return c.deleteAddIn(t, d, unknownAddIn) }},
	}
}

// addInAttempts are what a stranger tries with a directory's add-in.
func addInAttempts(d, id string) map[string]func(t *testing.T, c client) {
	return map[string]func(t *testing.T, c client){
		"CreateConnectClientAddIn": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.createAddIn(t, d, "Calls", "https://calls.example/")
			refused(t, err, notFound, d)
		},
		"DescribeConnectClientAddIns": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.DescribeConnectClientAddIns(t.Context(), &sdk.DescribeConnectClientAddInsInput{ResourceId: &d})
			refused(t, err, notFound, d)
		},
		"UpdateConnectClientAddIn": func(t *testing.T, c client) {
			t.Helper()
			refused(t, c.updateAddIn(t, d, id, new("Fax"), nil), notFound, d)
		},
		"DeleteConnectClientAddIn": func(t *testing.T, c client) { t.Helper(); refused(t, c.deleteAddIn(t, d, id), notFound, d) },
	}
}
