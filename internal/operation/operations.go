package operation

import (
	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/workspaces"
)

//go:generate go run ./operationsdoc . ../../docs/operations.md

// WorkSpaces answers the operations of the service workspaces. What comes of each is said in its
// method's comment, in the form that package effect reads, and so on the page docs/operations.md.
type WorkSpaces struct{ *Core }

// exceptions is the service's table from the domain's codes.
func exceptions() Exceptions {
	return Exceptions{
		workspaces.CodeInvalidParameter:     wsapi.InvalidParameterValuesException,
		workspaces.CodeValidation:           wsapi.ValidationException,
		workspaces.CodeInvalidNextToken:     wsapi.InvalidParameterValuesException,
		workspaces.CodeNotFound:             wsapi.ResourceNotFoundException,
		workspaces.CodeUserNotFound:         wsapi.ResourceNotFoundException,
		workspaces.CodeAlreadyExists:        wsapi.ResourceAlreadyExistsException,
		workspaces.CodeLimitExceeded:        wsapi.ResourceLimitExceededException,
		workspaces.CodeInvalidState:         wsapi.InvalidResourceStateException,
		workspaces.CodeNotSupported:         wsapi.OperationNotSupportedException,
		workspaces.CodeInProgress:           wsapi.OperationInProgressException,
		workspaces.CodeAssociated:           wsapi.ResourceAssociatedException,
		workspaces.CodeUnavailable:          wsapi.ResourceUnavailableException,
		workspaces.CodeAccessDenied:         wsapi.AccessDeniedException,
		workspaces.CodeInvalidCombination:   wsapi.InvalidParameterCombinationException,
		workspaces.CodeUnsupportedConfig:    wsapi.UnsupportedNetworkConfigurationException,
		workspaces.CodeUnsupportedWorkSpace: wsapi.UnsupportedWorkspaceConfigurationException,
		workspaces.CodeInUse:                wsapi.ResourceInUseException,

		workspaces.CodeApplicationNotSupported:  wsapi.ApplicationNotSupportedException,
		workspaces.CodeComputeIncompatible:      wsapi.ComputeNotCompatibleException,
		workspaces.CodeOSIncompatible:           wsapi.OperatingSystemNotCompatibleException,
		workspaces.CodeIncompatibleApplications: wsapi.IncompatibleApplicationsException,
	}
}

// linkExceptions is the table of the operations on account links, which are of a newer style.
func linkExceptions() Exceptions {
	table := exceptions()
	table[workspaces.CodeInvalidParameter] = wsapi.ValidationException
	table[workspaces.CodeInvalidNextToken] = wsapi.ValidationException
	for _, code := range []workspaces.Code{workspaces.CodeAlreadyExists, workspaces.CodeInvalidState, workspaces.CodeInProgress} {
		table[code] = wsapi.ConflictException
	}
	return table
}

