package session_test

import (
	"strings"
	"testing"

	"github.com/flattone/flattone/hw"
)

// Each letter is a key of one call: whose head came too early for the mask, with 2 ms or with 3 ms to spare. A bar is the next
// call. What is told stands after the key in whose slot it is.
func TestCodecPoor(t *testing.T) {
	margins := map[rune]int{'!': -8, '-': 2 * 8, '+': 3 * 8}
	enough := strings.Repeat("+", 16)
	for name, test := range map[string]struct {
		keys string
		told []string
	}{
		"enough":                                    {enough + enough, nil},
		"one with little":                           {"-" + enough, nil},
		"two far apart":                             {"-" + enough[1:] + "-" + enough, nil},
		"two of sixteen":                            {"-" + enough[2:] + "-", []string{"codec needs 40ms"}},
		"two of sixteen, over two calls":            {"-+|-+", []string{"codec needs 40ms"}},
		"one too early":                             {"!", []string{"codec needs 40ms"}},
		"told once":                                 {"!!--!", []string{"codec needs 40ms"}},
		"good keys of the same call don't count":    {"!" + enough + enough, []string{"codec needs 40ms"}},
		"nor too few of the next":                   {"!" + enough + "|" + enough[1:], []string{"codec needs 40ms"}},
		"nor with one among them that has little":   {"!|" + enough[1:] + "-" + enough[1:], []string{"codec needs 40ms"}},
		"nor of several calls together":             {"!|" + enough[1:] + "|" + enough[1:], []string{"codec needs 40ms"}},
		"enough again":                              {"!|" + enough, []string{"codec needs 40ms", "codec needs 0s"}},
		"enough again, and what was before is past": {"--|" + enough + "-", []string{"codec needs 40ms", "codec needs 0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				r := newRig(t).armed("card")
				var told []string
				for _, k := range test.keys {
					if k == '|' {
						r.ok(r.s.Edge(hw.Edge{Kind: hw.CallEnded, At: r.path.at}))
						r.pass(10e9)
						r.armed("card")
						continue
					}
					r.path.margin = margins[k]
					r.path.key('*') // takes nothing back, and refuses nothing
					r.log.said = nil
					r.pass(1000e6)
					for _, s := range r.log.said {
						if strings.HasPrefix(s, "codec") {
							told = append(told, s)
						}
					}
				}
				if strings.Join(told, ", ") != strings.Join(test.told, ", ") {
					t.Errorf("told %q, want %q", told, test.told)
				}
			})
		})
	}
}

// It is told in the key's slot, whenever the key was suspected; and keys outside of a capture are nobody's.
func TestCodecPoorIsToldInTheSlot(t *testing.T) {
	virtual(t, func(t *testing.T) {
		r := newRig(t)
		r.path.margin = -80
		r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
		r.keys("1")
		r.expect("idle")
		r.ok(r.s.Arm("cap", ""))
		r.log.said = nil
		r.path.pass((r.path.at/slot + 1) * slot)
		r.path.key('1')
		r.pass(180e6)
		r.expect()
		r.pass(40e6)
		r.expect("codec needs 50ms", "keying cap", "pan:1")
	})
}
