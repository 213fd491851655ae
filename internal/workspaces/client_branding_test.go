package workspaces_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"carrel/internal/workspaces"
)

// picture is a PNG of a size.
func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black})); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// claiming is a PNG whose head says that it has a size.
func claiming(t *testing.T, width, height uint32) []byte {
	t.Helper()
	content := picture(t, 1, 1)
	head := content[12:29] // IHDR
	binary.BigEndian.PutUint32(head[4:], width)
	binary.BigEndian.PutUint32(head[8:], height)
	binary.BigEndian.PutUint32(content[29:], crc32.ChecksumIEEE(head))
	return content
}

func TestNewLogo(t *testing.T) {
	t.Parallel()
	small := picture(t, 40, 20)
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		good    bool
	}{
		"small": {small, true}, "wide": {picture(t, 4096, 900), true}, "too wide": {picture(t, 4097, 1), false}, "too large": {picture(t, 2001, 2000), false},
		"a claim": {claiming(t, 1<<31-1, 1<<31-1), false}, "a claim that does not hold": {claiming(t, 1000, 1000), false},
		"a photo": {photo.Bytes(), false}, "text": {[]byte("<svg/>"), false}, "nothing": {nil, false},
		"cut": {small[:len(small)-20], false}, "its head": {small[:33], false},
	} {
		logo, err := workspaces.NewLogo(2, c.content)
		if (err == nil) != c.good || !c.good && workspaces.CodeOf(err) != workspaces.CodeInvalidParameter {
			t.Errorf("%s: %v", name, err)
		}
		if c.good && (logo.Size != 2 || len(logo.Hash) != 32 || !bytes.Equal(logo.PNG, c.content)) {
			t.Errorf("%s: %+v", name, logo)
		}
	}
	first, _ := workspaces.NewLogo(1, small)
	second, _ := workspaces.NewLogo(1, picture(t, 40, 21))
	if first.Hash == second.Hash {
		t.Error("two pictures have one name")
	}
}

func TestCheckBranding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		branding workspaces.ClientBranding
		good     bool
	}{
		"a mail address": {workspaces.ClientBranding{SupportEmail: "a@example.com"}, true},
		"a link":         {workspaces.ClientBranding{SupportLink: "https://example.com/help"}, true},
		"both":           {workspaces.ClientBranding{SupportEmail: "a@example.com", SupportLink: "https://example.com/help"}, false},
		"a logo":         {workspaces.ClientBranding{Logos: []workspaces.Logo{{}}}, true},
		"a message":      {workspaces.ClientBranding{LoginMessages: map[string]string{"en_US": "hello"}}, true},
		"another locale": {workspaces.ClientBranding{LoginMessages: map[string]string{"en_US": "hello", "de_DE": "hallo"}}, false},
		"nothing":        {workspaces.ClientBranding{LoginMessages: map[string]string{}}, false},
		"no link":        {workspaces.ClientBranding{ForgotPasswordLink: "https://%zz"}, false},
		"to nowhere":     {workspaces.ClientBranding{SupportLink: "https:///path"}, false},
	} {
		if err := c.branding.Check(); (err == nil) != c.good || !c.good && workspaces.CodeOf(err) != workspaces.CodeInvalidParameter {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := workspaces.ClientBranding{
		SupportEmail: "1", ForgotPasswordLink: "22", LoginMessages: map[string]string{"en_US": "333"}, Logos: []workspaces.Logo{{PNG: make([]byte, 4)}, {PNG: make([]byte, 5)}},
	}
	if b.Weight() != 15 {
		t.Errorf("it weighs %d", b.Weight())
	}
}
