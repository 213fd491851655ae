package workspaces

import (
	"errors"
	"fmt"
)

// Code is what kind of failure an Error is. Each service's wire name for a code
// stands in one table of package operation.
type Code string

// The closed set of failures that a client can be told about.
const (
	CodeInvalidParameter     Code = "InvalidParameter"     // a value is out of range or does not fit another
	CodeValidation           Code = "Validation"           // a member is missing or malformed, beyond what the API model can say
	CodeNotFound             Code = "NotFound"             // the named thing does not exist in this account and region
	CodeAlreadyExists        Code = "AlreadyExists"        // a thing of that name or id exists
	CodeLimitExceeded        Code = "LimitExceeded"        // a quota is used up
	CodeInvalidState         Code = "InvalidState"         // the thing's state does not allow this
	CodeNotSupported         Code = "NotSupported"         // this is never allowed for such a thing
	CodeInProgress           Code = "InProgress"           // another change of the same thing is still running
	CodeAssociated           Code = "Associated"           // something else still uses the thing
	CodeUnavailable          Code = "Unavailable"          // the thing exists and cannot be used now
	CodeAccessDenied         Code = "AccessDenied"         // the thing belongs to somebody else
	CodeInvalidPassword      Code = "InvalidPassword"      // a password does not satisfy the directory's policy
	CodeUserNotFound         Code = "UserNotFound"         // a user does not exist in its directory
	CodeInvalidNextToken     Code = "InvalidNextToken"     // a paging token was not made by this operation
	CodeInvalidCombination   Code = "InvalidCombination"   // values that are each allowed cannot be used together
	CodeUnsupportedConfig    Code = "UnsupportedConfig"    // the request does not fit how the networks are laid out
	CodeDirectoryType        Code = "DirectoryType"        // the directory is of a kind that cannot do this
	CodeDataAccess           Code = "DataAccess"           // the directory's data access is not switched on
	CodeUnsupportedWorkSpace Code = "UnsupportedWorkSpace" // how this WorkSpace was made rules it out
	CodeInUse                Code = "InUse"                // the thing is busy with something else

	// Why an application cannot be in a WorkSpace.
	CodeApplicationNotSupported  Code = "ApplicationNotSupported"
	CodeComputeIncompatible      Code = "ComputeIncompatible"
	CodeOSIncompatible           Code = "OSIncompatible"
	CodeIncompatibleApplications Code = "IncompatibleApplications"
)

// Error is a failure that its cause, the client, is told about. Any other error
// is ours: its text goes to the log only.
type Error struct {
	Code       Code
	Message    string // a sentence for the client
	ResourceID string // the thing it is about, where the API model has a place for it
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Errorf makes an Error of the code with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// About names the thing that the error is about.
func (e *Error) About(id string) *Error {
	e.ResourceID = id
	return e
}

// CodeOf returns the code of the first Error in err's tree, "" where there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
