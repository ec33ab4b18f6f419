package control

// Test is a technician's test of one leg of a line, while nobody is in a call: for so many seconds a tone goes out there, or, as a loopback, the leg's own
// sound, half a second late, after a noise of a second whose return is measured. The other leg is given silence.
type Test struct {
	// What is tone or loopback.
	What string `json:"what"`
	// Leg is caller or agent.
	Leg string `json:"leg"`
	// Hz and DBm0 are those of a tone.
	Hz      int     `json:"hz,omitempty"`
	DBm0    float64 `json:"dbm0,omitempty"`
	Seconds int     `json:"seconds"`
}

// Values of Test.What, which are also steps of a [KindLegTest].
const (
	TestTone     = "tone"
	TestLoopback = "loopback"
	// TestReturn is a step alone: that in which the return is measured.
	TestReturn = "return"
)
