package operation_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// picture is a PNG of a colour.
func picture(t *testing.T, shade uint8) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewPaletted(image.Rect(0, 0, 8, 4), color.Palette{color.Gray{shade}})); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// heavyPicture is a PNG of about so many bytes, which do not compress.
func heavyPicture(t *testing.T, size int) []byte {
	t.Helper()
	noise := image.NewGray(image.Rect(0, 0, 1000, size/1000))
	rand.New(rand.NewSource(1)).Read(noise.Pix)
	var out bytes.Buffer
	if err := png.Encode(&out, noise); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (c client) importBranding(t *testing.T, in *sdk.ImportClientBrandingInput) error {
	t.Helper()
	_, err := c.ImportClientBranding(t.Context(), in)
	return err
}

// branding describes a directory's branding.
func (c client) branding(t *testing.T, id string) *sdk.DescribeClientBrandingOutput {
	t.Helper()
	out, err := c.DescribeClientBranding(t.Context(), &sdk.DescribeClientBrandingInput{ResourceId: &id})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// logoAt is the picture that an address stands for.
func (s *server) logoAt(t *testing.T, address *string) (content []byte) {
	t.Helper()
	if address == nil {
		return nil
	}
	path, ours := strings.CutPrefix(*address, s.http.URL+workspaces.BrandingPath)
	parts := strings.Split(strings.TrimSuffix(path, ".png"), "/")
	if !ours || len(parts) != 3 || len(*address) > 200 {
		t.Fatalf("address %s", *address)
	}
	err := s.store.View(func(tx *store.Tx) (err error) {
		content, _, err = tx.ClientLogo(t.Context(), parts[0], workspaces.Platform(parts[1]), parts[2])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestClientBranding(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	id, other := s.home(t), s.home(t)
	if got := c.branding(t, id); got.DeviceTypeWeb != nil || got.DeviceTypeIos != nil {
		t.Errorf("a fresh one: %s", show(got))
	}
	imported, err := c.ImportClientBranding(t.Context(), &sdk.ImportClientBrandingInput{
		ResourceId: &id,
		DeviceTypeWeb: &types.DefaultImportClientBrandingAttributes{
			Logo: picture(t, 1), SupportEmail: new("help@example.com"), ForgotPasswordLink: new("https://forgot.example/"),
			LoginMessage: map[string]string{"en_US": "<b>Hello</b><script>"},
		},
		DeviceTypeIos: &types.IosImportClientBrandingAttributes{
			Logo: picture(t, 2), Logo2x: picture(t, 3), Logo3x: picture(t, 4), SupportLink: new("https://help.example/"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := c.branding(t, id)
	if !reflect.DeepEqual(got.DeviceTypeWeb, imported.DeviceTypeWeb) || !reflect.DeepEqual(got.DeviceTypeIos, imported.DeviceTypeIos) {
		t.Errorf("imported %s\ndescribed %s", show(imported), show(got))
	}
	web, ios := got.DeviceTypeWeb, got.DeviceTypeIos
	for address, shade := range map[*string]uint8{web.LogoUrl: 1, ios.LogoUrl: 2, ios.Logo2xUrl: 3, ios.Logo3xUrl: 4} {
		if content := s.logoAt(t, address); !bytes.Equal(content, picture(t, shade)) {
			t.Errorf("%s has another picture", *address)
		}
	}
	if want := (&types.DefaultClientBrandingAttributes{
		LogoUrl: web.LogoUrl, SupportEmail: new("help@example.com"), ForgotPasswordLink: new("https://forgot.example/"),
		LoginMessage: map[string]string{"en_US": "<b>Hello</b><script>"}, // as it was imported
	}); !reflect.DeepEqual(web, want) {
		t.Errorf("got %s\nwant %s", show(web), show(want))
	}
	if *ios.SupportLink != "https://help.example/" || ios.SupportEmail != nil || ios.LoginMessage != nil {
		t.Errorf("got %s", show(ios))
	}
	if got.DeviceTypeWindows != nil || got.DeviceTypeOsx != nil || got.DeviceTypeAndroid != nil || got.DeviceTypeLinux != nil {
		t.Errorf("platforms that nothing was imported for: %s", show(got))
	}

	// An import takes the place of all that its platforms had, and leaves the others alone.
	err = c.importBranding(t, &sdk.ImportClientBrandingInput{
		ResourceId: &id, DeviceTypeWeb: &types.DefaultImportClientBrandingAttributes{SupportLink: new("https://b.example/")},
		DeviceTypeWindows: &types.DefaultImportClientBrandingAttributes{Logo: picture(t, 1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	got = c.branding(t, id)
	if want := (&types.DefaultClientBrandingAttributes{SupportLink: new("https://b.example/")}); !reflect.DeepEqual(got.DeviceTypeWeb, want) {
		t.Errorf("got %s\nwant %s", show(got.DeviceTypeWeb), show(want))
	}
	if !reflect.DeepEqual(got.DeviceTypeIos, ios) || s.logoAt(t, web.LogoUrl) != nil || s.logoAt(t, got.DeviceTypeWindows.LogoUrl) == nil {
		t.Errorf("got %s", show(got))
	}

	for range 2 {
		_, err = c.DeleteClientBranding(t.Context(), &sdk.DeleteClientBrandingInput{
			ResourceId: &id, Platforms: []types.ClientDeviceType{types.ClientDeviceTypeDeviceTypeIos, types.ClientDeviceTypeDeviceTypeWindows},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got = c.branding(t, id)
	if got.DeviceTypeIos != nil || got.DeviceTypeWindows != nil || got.DeviceTypeWeb == nil || s.logoAt(t, ios.Logo3xUrl) != nil {
		t.Errorf("got %s", show(got))
	}
	if got := c.branding(t, other); got.DeviceTypeWeb != nil {
		t.Errorf("another directory has %s", show(got))
	}
}

func TestImportBrandingRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	id := s.home(t)
	type attributes = types.DefaultImportClientBrandingAttributes
	web := func(a attributes) error {
		return c.importBranding(t, &sdk.ImportClientBrandingInput{
			ResourceId: &id, DeviceTypeWeb: &a, DeviceTypeLinux: &attributes{SupportEmail: new("help@example.com")},
		})
	}
	heavy := heavyPicture(t, 1_400_000)
	refused(t, c.importBranding(t, &sdk.ImportClientBrandingInput{ResourceId: &id}), invalid, "platform")
	refused(t, web(attributes{}), invalid, "DeviceTypeWeb", "nothing")
	refused(t, web(attributes{SupportEmail: new("help@example.com"), SupportLink: new("https://a.example/")}), invalid, "SupportEmail")
	refused(t, web(attributes{LoginMessage: map[string]string{"de_DE": "Hallo"}}), invalid, "de_DE")
	refused(t, web(attributes{Logo: []byte("GIF89a")}), invalid, "PNG")
	refused(t, web(attributes{Logo: heavy[:len(heavy)-100]}), invalid, "broken")
	refused(t, web(attributes{ForgotPasswordLink: new("https://")}), validation)
	refused(t, web(attributes{ForgotPasswordLink: new("https:///a")}), invalid, "no link")
	refused(t, web(attributes{Logo: heavyPicture(t, 1_600_000)}), validation)
	refused(t, c.importBranding(t, &sdk.ImportClientBrandingInput{
		ResourceId: &id, DeviceTypeIos: &types.IosImportClientBrandingAttributes{Logo: picture(t, 1), Logo2x: []byte("no picture")},
	}), invalid, "PNG")
	refused(t, c.importBranding(t, &sdk.ImportClientBrandingInput{
		ResourceId: &id, DeviceTypeWeb: &attributes{Logo: heavy}, DeviceTypeLinux: &attributes{Logo: heavy}, DeviceTypeOsx: &attributes{Logo: heavy},
		DeviceTypeWindows: &attributes{Logo: heavy}, DeviceTypeIos: &types.IosImportClientBrandingAttributes{Logo: heavyPicture(t, 440_000)},
	}), limit, "6000000")
	if got := c.branding(t, id); got.DeviceTypeWeb != nil || got.DeviceTypeLinux != nil {
		t.Errorf("of what was refused there is %s", show(got))
	}
	if err := web(attributes{Logo: heavy}); err != nil {
		t.Error(err)
	}
}

// waysOfBranding are those of client branding.
func waysOfBranding(t *testing.T) []way {
	t.Helper()
	s := start(t)
	c := s.client()
	home, free := s.home(t), s.directory(t, s.client().scope)
	type attributes = types.DefaultImportClientBrandingAttributes
	heavy := heavyPicture(t, 1_490_000)
	return []way{
		{wsapi.ImportClientBranding.Spec(), invalid, func() error {
			return c.importBranding(t, &sdk.ImportClientBrandingInput{ResourceId: &home})
		}},
		{wsapi.ImportClientBranding.Spec(), limit, func() error {
			return c.importBranding(t, &sdk.ImportClientBrandingInput{
				ResourceId: &home, DeviceTypeWeb: &attributes{Logo: heavy}, DeviceTypeLinux: &attributes{Logo: heavy},
				DeviceTypeOsx: &attributes{Logo: heavy}, DeviceTypeWindows: &attributes{Logo: heavy},
				DeviceTypeIos: &types.IosImportClientBrandingAttributes{Logo: heavyPicture(t, 100_000)},
			})
		}},
		{wsapi.ImportClientBranding.Spec(), notFound, func() error {
			return c.importBranding(t, &sdk.ImportClientBrandingInput{ResourceId: &free, DeviceTypeWeb: &attributes{SupportLink: new("https://a.example/")}})
		}},
		{wsapi.DescribeClientBranding.Spec(), notFound, func() error {
			_, err := c.DescribeClientBranding(t.Context(), &sdk.DescribeClientBrandingInput{ResourceId: &free})
			return err
		}},
		{wsapi.DeleteClientBranding.Spec(), notFound, func() error {
			_, err := c.DeleteClientBranding(t.Context(), &sdk.DeleteClientBrandingInput{
				ResourceId: &free, Platforms: []types.ClientDeviceType{types.ClientDeviceTypeDeviceTypeWeb},
			})
			return err
		}},
	}
}

// brandingAttempts are what a stranger tries with a directory's branding.
func brandingAttempts(d string) map[string]func(t *testing.T, c client) {
	return map[string]func(t *testing.T, c client){
		"ImportClientBranding": func(t *testing.T, c client) {
			t.Helper()
			refused(t, c.importBranding(t, &sdk.ImportClientBrandingInput{
				ResourceId: &d, DeviceTypeWeb: &types.DefaultImportClientBrandingAttributes{SupportLink: new("https://a.example/")},
			}), notFound, d)
		},
		"DescribeClientBranding": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.DescribeClientBranding(t.Context(), &sdk.DescribeClientBrandingInput{ResourceId: &d})
			refused(t, err, notFound, d)
		},
		"DeleteClientBranding": func(t *testing.T, c client) {
			t.Helper()
			_, err := c.DeleteClientBranding(t.Context(), &sdk.DeleteClientBrandingInput{
				ResourceId: &d, Platforms: []types.ClientDeviceType{types.ClientDeviceTypeDeviceTypeWeb},
			})
			refused(t, err, notFound, d)
		},
	}
}
