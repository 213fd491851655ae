package securitytoken_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"carrel/internal/api"
	stsapi "carrel/internal/api/sts"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/operation/securitytoken"
)

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	out, err := dstest.Start(t).STS().GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != dstest.Account || *out.Arn != "arn:aws:iam::"+dstest.Account+":root" || *out.UserId != dstest.Account {
		t.Errorf("GetCallerIdentity = %s %s %s", *out.Account, *out.Arn, *out.UserId)
	}
}

func TestGetCallerIdentityWithoutAUser(t *testing.T) {
	t.Parallel()
	ctx := api.WithCaller(t.Context(), api.Caller{Account: "123456789012", AccessKeyID: "AKIA0123456789ABCDEF"})
	out, err := securitytoken.New().GetCallerIdentity(ctx, &stsapi.GetCallerIdentityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != "123456789012" || *out.Arn != "arn:aws:iam::123456789012:user/carrel" || *out.UserId != "AKIA0123456789ABCDEF" {
		t.Errorf("GetCallerIdentity = %s %s %s", *out.Account, *out.Arn, *out.UserId)
	}
}
