package modem

import (
	"time"

	"github.com/flattone/flattone/hw/hwtest/wires"
)

// Kind is a family of modems.
type Kind int

// The families.
const (
	Quectel Kind = iota + 1 // EC2x, EG9x, EG25
	SIMCom                  // SIM7600, SIM8202
	Huawei                  // dongles
	V253                    // voice modems at a telephone line
)

func (k Kind) String() string { return [...]string{"none", "Quectel", "SIMCom", "Huawei", "V253"}[k] }

// Spec is a modem to be made.
type Spec struct {
	Kind Kind
	// Frame is how much sound the modem gives at a time, 0 for 20 ms. Burst is how many of them come at once, 0 for 1.
	Frame time.Duration
	Burst int
	// PPM is how many millionths the modem's clock is faster than the machine's.
	PPM int
	// FIFOFrames is how much of what the program plays the modem keeps, 0 for 20. What is over is lost.
	FIFOFrames int
	// Patient makes the modem's clock wait, up to a second at a time, for a program that is late, once it has played something: every sample can
	// then be checked on a busy machine.
	Patient bool
	// In is what the far party says from where the modem's clock begins, which is the first sound that it gives. See also [Modem.Say].
	In []int16
	// Keys are those keyed in In, of which the modem reports.
	Keys []Key

	// Names are who made it, and what it is; nil for those of a make of the family.
	Names []string
	// Echo has the modem repeat what it is sent, until ATE0.
	Echo bool
	// Split cuts what the modem sends into pieces at random places.
	Split bool
	// AnswersAfter is how long who is called lets it ring, 0 for 2 s; Busy is that nobody answers.
	AnswersAfter time.Duration
	Busy         bool
	// LatePCM has a SIMCom refuse the first try to begin the sound of a call.
	LatePCM bool
	// HybridEchoDB is by how much less of what a V253 modem plays comes back from the line, 0 for nothing at all.
	HybridEchoDB float64
	// Formats are what a V253 modem lists, nil for those of a Conexant.
	Formats []wires.Format
	// OffHook is the +VLS by which a V253 modem goes off hook, 0 for 1 (IS-101: 2). Leaves is what ends its sound, 0 for '^' (USR5637: ETX).
	OffHook int
	Leaves  byte
	// Gone is the code by which a V253 modem tells that the far party is gone, 0 for 'b'.
	Gone byte
}

// filled is the Spec with what it leaves out.
func (s Spec) filled() Spec {
	if s.Frame == 0 {
		s.Frame = 20 * time.Millisecond
	}
	if s.FIFOFrames == 0 {
		s.FIFOFrames = 20
	}
	if s.AnswersAfter == 0 {
		s.AnswersAfter = 2 * time.Second
	}
	if s.Formats == nil {
		s.Formats = wires.Formats[0].Lines
	}
	if s.OffHook == 0 {
		s.OffHook = 1
	}
	if s.Leaves == 0 {
		s.Leaves = '^'
	}
	if s.Gone == 0 {
		s.Gone = 'b'
	}
	if s.Names == nil {
		s.Names = names[s.Kind]
	}
	s.Burst = max(s.Burst, 1)
	return s
}
