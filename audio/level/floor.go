package level

import "math"

// Floor is the noise floor of a leg: the softest of its blocks within the last half minute, for nobody speaks so long without a pause. The zero Floor
// knows of none yet.
type Floor struct {
	softest [floorParts]float64 // mean square in each part of the span
	known   int                 // parts there are
	at      int                 // the part under way,
	blocks  int                 // of which there are so many
	lowest  float64
}

const (
	floorParts = 10
	partBlocks = 3 * BlocksPerSecond
)

// Add takes the mean square of the next block.
func (f *Floor) Add(power float64) {
	if f.blocks == 0 || power < f.softest[f.at] {
		f.softest[f.at] = power
	}
	f.known = max(f.known, f.at+1)
	if f.blocks++; f.blocks == partBlocks {
		f.at, f.blocks = (f.at+1)%floorParts, 0
	}
	f.lowest = math.Inf(1)
	for _, power := range f.softest[:f.known] {
		f.lowest = min(f.lowest, power)
	}
}

// Lowest is the mean square of the floor; +Inf while none is known.
func (f *Floor) Lowest() float64 {
	if f.known == 0 {
		return math.Inf(1)
	}
	return f.lowest
}
