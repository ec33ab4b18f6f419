package spectrogram

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// Where things lie, in pixels.
const (
	pixelsPerSecond = 60
	minWidth        = 900
	maxWidth        = 2400
	legHeight       = 288
	stripHeight     = 16
	marginLeft      = 68
	marginRight     = 148
	callerTop       = 104
	stripTop        = callerTop + legHeight + 10
	agentTop        = stripTop + stripHeight + 52
	pageHeight      = agentTop + legHeight + 84
)

// topHz is the top of the frequency axis: all that a telephone carries.
const topHz = 4000

// The levels at the two ends of the colour map, of a single sine.
const (
	floorDBm0   = -86
	ceilingDBm0 = -8
)

// page is a picture in the making.
type page struct {
	img    *image.RGBA
	frames int // that the time axis spans
	rate   audio.Rate
	width  int // of the time axis
	// The three areas that share the time axis.
	caller, strip, agent image.Rectangle
	title, note          string
	flatHz               float64
}

func newPage(c Call) *page {
	seconds := float64(len(c.Caller)) / float64(c.Rate)
	width := max(minWidth, min(maxWidth, int(math.Ceil(seconds*pixelsPerSecond))))
	p := &page{
		img:    image.NewRGBA(image.Rect(0, 0, marginLeft+width+marginRight, pageHeight)),
		frames: len(c.Caller),
		rate:   c.Rate,
		width:  width,
		caller: image.Rect(marginLeft, callerTop, marginLeft+width, callerTop+legHeight),
		strip:  image.Rect(marginLeft, stripTop, marginLeft+width, stripTop+stripHeight),
		agent:  image.Rect(marginLeft, agentTop, marginLeft+width, agentTop+legHeight),
		title:  c.Title,
		note:   c.Note,
		flatHz: c.FlatHz,
	}
	p.fill(p.img.Bounds(), paper)
	for _, area := range []image.Rectangle{p.caller, p.strip, p.agent} {
		p.fill(area, empty)
	}
	return p
}

func (p *page) fill(area image.Rectangle, c color.RGBA) {
	draw.Draw(p.img, area, image.NewUniform(c), image.Point{}, draw.Src)
}

// frame is the first frame that column x, counted from the left of an area, shows.
func (p *page) frame(x int) int { return int(int64(x) * int64(p.frames) / int64(p.width)) }

// drawLeg draws the spectrogram of x. Each column shows, for each frequency, the loudest moment within it, so
// that no tone is too short to be seen.
func (p *page) drawLeg(area image.Rectangle, rate audio.Rate, x []int16) {
	a := newAnalyser(rate)
	power := make([]float64, int(math.Ceil(topHz/a.hz))+1)
	for col := range p.width {
		from, to := p.frame(col), p.frame(col+1)
		if from >= len(x) {
			return
		}
		clear(power)
		for centre := from; centre < max(to, from+1); centre += len(a.window) / 4 {
			a.peak(power, x, centre)
		}
		for row := range legHeight {
			bin := hzOf(row) / a.hz
			low := min(int(bin), len(power)-2)
			level := mix(audio.DBm0(power[low]), audio.DBm0(power[low+1]), bin-float64(low))
			p.img.SetRGBA(area.Min.X+col, area.Min.Y+row, heat((level-floorDBm0)/(ceilingDBm0-floorDBm0)))
		}
	}
}

// hzOf is the frequency in the middle of a leg's pixel row, rowOf the row that shows a frequency.
func hzOf(row int) float64 { return topHz * (1 - (float64(row)+0.5)/legHeight) }
func rowOf(hz float64) int { return min(legHeight-1, int(legHeight*(1-hz/topHz))) }

// drawMasked marks the columns in which the agent heard something else than the caller said.
func (p *page) drawMasked(masked []bool) {
	tick := p.rate.TickFrames()
	for col := range p.width {
		first, last := p.frame(col)/tick, max(p.frame(col), p.frame(col+1)-1)/tick
		for i := first; i <= last && i < len(masked); i++ {
			c := through
			if masked[i] {
				c = patched
			}
			p.fill(image.Rect(p.strip.Min.X+col, p.strip.Min.Y, p.strip.Min.X+col+1, p.strip.Max.Y), c)
			if masked[i] {
				break
			}
		}
	}
}

// markDTMF lays the eight frequencies over a leg as dots.
func (p *page) markDTMF(area image.Rectangle) {
	for _, group := range [][4]float64{tone.Rows, tone.Cols} {
		for _, hz := range group {
			y := area.Min.Y + rowOf(hz)
			for x := area.Min.X; x < area.Max.X; x += 4 {
				p.blend(x, y, ink, 0.4)
			}
		}
	}
}

// blend lays a share of c over a pixel.
func (p *page) blend(x, y int, c color.RGBA, share float64) {
	under := p.img.RGBAAt(x, y)
	channel := func(a, b uint8) uint8 { return uint8(mix(float64(a), float64(b), share)) }
	p.img.SetRGBA(x, y, color.RGBA{channel(under.R, c.R), channel(under.G, c.G), channel(under.B, c.B), 0xff})
}

func mix(a, b, share float64) float64 { return a + (b-a)*share }
