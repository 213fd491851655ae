package operation

import (
	"context"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/workspaces"
)

// ModifyStreamingProperties says how desktops are streamed and what may cross between them
// and the devices of their users. Of the user settings those that are not named stay.
//
// Effect: stream. Clipboard and files follow it, in streams that run as well. Printing, smart
// cards, protocols and the accelerator are kept: browsers have none of them.
func (s WorkSpaces) ModifyStreamingProperties(
	ctx context.Context, in *wsapi.ModifyStreamingPropertiesRequest,
) (*wsapi.ModifyStreamingPropertiesResult, error) {
	p := deref(in.StreamingProperties)
	permissions, err := streamPermissionsOf(p.UserSettings)
	if err != nil {
		return nil, err
	}
	if len(p.StorageConnectors) > 1 { // there is one type of them
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "The storage connector %s is given twice.", deref(p.StorageConnectors[0].ConnectorType))
	}
	return &wsapi.ModifyStreamingPropertiesResult{}, s.modify(ctx, in.ResourceId, func(d *workspaces.WorkspaceDirectory) error {
		streaming := &d.Settings.Streaming
		set(&streaming.PreferredProtocol, p.StreamingExperiencePreferredProtocol)
		for _, c := range p.StorageConnectors {
			set(&streaming.HomeFolder, c.Status)
		}
		if g := p.GlobalAccelerator; g != nil {
			set(&streaming.Accelerator.Mode, g.Mode)
			set(&streaming.Accelerator.PreferredProtocol, g.PreferredProtocol)
		}
		return streaming.SetPermissions(permissions)
	})
}

func streamPermissionsOf(in []wsapi.UserSetting) ([]workspaces.StreamPermission, error) {
	permissions := make([]workspaces.StreamPermission, len(in))
	for i, s := range in {
		if s.MaximumLength != nil && *s.MaximumLength == 0 {
			return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "MaximumLength must be at least 1; the permission DISABLED keeps everything back.")
		}
		permissions[i] = workspaces.StreamPermission{
			Action: workspaces.StreamAction(deref(s.Action)), Permission: deref(s.Permission), MaximumLength: int(deref(s.MaximumLength)),
		}
	}
	return permissions, nil
}

// describeStreaming is what the API shows of streaming properties, nil where none was ever set.
func describeStreaming(p *workspaces.StreamingProperties) *wsapi.StreamingProperties {
	out := wsapi.StreamingProperties{StreamingExperiencePreferredProtocol: some(p.PreferredProtocol)}
	for _, s := range p.Permissions {
		setting := wsapi.UserSetting{Action: new(string(s.Action)), Permission: &s.Permission}
		if s.MaximumLength > 0 {
			setting.MaximumLength = new(int32(s.MaximumLength)) //nolint:gosec // checked when it was set
		}
		out.UserSettings = append(out.UserSettings, setting)
	}
	if p.HomeFolder != "" {
		out.StorageConnectors = []wsapi.StorageConnector{{ConnectorType: new(wsapi.StorageConnectorTypeEnumHomeFolder), Status: &p.HomeFolder}}
	}
	if p.Accelerator.Mode != "" {
		out.GlobalAccelerator = &wsapi.GlobalAcceleratorForDirectory{
			Mode: &p.Accelerator.Mode, PreferredProtocol: some(p.Accelerator.PreferredProtocol),
		}
	}
	if out.StreamingExperiencePreferredProtocol == nil && out.UserSettings == nil && out.StorageConnectors == nil && out.GlobalAccelerator == nil {
		return nil
	}
	return &out
}
