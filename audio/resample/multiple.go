package resample

// The filter between a rate and a multiple of it passes what lies below 3400 Hz at 8 kHz; what would come as something else is 60 dB down.
const (
	lobes        = 24  // frames of the lower rate, half of them before: 1.5 ms of delay at 8 kHz
	multipleBeta = 6.0 // of its window
)

// Up makes sound of a multiple of its rate.
type Up struct {
	rows [][lobes]float32 // for each frame that is made of one, the factors of those around it
	x    []float32        // the last lobes-1 frames, and those that come now
}

// NewUp is for frames at a time, of which each becomes as many as by says.
func NewUp(by, frames int) *Up {
	u := &Up{rows: make([][lobes]float32, by), x: make([]float32, lobes-1+frames)}
	for k := range u.rows {
		sincs(u.rows[k][:], multipleBeta, func(i int) float64 { return float64(i-lobes/2+1) - float64(k)/float64(by) }, lobes/2)
	}
	return u
}

// Convert fills out with by frames for each one of in, which has as many as NewUp was told.
func (u *Up) Convert(out, in []int16) {
	put(u.x[lobes-1:], in)
	for i := range in {
		for k := range u.rows {
			out[i*len(u.rows)+k] = sample(dot(u.rows[k][:], u.x[i:]))
		}
	}
	copy(u.x, u.x[len(in):])
}

// Down makes sound of a part of its rate.
type Down struct {
	by      int
	factors []float32
	x       []float32 // the last frames, all but one of the factors', and those that come now
}

// NewDown is for what becomes frames at a time, each of as many as by says.
func NewDown(by, frames int) *Down {
	d := &Down{by: by, factors: make([]float32, lobes*by)}
	d.x = make([]float32, len(d.factors)-1+frames*by)
	half := float64(lobes) / 2
	sincs(d.factors, multipleBeta, func(i int) float64 { return float64(i+1)/float64(by) - half }, half)
	return d
}

// Convert fills out with a frame for each by frames of in, which has as many as NewDown was told.
func (d *Down) Convert(out, in []int16) {
	before := len(d.factors) - 1
	put(d.x[before:], in)
	for i := range out {
		out[i] = sample(dot(d.factors, d.x[(i+1)*d.by-1:]))
	}
	copy(d.x, d.x[len(in):])
}

// Lost forgets what came: something is missing between it and what comes next.
func (d *Down) Lost() { clear(d.x) }

func put(x []float32, in []int16) {
	for i, v := range in {
		x[i] = float32(v)
	}
}

func dot(factors, x []float32) (sum float32) {
	for i, v := range x[:len(factors)] {
		sum += v * factors[i]
	}
	return sum
}
