package spectrogram

import (
	"image"
	"image/color"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// keyed is a call of 4 s: silence, but a DTMF pair from second 1 to 2 where the agent hears a flat tone, and a
// sine of 3 kHz from second 3 on, which the agent hears as well, delayed.
func keyed(rate audio.Rate, delay int) Call {
	second := int(rate)
	pair := []tone.Sine{{Hz: 770, DBm0: -10}, {Hz: 1336, DBm0: -10}}
	caller := slices.Concat(
		make([]int16, second), tone.Append(nil, rate, second, 80, pair...),
		make([]int16, second), tone.Append(nil, rate, second, 80, tone.Sine{Hz: 3000, DBm0: -20}))
	agent := append(make([]int16, delay), caller...)
	copy(agent[delay+second:], tone.Append(nil, rate, second, 80, tone.Sine{Hz: 1020, DBm0: -22}))
	return Call{Title: "title", Note: "note", Rate: rate, Caller: caller, Agent: agent, Delay: delay}
}

func drawn(t *testing.T, c Call) *image.RGBA {
	t.Helper()
	img, err := Draw(c)
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.RGBA)
}

// column is the picture's column that shows a moment.
func column(p *page, seconds float64) int {
	return p.caller.Min.X + int(seconds*float64(p.rate)/float64(p.frames)*float64(p.width))
}

// light is how light a pixel is, the sum of its channels.
func light(c color.RGBA) int { return int(c.R) + int(c.G) + int(c.B) }

// loud are the frequencies at which a column has a local peak that is lighter than half.
func loud(img *image.RGBA, area image.Rectangle, x int) []float64 {
	var hz []float64
	at := func(row int) int { return light(img.RGBAAt(x, area.Min.Y+row)) }
	for row := 1; row < legHeight-1; row++ {
		if at(row) > 3*255/2 && at(row) >= at(row-1) && at(row) > at(row+1) {
			hz = append(hz, hzOf(row))
		}
	}
	return hz
}

func near(got []float64, want ...float64) bool {
	slices.Sort(got)
	return slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 25 })
}

func TestTonesAreWhereTheyShouldBe(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate44k} {
		c := keyed(rate, rate.TickFrames()*30)
		img, p := drawn(t, c), newPage(c)
		for _, leg := range []struct {
			name    string
			area    image.Rectangle
			seconds float64
			hz      []float64
		}{
			{"caller", p.caller, 0.5, nil},
			{"caller", p.caller, 1.5, []float64{770, 1336}},
			{"caller", p.caller, 2.5, nil},
			{"caller", p.caller, 3.5, []float64{3000}},
			{"agent", p.agent, 0.5, nil},
			{"agent", p.agent, 1.5, []float64{1020}},
			{"agent", p.agent, 2.5, nil},
			{"agent", p.agent, 3.5, []float64{3000}},
		} {
			x := column(p, leg.seconds)
			x += (x - p.caller.Min.X + 1) % 2 // an odd column has no dots over it
			if got := loud(img, leg.area, x); !near(got, leg.hz...) {
				t.Errorf("%v: at %g s the %s's leg shows %.0f Hz, want %.0f", rate, leg.seconds, leg.name, got, leg.hz)
			}
		}
	}
}

func TestAColourTellsTheLevel(t *testing.T) {
	for _, level := range []float64{-70, -40, -12} {
		c := Call{Rate: audio.Rate8k, Caller: tone.Append(nil, audio.Rate8k, 16000, 0, tone.Sine{Hz: 3000, DBm0: level})}
		img, p := drawn(t, c), newPage(c)
		got := img.RGBAAt(column(p, 1), p.caller.Min.Y+rowOf(3000))
		want := heat((level - floorDBm0) / (ceilingDBm0 - floorDBm0))
		if math.Abs(float64(light(got)-light(want))) > 24 {
			t.Errorf("%g dBm0 is %v, want %v", level, got, want)
		}
	}
	last := -1
	for i := range 101 {
		if l := light(heat(float64(i) / 100)); l < last {
			t.Errorf("level %d %% is darker than less", i)
		} else {
			last = l
		}
	}
	if heat(-1) != scale[0] || heat(2) != scale[len(scale)-1] {
		t.Error("levels beyond the map have no colour")
	}
}

