package workspaces

// ClientAddIn is a directory's link to Amazon Connect, which its users find beside their WorkSpaces.
type ClientAddIn struct {
	Scope
	DirectoryID string
	ID          string // a UUID
	Name        string
	URL         string
}

// Check refuses an add-in that leads nowhere.
func (a *ClientAddIn) Check() error {
	if !isLink(a.URL) {
		return Errorf(CodeInvalidParameter, "The URL %q is no link.", a.URL)
	}
	return nil
}
