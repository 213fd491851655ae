package directorydata

import (
	"slices"
	"strconv"
	"strings"

	"carrel/internal/api/dsdata"
)

// The attributes of a user that an embedded directory keeps besides those that have members
// of their own, by LDAP display name. Source: the class user of the Active Directory schema.
const (
	texts = "assistant c co comment company department description displayName division employeeID employeeNumber employeeType " +
		"facsimileTelephoneNumber gecos generationQualifier homeDirectory homeDrive homePhone homePostalAddress info initials ipPhone l " +
		"loginShell manager middleName mobile pager personalTitle physicalDeliveryOfficeName postalAddress postalCode preferredLanguage " +
		"profilePath scriptPath st street streetAddress telephoneNumber title unixHomeDirectory userWorkstations wWWHomePage"
	numbers  = "countryCode gidNumber uidNumber"
	booleans = "msNPAllowDialin"
	sets     = "carLicense departmentNumber labeledURI otherFacsimileTelephoneNumber otherHomePhone otherIpPhone otherMailbox otherMobile " +
		"otherPager otherTelephone postOfficeBox proxyAddresses roomNumber servicePrincipalName uid url"
)

// The other attributes that Active Directory has, to say why they are refused.
const (
	members  = "mail givenName sn sAMAccountName EmailAddress Surname"
	readOnly = "badPwdCount cn distinguishedName enabled lastLogon lastLogonTimestamp logonCount memberOf name objectCategory objectClass " +
		"objectGUID objectSid primaryGroupID pwdLastSet sAMAccountType SID userAccountControl userPrincipalName uSNChanged uSNCreated " +
		"whenChanged whenCreated"
	ofGroups = "groupScope groupType managedBy member"
)

// kind is how an attribute's value is written, or why it is none of OtherAttributes.
type kind int

const (
	unknown kind = iota
	text
	number
	boolean
	set
	ownMember
	notChanged
	ofGroup
)

// attribute is an attribute of users with the spelling of the schema.
type attribute struct {
	name string
	kind kind
}

// attributeNamed finds an attribute by its name in any case.
func attributeNamed(name string) attribute {
	for _, of := range [...]struct {
		names string
		kind  kind
	}{
		{texts, text}, {numbers, number}, {booleans, boolean}, {sets, set}, {members, ownMember}, {readOnly, notChanged}, {ofGroups, ofGroup},
	} {
		for known := range strings.FieldsSeq(of.names) {
			if strings.EqualFold(known, name) {
				return attribute{known, of.kind}
			}
		}
	}
	return attribute{name, unknown}
}

// kept finds an attribute that stands in OtherAttributes; readOnlyReason is why one that
// nobody can change is refused.
func kept(name, readOnlyReason string) (attribute, error) {
	a := attributeNamed(name)
	switch a.kind {
	case unknown:
		return a, invalid(dsdata.ValidationExceptionReasonInvalidAttributeName, "There is no attribute %s.", name)
	case ownMember:
		return a, invalid(dsdata.ValidationExceptionReasonInvalidAttributeName, "The attribute %s is a member of its own.", name)
	case notChanged:
		return a, invalid(readOnlyReason, "The attribute %s is the directory's own.", name)
	case ofGroup:
		return a, invalid(dsdata.ValidationExceptionReasonInvalidAttributeForUser, "Users do not have the attribute %s.", name)
	default:
		return a, nil
	}
}

// attributesOf reads the OtherAttributes of a request into lists of values by schema name.
func attributesOf(in map[string]dsdata.AttributeValue) (map[string][]string, error) {
	out := make(map[string][]string, len(in))
	for name, v := range in {
		a, err := kept(name, dsdata.ValidationExceptionReasonInvalidAttributeForModify)
		if err != nil {
			return nil, err
		}
		if _, twice := out[a.name]; twice {
			return nil, invalid(dsdata.ValidationExceptionReasonDuplicateAttribute, "The attribute %s is given twice.", a.name)
		}
		if out[a.name], err = a.read(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// read returns the values of an attribute in a request, which come in the kind's own way.
func (a attribute) read(v dsdata.AttributeValue) ([]string, error) {
	switch {
	case a.kind == text && v.S != nil:
		return []string{*v.S}, checkText(a.name, *v.S)
	case a.kind == number && v.N != nil:
		return []string{strconv.FormatInt(*v.N, 10)}, nil
	case a.kind == boolean && v.BOOL != nil:
		return []string{strings.ToUpper(strconv.FormatBool(*v.BOOL))}, nil
	case a.kind == set && v.SS != nil:
		for i, s := range v.SS {
			if slices.Contains(v.SS[:i], s) {
				return nil, invalid(dsdata.ValidationExceptionReasonInvalidAttributeValue, "A value of the attribute %s is given twice.", a.name)
			}
		}
		return v.SS, checkText(a.name, v.SS...)
	}
	return nil, invalid(dsdata.ValidationExceptionReasonInvalidAttributeValue, "The value of the attribute %s must be given as %s.", a.name,
		[...]string{text: "S", number: "N", boolean: "BOOL", set: "SS"}[a.kind])
}

// write returns an attribute's values as read found them.
func (a attribute) write(values []string) dsdata.AttributeValue {
	switch a.kind {
	case number:
		n, _ := strconv.ParseInt(values[0], 10, 64) // read wrote it
		return dsdata.AttributeValue{N: &n}
	case boolean:
		return dsdata.AttributeValue{BOOL: new(values[0] == "TRUE")}
	case set:
		return dsdata.AttributeValue{SS: values}
	default:
		return dsdata.AttributeValue{S: &values[0]}
	}
}

// The schema names of the attributes that are members of their own.
const (
	mail      = "mail"
	givenName = "givenName"
	surname   = "sn"
)

// membersOf reads the attributes that are members of their own, like attributesOf.
func membersOf(emailAddress, given, sn *string) (map[string][]string, error) {
	out := make(map[string][]string)
	for name, member := range map[string]*string{mail: emailAddress, givenName: given, surname: sn} {
		if member == nil {
			continue
		}
		if err := checkText(name, *member); err != nil {
			return nil, err
		}
		out[name] = []string{*member}
	}
	return out, nil
}

// checkText refuses texts that not every database can keep.
func checkText(attribute string, values ...string) error {
	for _, v := range values {
		if strings.ContainsRune(v, 0) {
			return invalid(dsdata.ValidationExceptionReasonInvalidAttributeValue, "The value of the attribute %s holds a zero byte.", attribute)
		}
	}
	return nil
}

// attributesNamed finds the attributes that a reply is to hold.
func attributesNamed(names []string) ([]attribute, error) {
	found := make([]attribute, 0, len(names))
	for _, name := range names {
		a, err := kept(name, dsdata.ValidationExceptionReasonInvalidAttributeName)
		if err != nil {
			return nil, err
		}
		if slices.Contains(found, a) {
			return nil, invalid(dsdata.ValidationExceptionReasonDuplicateAttribute, "The attribute %s is given twice.", a.name)
		}
		found = append(found, a)
	}
	return found, nil
}

// pick returns those of a user's other attributes that are asked for and have a value.
func pick(from map[string][]string, wanted []attribute) map[string]dsdata.AttributeValue {
	out := make(map[string]dsdata.AttributeValue, len(wanted))
	for _, a := range wanted {
		if values := from[a.name]; len(values) > 0 {
			out[a.name] = a.write(values)
		}
	}
	return out
}
