package rfb

// Encodings and pseudo-encodings that this package reads, sends or relays.
const (
	EncodingRaw      int32 = 0
	EncodingCopyRect int32 = 1
	EncodingRRE      int32 = 2
	EncodingHextile  int32 = 5
	EncodingZlib     int32 = 6
	EncodingTight    int32 = 7
	EncodingZRLE     int32 = 16
	EncodingH264     int32 = 50
	EncodingTightPNG int32 = -260

	EncodingDesktopSize         int32 = -223 // no pixels: the screen has the rectangle's size now
	EncodingExtendedDesktopSize int32 = -308 // the same, with the monitors and the reason
	EncodingLastRectangle       int32 = -224 // no pixels: the update ends here
	EncodingCursor              int32 = -239 // the pointer's picture
	EncodingVMwareCursor        int32 = 0x574d5664
	EncodingExtendedKeyEvent    int32 = -258 // no pixels: the server takes ExtendedKeyEvent
	EncodingLEDs                int32 = -261 // no pixels: which of the keyboard's lamps are on
	EncodingDesktopName         int32 = -307
	EncodingFence               int32 = -312 // only ever named by a client
	EncodingContinuousUpdates   int32 = -313 // only ever named by a client
	EncodingExtendedButtons     int32 = -316 // no pixels: the server takes pointer events with more buttons
	EncodingExtendedClipboard   int32 = -1063131698

	encodingQualityFirst, encodingQualityLast   int32 = -32, -23
	encodingCompressFirst, encodingCompressLast int32 = -256, -247
)

// Relayed reports whether a Relay can follow what a client asks for with an encoding. It
// cannot see where a rectangle of JPEG (21) ends without reading all of it, and does not let
// a client ask the server to be shut down (Xvp, -309).
func Relayed(encoding int32) bool {
	switch encoding {
	case EncodingRaw, EncodingCopyRect, EncodingRRE, EncodingHextile, EncodingZlib, EncodingTight, EncodingZRLE, EncodingH264, EncodingTightPNG,
		EncodingDesktopSize, EncodingExtendedDesktopSize, EncodingLastRectangle, EncodingCursor, EncodingVMwareCursor,
		EncodingExtendedKeyEvent, EncodingLEDs, EncodingDesktopName, EncodingFence, EncodingContinuousUpdates, EncodingExtendedButtons,
		EncodingExtendedClipboard:
		return true
	}
	return encoding >= encodingQualityFirst && encoding <= encodingQualityLast ||
		encoding >= encodingCompressFirst && encoding <= encodingCompressLast
}
