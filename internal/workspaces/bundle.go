package workspaces

import (
	"slices"
	"time"
)

// Bundle is what WorkSpaces are made from: an image, a compute type and volume sizes.
type Bundle struct {
	ID          string
	Name        string
	Owner       string // AMAZON for public ones, else the account
	Description string
	ImageID     string // as the API names it
	Image       string // as the engine names it
	ComputeType string
	RootGiB     int
	UserGiB     int
	Protocol    string // PCOIP or WSP, unless the request says otherwise
	OS          string // OperatingSystemName; "" where the API has no value for it
	CreatedAt   time.Time
	UpdatedAt   time.Time // when it last got another image

	// The bundle of another region that it mirrors, and has the image of; empty unless it is of the type STANDBY.
	SourceRegion string
	SourceID     string
}

// The values of BundleType.
const (
	BundleRegular = "REGULAR"
	BundleStandby = "STANDBY"
)

// Type is the bundle's, in the API's words.
func (b *Bundle) Type() string {
	if b.SourceID == "" {
		return BundleRegular
	}
	return BundleStandby
}

// Mirror makes the bundle of the type STANDBY that standby WorkSpaces are shown with whose primaries are of a bundle in a region.
func (b *Bundle) Mirror(c *Chance, region string, now time.Time) Bundle {
	m := *b
	m.ID, m.SourceRegion, m.SourceID, m.CreatedAt, m.UpdatedAt = NewBundleID(c), region, b.ID, now, now
	return m
}

// Amazon is the owner of public bundles.
const Amazon = "AMAZON"

// Compute is what a compute type means on a machine.
type Compute struct {
	Type      string
	Label     string // as bundle names write it
	CPUs      int
	MemoryMiB int
	RootGiB   int // default and, with UserGiB, part of the smallest pair
	UserGiB   int
	Large     bool // its volumes start at 175 and 100 GiB
	Graphics  bool // its volumes start at 100 and 100 GiB; Carrel has no bundles of it

	// suffix ends the id of the public bundle. Ids are for ever: they stand in people's
	// configurations.
	suffix string
}

// computes are the compute types with their vCPUs, memory and default volumes.
// Source: the administration guide's pages on bundles and volumes (spec, section E).
func computes() []Compute {
	return []Compute{
		{suffix: "val", Type: "VALUE", Label: "Value", CPUs: 1, MemoryMiB: 2 << 10, RootGiB: 80, UserGiB: 10},
		{suffix: "std", Type: "STANDARD", Label: "Standard", CPUs: 2, MemoryMiB: 4 << 10, RootGiB: 80, UserGiB: 50},
		{suffix: "prf", Type: "PERFORMANCE", Label: "Performance", CPUs: 2, MemoryMiB: 8 << 10, RootGiB: 80, UserGiB: 100},
		{suffix: "pwr", Type: "POWER", Label: "Power", CPUs: 4, MemoryMiB: 16 << 10, RootGiB: 175, UserGiB: 100},
		{suffix: "ppr", Type: "POWERPRO", Label: "PowerPro", CPUs: 8, MemoryMiB: 32 << 10, RootGiB: 175, UserGiB: 100},
		{suffix: "4xl", Type: "GENERALPURPOSE_4XLARGE", Label: "GeneralPurpose.4xlarge", CPUs: 16, MemoryMiB: 64 << 10, RootGiB: 175, UserGiB: 100, Large: true},
		{suffix: "8xl", Type: "GENERALPURPOSE_8XLARGE", Label: "GeneralPurpose.8xlarge", CPUs: 32, MemoryMiB: 128 << 10, RootGiB: 175, UserGiB: 100, Large: true},
	}
}

// ComputeOf returns what a compute type means. The graphics types, which a request may
// name although no bundle of Carrel has them, mean a strong machine without graphics.
func ComputeOf(computeType string) Compute {
	all := computes()
	if i := slices.IndexFunc(all, func(c Compute) bool { return c.Type == computeType }); i >= 0 {
		return all[i]
	}
	return Compute{Type: computeType, Label: "Graphics", CPUs: 8, MemoryMiB: 16 << 10, RootGiB: 100, UserGiB: 100, Graphics: true}
}

// CheckVolumes applies the service's pairs of volume sizes.
// Source: ModifyWorkspaceProperties and CreateWorkspaces; the wording is the service's (spec, section C).
func CheckVolumes(computeType string, rootGiB, userGiB int) error {
	c := ComputeOf(computeType)
	refuse := func(pairs string) error {
		return Errorf(CodeInvalidParameter, "%s: Invalid root and user volume size selected. Root and user volume size (GB) must be %s.", c.Label, pairs)
	}
	big := rootGiB >= 175 && rootGiB <= 2000 && userGiB >= 100 && userGiB <= 2000
	switch {
	case c.Graphics:
		if rootGiB < 100 || rootGiB > 2000 || userGiB < 100 || userGiB > 2000 {
			return refuse("(100+|100+)")
		}
	case c.Large:
		if !big {
			return refuse("(175+|100+)")
		}
	case !big && (rootGiB != 80 || userGiB != 10 && userGiB != 50 && userGiB != 100):
		return refuse("(80|10), (80|50), (80|100) or (175+|100+)")
	}
	return nil
}

// areVolumes reports whether volumes have sizes, in GiB, that a desktop can live with, whether the service has such a pair or not.
func areVolumes(rootGiB, userGiB int) bool {
	return rootGiB >= 10 && userGiB >= 10 && max(rootGiB, userGiB) <= 2000
}

