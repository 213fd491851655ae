package operation

import (
	"context"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// ImportClientBranding sets what the way into a directory's WorkSpaces looks like on the
// platforms that it names, in place of all that was set for them before.
//
// Effect: portal. The sign-in page has the logo, the message and the links of DeviceTypeWeb. Those
// of other devices are kept, and their logos answer at their addresses: there are no other clients.
func (s WorkSpaces) ImportClientBranding(
	ctx context.Context, in *wsapi.ImportClientBrandingRequest,
) (*wsapi.ImportClientBrandingResult, error) {
	imports, err := brandingsOf(ctx, in)
	if err != nil {
		return nil, err
	}
	var all map[workspaces.Platform]*workspaces.ClientBranding
	err = s.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if err := checkRegistered(ctx, tx, in.ResourceId); err != nil {
			return err
		}
		for _, b := range imports {
			if err := tx.PutClientBranding(ctx, b); err != nil {
				return err
			}
		}
		all, err = tx.ClientBrandings(ctx, Scope(ctx), deref(in.ResourceId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return (*wsapi.ImportClientBrandingResult)(describeBranding(ctx, all)), nil
}

// DescribeClientBranding returns the branding of a directory, of the platforms that have any.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeClientBranding(
	ctx context.Context, in *wsapi.DescribeClientBrandingRequest,
) (*wsapi.DescribeClientBrandingResult, error) {
	var all map[workspaces.Platform]*workspaces.ClientBranding
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if _, err = registration(ctx, tx, deref(in.ResourceId)); err == nil {
			all, err = tx.ClientBrandings(ctx, Scope(ctx), deref(in.ResourceId))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return describeBranding(ctx, all), nil
}

// DeleteClientBranding takes the branding of platforms away. Those that have none are ignored.
//
// Effect: portal. The sign-in page looks like everybody's again.
func (s WorkSpaces) DeleteClientBranding(
	ctx context.Context, in *wsapi.DeleteClientBrandingRequest,
) (*wsapi.DeleteClientBrandingResult, error) {
	return &wsapi.DeleteClientBrandingResult{}, s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := checkRegistered(ctx, tx, in.ResourceId); err != nil {
			return err
		}
		for _, platform := range in.Platforms {
			if err := tx.DeleteClientBranding(ctx, Scope(ctx), deref(in.ResourceId), workspaces.Platform(platform)); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkRegistered refuses directories that are not registered, or not yet, or soon no more: the
// operations on branding and add-ins declare no exception for a wrong state.
func checkRegistered(ctx context.Context, tx *store.Tx, id *string) error {
	d, err := registration(ctx, tx, deref(id))
	if err != nil {
		return err
	}
	return d.CheckRegistered(workspaces.CodeNotFound)
}

// brandingsOf reads and checks what a request imports.
func brandingsOf(ctx context.Context, in *wsapi.ImportClientBrandingRequest) (all []*workspaces.ClientBranding, err error) {
	weight := 0
	for _, p := range []struct {
		platform workspaces.Platform
		given    *wsapi.IosImportClientBrandingAttributes // which is all that the others have, and more
	}{
		{workspaces.PlatformWindows, plainBranding(in.DeviceTypeWindows)},
		{workspaces.PlatformOSX, plainBranding(in.DeviceTypeOsx)},
		{workspaces.PlatformAndroid, plainBranding(in.DeviceTypeAndroid)},
		{workspaces.PlatformIOS, in.DeviceTypeIos},
		{workspaces.PlatformLinux, plainBranding(in.DeviceTypeLinux)},
		{workspaces.PlatformWeb, plainBranding(in.DeviceTypeWeb)},
	} {
		if p.given == nil {
			continue
		}
		b := &workspaces.ClientBranding{
			Scope: Scope(ctx), DirectoryID: deref(in.ResourceId), Platform: p.platform, SupportEmail: deref(p.given.SupportEmail),
			SupportLink: deref(p.given.SupportLink), ForgotPasswordLink: deref(p.given.ForgotPasswordLink), LoginMessages: p.given.LoginMessage,
		}
		if b.Logos, err = logosOf(p.given); err != nil {
			return nil, err
		}
		if err := b.Check(); err != nil {
			return nil, err
		}
		all, weight = append(all, b), weight+b.Weight()
	}
	if len(all) == 0 {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "At least one platform must be given.")
	}
	if weight > workspaces.MaxBranding {
		return nil, workspaces.Errorf(workspaces.CodeLimitExceeded, "A request can import %d bytes; import for different platforms separately.", workspaces.MaxBranding)
	}
	return all, nil
}

func plainBranding(in *wsapi.DefaultImportClientBrandingAttributes) *wsapi.IosImportClientBrandingAttributes {
	if in == nil {
		return nil
	}
	return &wsapi.IosImportClientBrandingAttributes{
		Logo: in.Logo, SupportEmail: in.SupportEmail, SupportLink: in.SupportLink, ForgotPasswordLink: in.ForgotPasswordLink,
		LoginMessage: in.LoginMessage,
	}
}

func logosOf(in *wsapi.IosImportClientBrandingAttributes) (logos []workspaces.Logo, err error) {
	for i, content := range [][]byte{in.Logo, in.Logo2x, in.Logo3x} {
		if content == nil {
			continue
		}
		logo, err := workspaces.NewLogo(i+1, content)
		if err != nil {
			return nil, err
		}
		logos = append(logos, logo)
	}
	return logos, nil
}

// describeBranding is branding as the API shows it, with addresses of logos that whoever asks can open.
func describeBranding(ctx context.Context, all map[workspaces.Platform]*workspaces.ClientBranding) *wsapi.DescribeClientBrandingResult {
	plain := func(p workspaces.Platform) *wsapi.DefaultClientBrandingAttributes {
		b := all[p]
		if b == nil {
			return nil
		}
		return &wsapi.DefaultClientBrandingAttributes{
			LogoUrl: logoURL(ctx, b, 1), SupportEmail: some(b.SupportEmail), SupportLink: some(b.SupportLink),
			ForgotPasswordLink: some(b.ForgotPasswordLink), LoginMessage: b.LoginMessages,
		}
	}
	out := &wsapi.DescribeClientBrandingResult{
		DeviceTypeWindows: plain(workspaces.PlatformWindows), DeviceTypeOsx: plain(workspaces.PlatformOSX),
		DeviceTypeAndroid: plain(workspaces.PlatformAndroid), DeviceTypeLinux: plain(workspaces.PlatformLinux),
		DeviceTypeWeb: plain(workspaces.PlatformWeb),
	}
	if b := all[workspaces.PlatformIOS]; b != nil {
		out.DeviceTypeIos = &wsapi.IosClientBrandingAttributes{
			LogoUrl: logoURL(ctx, b, 1), Logo2xUrl: logoURL(ctx, b, 2), Logo3xUrl: logoURL(ctx, b, 3), SupportEmail: some(b.SupportEmail),
			SupportLink: some(b.SupportLink), ForgotPasswordLink: some(b.ForgotPasswordLink), LoginMessage: b.LoginMessages,
		}
	}
	return out
}

// logoURL is the address of the logo of a size, nil where there is none.
func logoURL(ctx context.Context, b *workspaces.ClientBranding, size int) *string {
	for _, logo := range b.Logos {
		if logo.Size == size {
			return new(api.CallerFrom(ctx).Endpoint + b.LogoPath(logo))
		}
	}
	return nil
}
