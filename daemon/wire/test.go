package wire

// Test begins a technician's test of a leg, caller or agent: a tone goes out there, or the leg's own sound, for so many seconds. Cancel ends it.
type Test struct {
	ID        uint64
	What, Leg string
	Hz        int
	DBm0      float64
	Seconds   int
}

// What a [Test] is.
const (
	TestTone     = "tone"
	TestLoopback = "loopback"
)

// Codes of [Testing], besides "ok".
const (
	TestCut     = "test_cut"      // somebody, a call, or what is wrong with the line ended it
	TestNoSound = "test_no_sound" // a device gave no frames
)

// Testing says how far a test is, as Test asked for it: in which step, how many seconds Of so many, and what came in on the legs over the last second.
// Return is what came back of a loopback's noise, against what was sent and how late, 0 where nothing did. Code is empty until the test is over: then "ok",
// or why it is before its time.
type Testing struct {
	What, Leg, Step       string
	Done, Of              int
	CallerDBm0, AgentDBm0 float64
	ReturnDB, ReturnMS    float64
	Code                  string
}
