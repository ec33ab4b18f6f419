package spectrogram

import "image/color"

// The page's own colours: dark paper, so that silence is dark and sound is light.
var (
	paper   = color.RGBA{0x12, 0x14, 0x1b, 0xff}
	empty   = color.RGBA{0x1c, 0x1f, 0x29, 0xff} // where there is nothing to show
	ink     = color.RGBA{0xe8, 0xea, 0xf0, 0xff}
	faint   = color.RGBA{0x8d, 0x94, 0xa6, 0xff}
	through = color.RGBA{0x2b, 0x30, 0x3f, 0xff} // the agent heard the caller
	patched = color.RGBA{0x2e, 0xc4, 0xb6, 0xff} // the agent heard something made here
)

// scale is the colour map from silence to loud: of even steps in lightness, so that it also reads in grey and
// with any colour vision, and without the strip's green.
var scale = [...]color.RGBA{
	{0x05, 0x06, 0x12, 0xff},
	{0x1b, 0x12, 0x45, 0xff},
	{0x4a, 0x15, 0x6f, 0xff},
	{0x80, 0x24, 0x79, 0xff},
	{0xb9, 0x36, 0x6d, 0xff},
	{0xe6, 0x56, 0x54, 0xff},
	{0xf9, 0x8a, 0x4a, 0xff},
	{0xfe, 0xc2, 0x73, 0xff},
	{0xff, 0xf6, 0xcf, 0xff},
}

// heat is the colour of a level between 0, silence, and 1.
func heat(level float64) color.RGBA {
	at := max(0, min(1, level)) * float64(len(scale)-1)
	i := min(int(at), len(scale)-2)
	channel := func(a, b uint8) uint8 { return uint8(mix(float64(a), float64(b), at-float64(i)) + 0.5) }
	lo, hi := scale[i], scale[i+1]
	return color.RGBA{channel(lo.R, hi.R), channel(lo.G, hi.G), channel(lo.B, hi.B), 0xff}
}
