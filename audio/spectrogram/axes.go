package spectrogram

import (
	"fmt"
	"image"
	"image/color"
	"strings"

	"github.com/flattone/flattone/audio/tone"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// glyphs are 7 pixels wide and stand 10 above their line.
var glyphs = basicfont.Face7x13

const glyphWidth = 7

// text writes s with its base line at y. heavy text is drawn twice, a pixel apart.
func (p *page) text(x, y int, c color.RGBA, heavy bool, s string) {
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(c), Face: glyphs, Dot: fixed.P(x, y)}
	d.DrawString(s)
	if heavy {
		d.Dot = fixed.P(x+1, y)
		d.DrawString(s)
	}
}

// drawAxes writes everything that isn't a spectrogram.
func (p *page) drawAxes(masked []bool) {
	p.text(marginLeft, 32, ink, true, p.title)
	p.text(marginLeft, 52, faint, false, p.note)
	p.text(marginLeft, callerTop-10, ink, false, "What the caller's line carried")
	p.text(marginLeft, agentTop-10, ink, false, "What the agent heard")
	for _, area := range []image.Rectangle{p.caller, p.agent} {
		p.markDTMF(area)
		p.frequencies(area)
	}
	p.flatTone()
	for _, bottom := range []int{p.strip.Max.Y, p.agent.Max.Y} {
		p.times(bottom)
	}
	p.share(masked)
	p.legend()
}

// frequencies labels a leg: kilohertz on the left, the two groups of DTMF on the right.
func (p *page) frequencies(area image.Rectangle) {
	for khz := range topHz/1000 + 1 {
		y := area.Max.Y - khz*legHeight*1000/topHz
		p.fill(image.Rect(area.Min.X-6, y, area.Min.X, y+1), faint)
		p.text(area.Min.X-18, y+4, faint, false, fmt.Sprint(khz))
	}
	p.text(area.Min.X-50, area.Min.Y+4, faint, false, "kHz")
	for _, group := range []struct {
		name string
		hz   [4]float64
	}{{"DTMF rows", tone.Rows}, {"DTMF columns", tone.Cols}} {
		x, top, bottom := area.Max.X+5, area.Min.Y+rowOf(group.hz[3]), area.Min.Y+rowOf(group.hz[0])
		p.fill(image.Rect(x, top, x+4, top+1), faint)
		p.fill(image.Rect(x+4, top, x+5, bottom+1), faint)
		p.fill(image.Rect(x, bottom, x+4, bottom+1), faint)
		p.text(x+12, (top+bottom)/2-2, faint, false, group.name)
		p.text(x+12, (top+bottom)/2+11, faint, false, fmt.Sprintf("%.0f-%.0f Hz", group.hz[0], group.hz[3]))
	}
}

// flatTone labels the agent's leg with the frequency of what is heard in place of keys. It lies between the two
// groups of DTMF, and so does its label.
func (p *page) flatTone() {
	if p.flatHz == 0 {
		return
	}
	x, y := p.agent.Max.X+5, p.agent.Min.Y+rowOf(p.flatHz)
	p.fill(image.Rect(x, y, x+5, y+1), ink)
	p.text(x+12, y-2, ink, false, fmt.Sprintf("flat tone %.0f Hz", p.flatHz))
}

// times draws the time axis beneath an area that ends at bottom.
func (p *page) times(bottom int) {
	seconds := float64(p.frames) / float64(p.rate)
	step := 1.0
	for _, s := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600} {
		step = s
		if s/seconds*float64(p.width) >= 70 {
			break
		}
	}
	for i := 0; float64(i)*step/5 <= seconds; i++ {
		x := p.agent.Min.X + int(float64(i)*step/5/seconds*float64(p.width))
		length := 3
		if i%5 == 0 {
			length = 7
			label := strings.TrimSuffix(fmt.Sprintf("%.1f", float64(i/5)*step), ".0")
			p.text(x-len(label)*glyphWidth/2, bottom+20, faint, false, label)
		}
		p.fill(image.Rect(x, bottom, x+1, bottom+length), faint)
	}
	p.text(p.agent.Max.X+12, bottom+20, faint, false, "seconds")
}

// share says beside the strip how much of the call was masked.
func (p *page) share(masked []bool) {
	n := 0
	for _, m := range masked {
		if m {
			n++
		}
	}
	p.text(p.strip.Max.X+12, p.strip.Max.Y-4, patched, false, fmt.Sprintf("masked %.1f %%", 100*float64(n)/float64(max(1, len(masked)))))
}

// legend explains the colours.
func (p *page) legend() {
	const width, height = 180, 10
	x, y := marginLeft, p.agent.Max.Y+46
	for i := range width {
		p.fill(image.Rect(x+i, y, x+i+1, y+height), heat(float64(i)/(width-1)))
	}
	levels := fmt.Sprintf("%d to %d dBm0", floorDBm0, ceilingDBm0)
	p.text(x+width+8, y+height, faint, false, levels)
	x += width + 8 + (len(levels)+5)*glyphWidth
	for _, swatch := range []struct {
		colour color.RGBA
		says   string
	}{{through, "open: the agent hears the caller, sample for sample"}, {patched, "masked: the agent hears sound made by the box"}} {
		p.fill(image.Rect(x, y, x+18, y+height), swatch.colour)
		p.text(x+26, y+height, faint, false, swatch.says)
		x += 26 + (len(swatch.says)+5)*glyphWidth
	}
}