// publicSince is when Carrel's public bundles came to be, the same in every installation.
func publicSince() time.Time { return time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) }

// PublicBundles returns Carrel's own bundles: one per compute type, of the desktop that
// the engine knows by the image's name.
func PublicBundles(image string) []Bundle {
	var bundles []Bundle
	for _, c := range computes() {
		bundles = append(bundles, Bundle{
			ID: "wsb-carrel" + c.suffix, Name: c.Label + " with Debian Linux (WSP)", Owner: Amazon,
			Description: c.Label + " desktop with Debian Linux and Xfce", ImageID: PublicImageID, Image: image,
			ComputeType: c.Type, RootGiB: c.RootGiB, UserGiB: c.UserGiB, Protocol: "WSP", CreatedAt: publicSince(), UpdatedAt: publicSince(),
		})
	}
	return bundles
}

// WellKnownBundles returns the service's public bundles whose ids stand in examples and
// tests of its clients, for suites that name one. Their desktops are Carrel's own.
// Source: spec, section E.
func WellKnownBundles(image string) []Bundle {
	known := []struct{ id, name, compute, os, protocol string }{
		{"wsb-bh8rsxt14", "Value with Windows 10", "VALUE", "WINDOWS_10", "PCOIP"},
		{"wsb-gm4d5tx2v", "Performance with Windows 10 (Server 2016 based)", "PERFORMANCE", "WINDOWS_SERVER_2016", "PCOIP"},
		{"wsb-df76rqys9", "Value with Windows 10 and Office 2016", "VALUE", "WINDOWS_10", "PCOIP"},
		{"wsb-b0s22j3d7", "Performance with Windows 7", "PERFORMANCE", "WINDOWS_7", "PCOIP"},
		{"wsb-1pzkp0bx4", "PowerPro with Windows 7", "POWERPRO", "WINDOWS_7", "PCOIP"},
		{"wsb-clj85qzj1", "Standard with Amazon Linux 2", "STANDARD", "AMAZON_LINUX_2", "WSP"},
		{"wsb-2bs6k5lgn", "Power with Amazon Linux 2", "POWER", "AMAZON_LINUX_2", "WSP"},
		{"wsb-03gyjnfyy", "Graphics with Windows 10 (Server 2019 based)", "GRAPHICS", "WINDOWS_SERVER_2019", "PCOIP"},
		{"wsb-0zsvgp8fc", "Value with Windows 10 (Server 2019 based)", "VALUE", "WINDOWS_SERVER_2019", "PCOIP"},
	}
	bundles := make([]Bundle, 0, len(known))
	for _, k := range known {
		c := ComputeOf(k.compute)
		bundles = append(bundles, Bundle{
			ID: k.id, Name: k.name, Owner: Amazon, Description: k.name, ImageID: PublicImageID, Image: image,
			ComputeType: k.compute, RootGiB: c.RootGiB, UserGiB: c.UserGiB, Protocol: k.protocol, OS: k.os,
			CreatedAt: publicSince(), UpdatedAt: publicSince(),
		})
	}
	return bundles
}

// BundleOrder is a bundle as somebody wants it.
type BundleOrder struct {
	Name        string
	Description string
	ComputeType string
	RootGiB     int // 0: what suits the user volume and the image
	UserGiB     int
}

// NewBundle makes an account's own bundle of an image.
func NewBundle(c *Chance, s Scope, o BundleOrder, i *Image, now time.Time) (Bundle, error) {
	if o.ComputeType == "" {
		return Bundle{}, Errorf(CodeInvalidParameter, "A bundle needs a ComputeType with a Name.")
	}
	if o.RootGiB == 0 {
		o.RootGiB = suitableRoot(o.ComputeType, o.UserGiB, i.RootGiB)
	}
	if err := CheckVolumes(o.ComputeType, o.RootGiB, o.UserGiB); err != nil {
		return Bundle{}, err
	}
	b := Bundle{
		ID: NewBundleID(c), Name: o.Name, Owner: s.Account, Description: o.Description,
		ComputeType: o.ComputeType, RootGiB: o.RootGiB, UserGiB: o.UserGiB, CreatedAt: now,
	}
	return b, b.SetImage(i, now)
}

// SetImage makes the bundle one of an image. WorkSpaces that exist stay as they are until they are rebuilt.
// Source: UpdateWorkspaceBundle.
func (b *Bundle) SetImage(i *Image, now time.Time) error {
	if err := i.MustBeAvailable(); err != nil {
		return err
	}
	if b.ImageID != "" && OSTypeOf(b.OS) != i.OSType {
		return Errorf(CodeNotSupported, "The image %s is of %s and the bundle %s is not.", i.ID, i.OSType, b.ID)
	}
	if b.RootGiB < i.RootGiB {
		return Errorf(CodeInvalidParameter, "The image %s was made of a root volume of %d GB; the bundle's must not be smaller than that.", i.ID, i.RootGiB)
	}
	b.ImageID, b.Image, b.Protocol, b.OS, b.UpdatedAt = i.ID, i.Engine, i.Protocol, i.OS, now
	return nil
}

// suitableRoot is the smallest size of a root volume that goes with a user volume and holds an image.
func suitableRoot(computeType string, userGiB, leastGiB int) int {
	c := ComputeOf(computeType)
	switch {
	case c.Graphics:
		return max(c.RootGiB, leastGiB)
	case c.Large, userGiB > 100, leastGiB > 80:
		return max(175, leastGiB)
	default:
		return 80
	}
}