// bound are the operations, all of them: routing's one table.
func (s WorkSpaces) bound() []api.Handler {
	t, links := exceptions(), linkExceptions()
	return []api.Handler{
		Bind(links, wsapi.AcceptAccountLinkInvitation, s.AcceptAccountLinkInvitation),
		Bind(t, wsapi.AssociateConnectionAlias, s.AssociateConnectionAlias),
		Bind(t, wsapi.AssociateIpGroups, s.AssociateIpGroups),
		Bind(t, wsapi.AssociateWorkspaceApplication, s.AssociateWorkspaceApplication),
		Bind(t, wsapi.AuthorizeIpRules, s.AuthorizeIpRules),
		Bind(t, wsapi.CopyWorkspaceImage, s.CopyWorkspaceImage),
		Bind(links, wsapi.CreateAccountLinkInvitation, s.CreateAccountLinkInvitation),
		Bind(t, wsapi.CreateConnectClientAddIn, s.CreateConnectClientAddIn),
		Bind(t, wsapi.CreateConnectionAlias, s.CreateConnectionAlias),
		Bind(t, wsapi.CreateIpGroup, s.CreateIpGroup),
		Bind(t, wsapi.CreateStandbyWorkspaces, s.CreateStandbyWorkspaces),
		Bind(t, wsapi.CreateTags, s.CreateTags),
		Bind(t, wsapi.CreateUpdatedWorkspaceImage, s.CreateUpdatedWorkspaceImage),
		Bind(t, wsapi.CreateWorkspaceBundle, s.CreateWorkspaceBundle),
		Bind(t, wsapi.CreateWorkspaceImage, s.CreateWorkspaceImage),
		Bind(t, wsapi.CreateWorkspaces, s.CreateWorkspaces),
		Bind(t, wsapi.CreateWorkspacesPool, s.CreateWorkspacesPool),
		Bind(links, wsapi.DeleteAccountLinkInvitation, s.DeleteAccountLinkInvitation),
		Bind(t, wsapi.DeleteClientBranding, s.DeleteClientBranding),
		Bind(t, wsapi.DeleteConnectClientAddIn, s.DeleteConnectClientAddIn),
		Bind(t, wsapi.DeleteConnectionAlias, s.DeleteConnectionAlias),
		Bind(t, wsapi.DeleteIpGroup, s.DeleteIpGroup),
		Bind(t, wsapi.DeleteTags, s.DeleteTags),
		Bind(t, wsapi.DeleteWorkspaceBundle, s.DeleteWorkspaceBundle),
		Bind(t, wsapi.DeleteWorkspaceImage, s.DeleteWorkspaceImage),
		Bind(t, wsapi.DeployWorkspaceApplications, s.DeployWorkspaceApplications),
		Bind(t, wsapi.DeregisterWorkspaceDirectory, s.DeregisterWorkspaceDirectory),
		Bind(t, wsapi.DescribeAccount, s.DescribeAccount),
		Bind(t, wsapi.DescribeAccountModifications, s.DescribeAccountModifications),
		Bind(t, wsapi.DescribeApplicationAssociations, s.DescribeApplicationAssociations),
		Bind(t, wsapi.DescribeApplications, s.DescribeApplications),
		Bind(t, wsapi.DescribeBundleAssociations, s.DescribeBundleAssociations),
		Bind(t, wsapi.DescribeClientBranding, s.DescribeClientBranding),
		Bind(t, wsapi.DescribeClientProperties, s.DescribeClientProperties),
		Bind(t, wsapi.DescribeConnectClientAddIns, s.DescribeConnectClientAddIns),
		Bind(t, wsapi.DescribeConnectionAliasPermissions, s.DescribeConnectionAliasPermissions),
		Bind(t, wsapi.DescribeConnectionAliases, s.DescribeConnectionAliases),
		Bind(t, wsapi.DescribeCustomWorkspaceImageImport, s.DescribeCustomWorkspaceImageImport),
		Bind(t, wsapi.DescribeImageAssociations, s.DescribeImageAssociations),
		Bind(t, wsapi.DescribeIpGroups, s.DescribeIpGroups),
		Bind(t, wsapi.DescribeTags, s.DescribeTags),
		Bind(t, wsapi.DescribeWorkspaceAssociations, s.DescribeWorkspaceAssociations),
		Bind(t, wsapi.DescribeWorkspaceBundles, s.DescribeWorkspaceBundles),
		Bind(t, wsapi.DescribeWorkspaceDirectories, s.DescribeWorkspaceDirectories),
		Bind(t, wsapi.DescribeWorkspaceImagePermissions, s.DescribeWorkspaceImagePermissions),
		Bind(t, wsapi.DescribeWorkspaceImages, s.DescribeWorkspaceImages),
		Bind(t, wsapi.DescribeWorkspaceSnapshots, s.DescribeWorkspaceSnapshots),
		Bind(t, wsapi.DescribeWorkspaces, s.DescribeWorkspaces),
		Bind(t, wsapi.DescribeWorkspacesConnectionStatus, s.DescribeWorkspacesConnectionStatus),
		Bind(t, wsapi.DescribeWorkspacesPoolSessions, s.DescribeWorkspacesPoolSessions),
		Bind(t, wsapi.DescribeWorkspacesPools, s.DescribeWorkspacesPools),
		Bind(t, wsapi.DisassociateConnectionAlias, s.DisassociateConnectionAlias),
		Bind(t, wsapi.DisassociateIpGroups, s.DisassociateIpGroups),
		Bind(t, wsapi.DisassociateWorkspaceApplication, s.DisassociateWorkspaceApplication),
		Bind(links, wsapi.GetAccountLink, s.GetAccountLink),
		Bind(t, wsapi.ImportClientBranding, s.ImportClientBranding),
		Bind(t, wsapi.ImportCustomWorkspaceImage, s.ImportCustomWorkspaceImage),
		Bind(t, wsapi.ImportWorkspaceImage, s.ImportWorkspaceImage),
		Bind(links, wsapi.ListAccountLinks, s.ListAccountLinks),
		Bind(t, wsapi.ListAvailableManagementCidrRanges, s.ListAvailableManagementCidrRanges),
		Bind(t, wsapi.MigrateWorkspace, s.MigrateWorkspace),
		Bind(t, wsapi.ModifyAccount, s.ModifyAccount),
		Bind(t, wsapi.ModifyCertificateBasedAuthProperties, s.ModifyCertificateBasedAuthProperties),
		Bind(t, wsapi.ModifyClientProperties, s.ModifyClientProperties),
		Bind(t, wsapi.ModifyEndpointEncryptionMode, s.ModifyEndpointEncryptionMode),
		Bind(t, wsapi.ModifySamlProperties, s.ModifySamlProperties),
		Bind(t, wsapi.ModifySelfservicePermissions, s.ModifySelfservicePermissions),
		Bind(t, wsapi.ModifyStreamingProperties, s.ModifyStreamingProperties),
		Bind(t, wsapi.ModifyWorkspaceAccessProperties, s.ModifyWorkspaceAccessProperties),
		Bind(t, wsapi.ModifyWorkspaceCreationProperties, s.ModifyWorkspaceCreationProperties),
		Bind(t, wsapi.ModifyWorkspaceProperties, s.ModifyWorkspaceProperties),
		Bind(t, wsapi.ModifyWorkspaceState, s.ModifyWorkspaceState),
		Bind(t, wsapi.RebootWorkspaces, s.RebootWorkspaces),
		Bind(t, wsapi.RebuildWorkspaces, s.RebuildWorkspaces),
		Bind(t, wsapi.RegisterWorkspaceDirectory, s.RegisterWorkspaceDirectory),
		Bind(links, wsapi.RejectAccountLinkInvitation, s.RejectAccountLinkInvitation),
		Bind(t, wsapi.RestoreWorkspace, s.RestoreWorkspace),
		Bind(t, wsapi.RevokeIpRules, s.RevokeIpRules),
		Bind(t, wsapi.StartWorkspaces, s.StartWorkspaces),
		Bind(t, wsapi.StartWorkspacesPool, s.StartWorkspacesPool),
		Bind(t, wsapi.StopWorkspaces, s.StopWorkspaces),
		Bind(t, wsapi.StopWorkspacesPool, s.StopWorkspacesPool),
		Bind(t, wsapi.TerminateWorkspaces, s.TerminateWorkspaces),
		Bind(t, wsapi.TerminateWorkspacesPool, s.TerminateWorkspacesPool),
		Bind(t, wsapi.TerminateWorkspacesPoolSession, s.TerminateWorkspacesPoolSession),
		Bind(t, wsapi.UpdateConnectClientAddIn, s.UpdateConnectClientAddIn),
		Bind(t, wsapi.UpdateConnectionAliasPermission, s.UpdateConnectionAliasPermission),
		Bind(t, wsapi.UpdateRulesOfIpGroup, s.UpdateRulesOfIpGroup),
		Bind(t, wsapi.UpdateWorkspaceBundle, s.UpdateWorkspaceBundle),
		Bind(t, wsapi.UpdateWorkspaceImagePermission, s.UpdateWorkspaceImagePermission),
		Bind(t, wsapi.UpdateWorkspacesPool, s.UpdateWorkspacesPool),
	}
}

// Handlers returns a handler for each of the 91 operations.
func (s WorkSpaces) Handlers() []api.Handler {
	handlers := s.bound()
	for i, h := range handlers {
		handlers[i] = keepable{h}
	}
	return handlers
}
