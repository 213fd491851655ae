package workspaces

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image/png"
	"net/url"
)

// ClientBranding is what the way into a directory's WorkSpaces looks like on one kind of device.
type ClientBranding struct {
	Scope
	DirectoryID        string
	Platform           Platform
	SupportEmail       string // or SupportLink
	SupportLink        string
	ForgotPasswordLink string
	LoginMessages      map[string]string // by locale; HTML as it was imported, see package branding
	Logos              []Logo            // by their size
}

// Platform is a kind of device that branding is for, as the API spells it.
type Platform string

// The platforms, in the API's order.
const (
	PlatformWindows Platform = "DeviceTypeWindows"
	PlatformOSX     Platform = "DeviceTypeOsx"
	PlatformAndroid Platform = "DeviceTypeAndroid"
	PlatformIOS     Platform = "DeviceTypeIos"
	PlatformLinux   Platform = "DeviceTypeLinux"
	PlatformWeb     Platform = "DeviceTypeWeb"
)

// BrandingLocale is the one locale that login messages can be in. Source: ImportClientBranding.
const BrandingLocale = "en_US"

// MaxBranding is how much one import can hold, in bytes of pictures and text. Source: ImportClientBranding.
const MaxBranding = 6_000_000

// Logo is a picture of the organisation's.
type Logo struct {
	Size int    // the pixels to a point: 1, and for iOS also 2 and 3
	Hash string // of the picture: it names it, so that a name always stands for the same
	PNG  []byte // nil where only the name is known
}

// The most pixels that a logo can have, on each side and in all. The service bounds the
// bytes; this is Carrel's own, as a few bytes can hold a very large picture.
const (
	maxLogoSide = 4096
	maxLogoArea = 4_000_000
)

// NewLogo makes a logo of what should be a PNG, and looks at all of it.
func NewLogo(size int, content []byte) (Logo, error) {
	refuse := func(why string) (Logo, error) {
		return Logo{}, Errorf(CodeInvalidParameter, "The logo %s; it must be a PNG of at most %d pixels.", why, maxLogoArea)
	}
	config, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return refuse("is no PNG")
	}
	if max(config.Width, config.Height) > maxLogoSide || config.Width*config.Height > maxLogoArea {
		return refuse("is too large")
	}
	if _, err := png.Decode(bytes.NewReader(content)); err != nil {
		return refuse("is a broken PNG")
	}
	sum := sha256.Sum256(content)
	return Logo{Size: size, Hash: hex.EncodeToString(sum[:16]), PNG: content}, nil
}

// BrandingPath is where logos are, below the server's address.
const BrandingPath = "/branding/"

// LogoPath is where a logo of the branding is. It changes with the picture.
func (b *ClientBranding) LogoPath(logo Logo) string {
	return BrandingPath + b.DirectoryID + "/" + string(b.Platform) + "/" + logo.Hash + ".png"
}

// Check refuses branding that says nothing, or too much. Logos have been checked when they were made.
func (b *ClientBranding) Check() error {
	if b.SupportEmail != "" && b.SupportLink != "" {
		return Errorf(CodeInvalidParameter, "%s: SupportEmail and SupportLink cannot be given together.", b.Platform)
	}
	for _, link := range []string{b.SupportLink, b.ForgotPasswordLink} {
		if link != "" && !isLink(link) {
			return Errorf(CodeInvalidParameter, "%s: %q is no link.", b.Platform, link)
		}
	}
	for locale := range b.LoginMessages {
		if locale != BrandingLocale {
			return Errorf(CodeInvalidParameter, "%s: LoginMessage can be in the locale %s only, not in %s.", b.Platform, BrandingLocale, locale)
		}
	}
	if b.SupportEmail == "" && b.SupportLink == "" && b.ForgotPasswordLink == "" && len(b.LoginMessages) == 0 && len(b.Logos) == 0 {
		return Errorf(CodeInvalidParameter, "%s: there is nothing to import.", b.Platform)
	}
	return nil
}

// isLink reports whether a text that begins with http:// or https://, of which the model sees
// to, leads anywhere.
func isLink(text string) bool {
	at, err := url.Parse(text)
	return err == nil && at.Host != ""
}

// Weight is how much of MaxBranding the branding takes.
func (b *ClientBranding) Weight() int {
	n := len(b.SupportEmail) + len(b.SupportLink) + len(b.ForgotPasswordLink)
	for _, message := range b.LoginMessages {
		n += len(message)
	}
	for _, logo := range b.Logos {
		n += len(logo.PNG)
	}
	return n
}
