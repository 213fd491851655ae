package workspaces

import "time"

// AccessKey signs requests for an account.
type AccessKey struct {
	ID        string
	Secret    string
	Account   string
	CreatedAt time.Time
}
