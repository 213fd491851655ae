package rfb

import (
	"encoding/binary"
	"fmt"
	"image"
)

// PixelFormat says how a colour lies in the bytes of a pixel.
type PixelFormat struct {
	BitsPerPixel                    uint8 // 8, 16 or 32
	Depth                           uint8 // useful bits of those
	BigEndian                       bool
	TrueColour                      bool // false: a pixel is an index into a colour map
	RedMax, GreenMax, BlueMax       uint16
	RedShift, GreenShift, BlueShift uint8
}

const pixelFormatBytes = 16

// rgba is the pixel format whose bytes lie as in an image.RGBA, but for the last,
// which is padding and not alpha.
func rgba() PixelFormat {
	return PixelFormat{
		BitsPerPixel: 32, Depth: 24, TrueColour: true,
		RedMax: 255, GreenMax: 255, BlueMax: 255,
		RedShift: 0, GreenShift: 8, BlueShift: 16,
	}
}

func parsePixelFormat(b []byte) PixelFormat {
	return PixelFormat{
		BitsPerPixel: b[0], Depth: b[1], BigEndian: b[2] != 0, TrueColour: b[3] != 0,
		RedMax:   binary.BigEndian.Uint16(b[4:]),
		GreenMax: binary.BigEndian.Uint16(b[6:]),
		BlueMax:  binary.BigEndian.Uint16(b[8:]),
		RedShift: b[10], GreenShift: b[11], BlueShift: b[12],
	}
}

func (f PixelFormat) append(b []byte) []byte {
	b = append(b, f.BitsPerPixel, f.Depth, bit(f.BigEndian), bit(f.TrueColour))
	b = binary.BigEndian.AppendUint16(b, f.RedMax)
	b = binary.BigEndian.AppendUint16(b, f.GreenMax)
	b = binary.BigEndian.AppendUint16(b, f.BlueMax)
	return append(b, f.RedShift, f.GreenShift, f.BlueShift, 0, 0, 0)
}

// check returns an error wrapping ErrProtocol for a format that cannot be drawn in.
func (f PixelFormat) check() error {
	switch {
	case f.BitsPerPixel != 8 && f.BitsPerPixel != 16 && f.BitsPerPixel != 32:
		return fmt.Errorf("%w: %d bits a pixel", ErrProtocol, f.BitsPerPixel)
	case !f.TrueColour:
		return fmt.Errorf("%w: colour maps are not spoken here", ErrProtocol)
	case max(f.RedShift, f.GreenShift, f.BlueShift) > 31:
		return fmt.Errorf("%w: a colour lies outside of the pixel", ErrProtocol)
	}
	return nil
}

// appendPixels appends a rectangle of a picture in this format, row by row.
func (f PixelFormat) appendPixels(b []byte, img *image.RGBA, r image.Rectangle) []byte {
	plain := f == rgba()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Pix[img.PixOffset(r.Min.X, y):][:4*r.Dx()]
		if plain {
			b = append(b, row...)
			continue
		}
		for ; len(row) > 0; row = row[4:] {
			b = f.appendPixel(b, row[0], row[1], row[2])
		}
	}
	return b
}

func (f PixelFormat) appendPixel(b []byte, red, green, blue uint8) []byte {
	pixel := scale(red, f.RedMax)<<f.RedShift | scale(green, f.GreenMax)<<f.GreenShift | scale(blue, f.BlueMax)<<f.BlueShift
	switch {
	case f.BitsPerPixel == 8:
		return append(b, uint8(pixel&0xff))
	case f.BitsPerPixel == 16 && f.BigEndian:
		return binary.BigEndian.AppendUint16(b, uint16(pixel&0xffff))
	case f.BitsPerPixel == 16:
		return binary.LittleEndian.AppendUint16(b, uint16(pixel&0xffff))
	case f.BigEndian:
		return binary.BigEndian.AppendUint32(b, pixel)
	}
	return binary.LittleEndian.AppendUint32(b, pixel)
}

// scale maps a colour's 0 to 255 onto 0 to limit.
func scale(colour uint8, limit uint16) uint32 { return (uint32(colour)*uint32(limit) + 127) / 255 }

func bit(b bool) byte { //nolint:revive // a flag is what it writes
	if b {
		return 1
	}
	return 0
}