func TestTheStripMarksWhatWasMasked(t *testing.T) {
	c := keyed(audio.Rate8k, 240)
	c.Agent = c.Agent[:240+3*8000+4000] // the agent's leg ends half a second early
	img, p := drawn(t, c), newPage(c)
	for seconds, want := range map[float64]color.RGBA{
		0.5: through, 0.98: through, 1.02: patched, 1.5: patched, 1.98: patched, 2.02: through, 3.4: through, 3.6: empty,
	} {
		if got := img.RGBAAt(column(p, seconds), p.strip.Min.Y+stripHeight/2); got != want {
			t.Errorf("at %g s the strip is %v, want %v", seconds, got, want)
		}
	}
	if got := img.RGBAAt(column(p, 3.7)|1, p.agent.Min.Y+50); got != empty {
		t.Errorf("the missing end of the agent's leg is %v", got)
	}
}

func TestNothingIsTooShortToBeSeen(t *testing.T) {
	c := Call{Rate: audio.Rate8k, Caller: make([]int16, 45*8000)}
	c.Agent = slices.Clone(c.Caller)
	copy(c.Caller[160_000:], tone.Append(nil, audio.Rate8k, 40, 0, tone.Sine{Hz: 2000, DBm0: -10})) // 5 ms
	img, p := drawn(t, c), newPage(c)
	if p.width != maxWidth {
		t.Fatalf("%d columns", p.width)
	}
	seen, marked := 0, 0
	for x := column(p, 20) - 3; x <= column(p, 20)+3; x++ {
		seen = max(seen, light(img.RGBAAt(x, p.caller.Min.Y+rowOf(2000))))
		if img.RGBAAt(x, p.strip.Min.Y) == patched {
			marked++
		}
	}
	if seen < 255 || marked == 0 || marked > 2 {
		t.Errorf("a tone of 5 ms has lightness %d and %d marked columns", seen, marked)
	}
}

func TestDrawRefuses(t *testing.T) {
	x := make([]int16, 100)
	for name, c := range map[string]Call{
		"no rate":          {Caller: x},
		"no frames":        {Rate: audio.Rate8k},
		"a negative delay": {Rate: audio.Rate8k, Caller: x, Delay: -1},
	} {
		if _, err := Draw(c); err == nil {
			t.Errorf("%s: drawn", name)
		}
	}
	// What is merely short is drawn as it is.
	drawn(t, Call{Rate: audio.Rate48k, Caller: x[:1], Agent: x, Delay: 1000})
}

func TestTransformIsTheFourierTransform(t *testing.T) {
	a := newAnalyser(audio.Rate8k)
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]complex128, len(a.buf))
	for i := range x {
		x[i] = complex(r.NormFloat64(), r.NormFloat64())
	}
	copy(a.buf, x)
	a.transform.Forward(a.buf)
	for _, k := range []int{0, 1, 77, len(x) / 2, len(x) - 1} {
		var want complex128
		for i, v := range x {
			want += v * cmplx.Exp(complex(0, -2*math.Pi*float64(k*i%len(x))/float64(len(x))))
		}
		if cmplx.Abs(a.buf[k]-want) > 1e-9 {
			t.Errorf("bin %d is %v, want %v", k, a.buf[k], want)
		}
	}
}

// TestLabels: the flat tone is named beside the agent's leg at its frequency, where there is one; the seconds are told beneath
// both legs.
func TestLabels(t *testing.T) {
	c := keyed(audio.Rate8k, 240)
	plain, p := drawn(t, c), newPage(c)
	c.FlatHz = 1020
	labelled := drawn(t, c)
	label := image.Rect(p.agent.Max.X, p.agent.Min.Y+rowOf(1209), p.img.Bounds().Max.X, p.agent.Min.Y+rowOf(941))
	changed := 0
	for y := range p.img.Bounds().Max.Y {
		for x := range p.img.Bounds().Max.X {
			if plain.RGBAAt(x, y) == labelled.RGBAAt(x, y) {
				continue
			}
			changed++
			if !image.Pt(x, y).In(label) {
				t.Fatalf("the label reaches %d, %d", x, y)
			}
		}
	}
	if changed == 0 {
		t.Error("the flat tone has no label")
	}
	for _, bottom := range []int{p.strip.Max.Y, p.agent.Max.Y} {
		if x := p.agent.Min.X; slices.Index(plain.Pix[plain.PixOffset(x-3, bottom+15):plain.PixOffset(x+4, bottom+15)], faint.R) < 0 {
			t.Errorf("no second is told at %d", bottom)
		}
	}
}
