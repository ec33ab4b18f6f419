package session_test

import (
	"slices"
	"testing"
	"time"
)

// Two callers who key other digits in the same rhythm look the same to everyone: the same is told at the same
// moments.
func TestNothingToldDependsOnTheDigits(t *testing.T) {
	virtual(t, func(t *testing.T) {
		timeline := func(fields ...string) (all [][]string) {
			r := newRig(t).armed("")
			for _, f := range fields {
				for _, k := range []byte(f) {
					r.path.key(k)
					for range 10 + len(all)%7 { // an uneven rhythm
						r.pass(20 * time.Millisecond)
						all = append(all, r.log.said)
						r.log.said = nil
					}
				}
			}
			return all
		}
		one := timeline(visa, "9*1229", "123#")
		two := timeline("4000056655665556", "0*0331", "987#")
		if !slices.EqualFunc(one, two, slices.Equal) {
			t.Error("what is told, or when, depends on the digits")
		}
		if slices.EqualFunc(one, timeline("4000056655665556", "0331", "987#"), slices.Equal) {
			t.Error("a correction doesn't show: this test sees nothing")
		}
	})
}
