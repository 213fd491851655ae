package awsjson_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	dstypes "github.com/aws/aws-sdk-go-v2/service/directoryservice/types"
	"github.com/aws/aws-sdk-go-v2/service/directoryservicedata"
	dsdatatypes "github.com/aws/aws-sdk-go-v2/service/directoryservicedata/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	wstypes "github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/aws/smithy-go"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	stsapi "carrel/internal/api/sts"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
)

// sdk starts a server with the operations and returns how the Go SDK's clients reach it. SDK clients sign by the real
// time.
func sdk(t *testing.T, bound ...api.Handler) aws.Config {
	t.Helper()
	server := httptest.NewServer(newHandler(t, func(c *awsjson.Config) {
		c.Authenticator = awsjson.NewSigV4(keys{}, time.Now)
	}, bound...))
	t.Cleanup(server.Close)
	return aws.Config{
		Region:           "eu-central-1",
		BaseEndpoint:     &server.URL,
		Credentials:      credentials.NewStaticCredentialsProvider(keyID, secret, ""),
		RetryMaxAttempts: 1,
	}
}

func TestSDKPagesThroughWorkspaces(t *testing.T) {
	t.Parallel()
	client := workspaces.NewFromConfig(sdk(t, api.Bind(wsapi.DescribeWorkspaces,
		func(_ context.Context, in *wsapi.DescribeWorkspacesRequest) (*wsapi.DescribeWorkspacesResult, error) {
			if in.NextToken == nil {
				return &wsapi.DescribeWorkspacesResult{
					Workspaces: []wsapi.Workspace{{WorkspaceId: new("ws-1"), State: new(wsapi.WorkspaceStatePending)}},
					NextToken:  new("page 2 — ë"),
				}, nil
			}
			if *in.NextToken != "page 2 — ë" || *in.Limit != 7 {
				t.Errorf("got token %q, limit %d", *in.NextToken, *in.Limit)
			}
			return &wsapi.DescribeWorkspacesResult{Workspaces: []wsapi.Workspace{{WorkspaceId: new("ws-2")}}}, nil
		})))
	var got []string
	pages := workspaces.NewDescribeWorkspacesPaginator(client, &workspaces.DescribeWorkspacesInput{Limit: new(int32(7))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range page.Workspaces {
			got = append(got, *w.WorkspaceId+string(w.State))
		}
	}
	if strings.Join(got, " ") != "ws-1PENDING ws-2" {
		t.Errorf("got %q", got)
	}
}

func TestSDKReadsEveryKindOfMember(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1662526214744).UTC()
	config := sdk(t,
		api.Bind(wsapi.DescribeAccountModifications,
			func(context.Context, *wsapi.DescribeAccountModificationsRequest) (*wsapi.DescribeAccountModificationsResult, error) {
				return &wsapi.DescribeAccountModificationsResult{
					AccountModifications: []wsapi.AccountModification{{StartTime: api.At(at)}},
				}, nil
			}),
		api.Bind(wsapi.ImportClientBranding,
			func(_ context.Context, in *wsapi.ImportClientBrandingRequest) (*wsapi.ImportClientBrandingResult, error) {
				return &wsapi.ImportClientBrandingResult{DeviceTypeWindows: &wsapi.DefaultClientBrandingAttributes{
					LogoUrl:      new("https://logo/" + string(in.DeviceTypeWindows.Logo)),
					LoginMessage: in.DeviceTypeWindows.LoginMessage,
				}}, nil
			}))
	client := workspaces.NewFromConfig(config)
	modifications, err := client.DescribeAccountModifications(t.Context(), &workspaces.DescribeAccountModificationsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got := modifications.AccountModifications[0].StartTime; !got.Equal(at) {
		t.Errorf("time: got %s, want %s", got, at)
	}
	branding, err := client.ImportClientBranding(t.Context(), &workspaces.ImportClientBrandingInput{
		ResourceId: new("d-926722edaf"),
		DeviceTypeWindows: &wstypes.DefaultImportClientBrandingAttributes{
			Logo: []byte("png"), LoginMessage: map[string]string{"en_US": "Hello"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if b := branding.DeviceTypeWindows; *b.LogoUrl != "https://logo/png" || b.LoginMessage["en_US"] != "Hello" {
		t.Errorf("branding: got %+v", b)
	}
}

func TestSDKReadsTypedErrors(t *testing.T) {
	t.Parallel()
	config := sdk(t,
		wsapi.TerminateWorkspacesPool.Refuse(wsapi.ResourceNotFoundException.New("No such directory.").With("ResourceId", "d-1")),
		wsapi.MigrateWorkspace.Refuse(wsapi.OperationNotSupportedException.New("Not now.").With("reason", "why")),
		dsapi.DescribeDirectories.Refuse(dsapi.EntityDoesNotExistException.New("Gone.").With("RequestId", "r-1")),
		dsdataapi.DescribeUser.Refuse(dsdataapi.AccessDeniedException.New("No.").With("Reason", dsdataapi.AccessDeniedReasonDataDisabled)),
	)
	ctx := t.Context()
	ws := workspaces.NewFromConfig(config)

	_, err := ws.TerminateWorkspacesPool(ctx, &workspaces.TerminateWorkspacesPoolInput{PoolId: new("wspool-123456789")})
	if e, ok := errors.AsType[*wstypes.ResourceNotFoundException](err); !ok || *e.Message != "No such directory." || *e.ResourceId != "d-1" {
		t.Errorf("ResourceNotFoundException: got %v", err)
	}
	_, err = ws.MigrateWorkspace(ctx, &workspaces.MigrateWorkspaceInput{
		SourceWorkspaceId: new("ws-123456789"), BundleId: new("wsb-123456789"),
	})
	if e, ok := errors.AsType[*wstypes.OperationNotSupportedException](err); !ok || *e.Reason != "why" {
		t.Errorf("OperationNotSupportedException: got %v", err)
	}
	_, err = ws.DescribeWorkspaces(ctx, &workspaces.DescribeWorkspacesInput{Limit: new(int32(99))})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "ValidationException" ||
		!strings.HasPrefix(e.ErrorMessage(), "1 validation error detected: Value '99' at 'limit'") {
		t.Errorf("ValidationException: got %v", err)
	}
	_, err = directoryservice.NewFromConfig(config).DescribeDirectories(ctx, &directoryservice.DescribeDirectoriesInput{})
	if e, ok := errors.AsType[*dstypes.EntityDoesNotExistException](err); !ok || *e.Message != "Gone." || *e.RequestId != "r-1" {
		t.Errorf("EntityDoesNotExistException: got %v", err)
	}
	_, err = directoryservicedata.NewFromConfig(config).DescribeUser(ctx, &directoryservicedata.DescribeUserInput{
		DirectoryId: new("d-926722edaf"), SAMAccountName: new("jo"),
	})
	if e, ok := errors.AsType[*dsdatatypes.AccessDeniedException](err); !ok || *e.Message != "No." ||
		e.Reason != dsdatatypes.AccessDeniedReasonDataDisabled {
		t.Errorf("AccessDeniedException: got %v", err)
	}
}

func TestSDKSpeaksToDirectoryServices(t *testing.T) {
	t.Parallel()
	config := sdk(t,
		api.Bind(dsapi.CreateDirectory,
			func(_ context.Context, in *dsapi.CreateDirectoryRequest) (*dsapi.CreateDirectoryResult, error) {
				return &dsapi.CreateDirectoryResult{DirectoryId: new("d-" + *in.Name)}, nil
			}),
		api.Bind(dsdataapi.CreateUser,
			func(_ context.Context, in *dsdataapi.CreateUserRequest) (*dsdataapi.CreateUserResult, error) {
				return &dsdataapi.CreateUserResult{
					DirectoryId: in.DirectoryId, SAMAccountName: in.SAMAccountName, SID: in.OtherAttributes["department"].S,
				}, nil
			}))
	directory, err := directoryservice.NewFromConfig(config).CreateDirectory(t.Context(), &directoryservice.CreateDirectoryInput{
		Name: new("corp.example.com"), Password: new("Sw0rdfish!"), Size: dstypes.DirectorySizeSmall,
	})
	if err != nil || *directory.DirectoryId != "d-corp.example.com" {
		t.Errorf("CreateDirectory: %v", err)
	}
	user, err := directoryservicedata.NewFromConfig(config).CreateUser(t.Context(), &directoryservicedata.CreateUserInput{
		DirectoryId: new("d-926722edaf"), SAMAccountName: new("jo.doe"),
		OtherAttributes: map[string]dsdatatypes.AttributeValue{"department": &dsdatatypes.AttributeValueMemberS{Value: "R&D"}},
	})
	if err != nil || *user.DirectoryId != "d-926722edaf" || *user.SAMAccountName != "jo.doe" || *user.SID != "R&D" {
		t.Errorf("CreateUser: %v", err)
	}
}

func TestSDKAsksWhoItIs(t *testing.T) {
	t.Parallel()
	config := sdk(t, api.Bind(stsapi.GetCallerIdentity,
		func(ctx context.Context, _ *stsapi.GetCallerIdentityRequest) (*stsapi.GetCallerIdentityResponse, error) {
			caller := api.CallerFrom(ctx)
			return &stsapi.GetCallerIdentityResponse{Account: &caller.Account, Arn: &caller.UserARN, UserId: &caller.UserID}, nil
		}))
	identity, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *identity.Account != account || *identity.Arn != userARN || *identity.UserId != "AIDAADMIN" {
		t.Errorf("got %+v, %v", identity, err)
	}
	config.Credentials = credentials.NewStaticCredentialsProvider("AKIDOTHER", secret, "")
	_, err = sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "InvalidClientTokenId" {
		t.Errorf("unknown key: got %v", err)
	}
}
