// Package channel carries what goes between a browser and a desktop beside the screen: files that are dropped onto the
// desktop or taken from it, and its sound. It is the gateway.Channels of the portal, which has decided who the visitor is
// and what may cross, and speaks to desktops by package sidechannel.
//
// What a desktop says is made up by whoever is root in it. Its files are handed on as attachments without a type, under
// headers of our own only; its sound is numbers. Nothing of it ever runs or is shown in the portal's origin.
//
// It imports the gateway, compute for its errors, sidechannel and the clock. Start at [Channels]; files.go and sound.go are
// its two halves.
package channel
