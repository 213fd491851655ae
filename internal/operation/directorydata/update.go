package directorydata

import (
	"maps"
	"slices"

	"carrel/internal/api/dsdata"
	"carrel/internal/workspaces"
)

// maxValues is how many values an attribute can gather.
const maxValues = 250

// update is what UpdateUser does to attributes: ADD, REPLACE or REMOVE. The model lets the
// type be left out, and does not say what that means: here it is REPLACE.
type update struct {
	kind  string
	given map[string][]string // by schema name
}

func newUpdate(in *dsdata.UpdateUserRequest) (update, error) {
	given, err := attributesOf(in.OtherAttributes)
	if err != nil {
		return update{}, err
	}
	own, err := membersOf(in.EmailAddress, in.GivenName, in.Surname)
	if err != nil {
		return update{}, err
	}
	maps.Copy(given, own)
	if len(given) == 0 {
		return update{}, invalid(dsdata.ValidationExceptionReasonMissingAttribute, "The request names no attribute to update.")
	}
	return update{kind: value(in.UpdateType), given: given}, nil
}

// apply changes the user, or refuses and changes nothing that is kept.
func (u update) apply(user *workspaces.User) error {
	user.Attributes = maps.Clone(user.Attributes)
	if user.Attributes == nil {
		user.Attributes = make(map[string][]string)
	}
	for name, given := range u.given {
		var err error
		switch name {
		case mail:
			user.EmailAddress, err = u.single(name, user.EmailAddress, given)
		case givenName:
			user.GivenName, err = u.single(name, user.GivenName, given)
		case surname:
			user.Surname, err = u.single(name, user.Surname, given)
		default:
			err = u.other(user.Attributes, name, given)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// single is merge for a member of its own, which has a value unless it is empty.
func (u update) single(name, have string, given []string) (string, error) {
	var values []string
	if have != "" {
		values = []string{have}
	}
	values, err := u.merge(attribute{name, text}, values, given)
	if err != nil || len(values) == 0 {
		return "", err
	}
	return values[0], nil
}

// other is merge for one of the other attributes.
func (u update) other(attributes map[string][]string, name string, given []string) error {
	values, err := u.merge(attributeNamed(name), attributes[name], given)
	if err != nil {
		return err
	}
	if len(values) == 0 {
		delete(attributes, name)
		return nil
	}
	attributes[name] = values
	return nil
}

// merge returns the values of an attribute after the update.
func (u update) merge(a attribute, have, given []string) ([]string, error) {
	switch u.kind {
	case dsdata.UpdateTypeAdd:
		return add(a, have, given)
	case dsdata.UpdateTypeRemove:
		return remove(a, have, given)
	default:
		return given, nil
	}
}

// add gives an attribute its first value, or a set more values.
func add(a attribute, have, given []string) ([]string, error) {
	exists := func(v string) bool { return slices.Contains(have, v) }
	if a.kind != set && len(have) > 0 || slices.ContainsFunc(given, exists) {
		return nil, invalid(dsdata.ValidationExceptionReasonAttributeExists, "The attribute %s has a value; REPLACE changes it.", a.name)
	}
	if len(have)+len(given) > maxValues {
		return nil, invalid(dsdata.ValidationExceptionReasonLdapSizeLimitExceeded, "The attribute %s can have %d values.", a.name, maxValues)
	}
	return slices.Concat(have, given), nil
}

// remove takes an attribute's value away, whatever it is, or the given ones out of a set.
func remove(a attribute, have, given []string) ([]string, error) {
	missing := func(v string) bool { return a.kind == set && !slices.Contains(have, v) }
	if len(have) == 0 || slices.ContainsFunc(given, missing) {
		return nil, invalid(dsdata.ValidationExceptionReasonMissingAttribute, "The attribute %s does not have the value.", a.name)
	}
	if a.kind != set {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(have), func(v string) bool { return slices.Contains(given, v) }), nil
}
