package serial

import "math"

// fifo is what a modem keeps of the sound that it is given, as far as that can be known from outside: its clock takes a frame at a time, and plays silence
// where there is none.
//
//	content = max(0, content - what the clock took) + what is written
//
// As many frames are written as come. So it is as deep as it was when the sound began, but for what a stall added: what was waiting for the machine
// came at once, while the modem played silence. Nothing would ever take that away again. Two things do:
//
//   - Of what comes at once only as much is written as lately, and a block more. A modem that gives five blocks at once, always, gets five.
//   - What was never needed for half a second is left out: at most what a late wake-up needs may stay, and behind a stall nothing.
type fifo struct {
	block   float64
	content float64 // frames

	low  float64 // the least before a write, of this window
	high float64 // the most behind one, if everything were written
	most float64 // high of the window before

	stalled bool // in this window, or the one before
	owed    int  // frames to leave out
}

// start makes it empty. A block is what the modem gives at a time.
func (f *fifo) start(block int) {
	*f = fifo{block: float64(block), low: math.Inf(1), most: math.Inf(1)}
}

// skip takes how much later it is by the modem's clock, and tells how many of the next frames are not to be written, from the first.
func (f *fifo) skip(frames int, elapsed float64) int {
	f.content = max(0, f.content-max(0, elapsed))
	f.low = min(f.low, f.content)
	f.high = max(f.high, f.content+float64(frames))
	skipped := min(frames, f.owed)
	f.owed -= skipped
	if over := int(f.content + float64(frames-skipped) - f.most - f.block); over > 0 {
		skipped += min(over, frames-skipped)
		f.stalled = true
	}
	f.content += float64(frames - skipped)
	return skipped
}

// window ends a window.
func (f *fifo) window() {
	slack := f.block / 4
	if f.stalled {
		slack = exact
	}
	if f.low > slack {
		f.owed = int(f.low)
	}
	f.stalled = f.stalled && f.high > f.most+f.block // it was in this window, of which a part was before
	f.most, f.high, f.low = f.high, 0, math.Inf(1)
}

// exact is what rounding, and a clock that is only nearly known, may add.
const exact = float64(Rate) / 1000

// refused takes back that frames were written.
func (f *fifo) refused(frames int) { f.content = max(0, f.content-float64(frames)) }

// drain leaves out a second: the modem took nothing, and now plays what waited for it in the machine. How much that is nobody tells, but the drivers of USB
// keep no more.
func (f *fifo) drain() { f.content, f.owed = 0, int(Rate) }
