// Package securitytoken is AWS Security Token Service (sts) as far as WorkSpaces clients need
// it: GetCallerIdentity, by which tools check their credentials before they start. All other
// operations are left to the wire, which refuses them. It imports the generated API and
// package operation.
package securitytoken

import (
	"cmp"
	"context"

	"carrel/internal/api"
	"carrel/internal/api/sts"
	"carrel/internal/operation"
)

// Service answers the operations of Security Token Service.
type Service struct{}

// New returns the service.
func New() *Service { return &Service{} }

// Handlers returns a handler for every operation that has types: routing's one table.
func (s *Service) Handlers() []api.Handler {
	return []api.Handler{
		operation.Bind(operation.Exceptions{}, sts.GetCallerIdentity, s.GetCallerIdentity),
	}
}

// GetCallerIdentity says whose key the request was signed with. It needs no permission. A key
// that is nobody's in particular is the user carrel's.
func (*Service) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityRequest) (*sts.GetCallerIdentityResponse, error) {
	caller := api.CallerFrom(ctx)
	return &sts.GetCallerIdentityResponse{
		Account: &caller.Account,
		Arn:     new(cmp.Or(caller.UserARN, "arn:aws:iam::"+caller.Account+":user/carrel")),
		UserId:  new(cmp.Or(caller.UserID, caller.AccessKeyID)),
	}, nil
}
