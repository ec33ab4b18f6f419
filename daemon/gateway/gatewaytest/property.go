package gatewaytest

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/gateway"
)

// neverTwice: whatever is asked in whatever order, and whatever is lost of it, an order is charged once at most, and no more is given back than was taken. In the end
// a void leaves nothing.
func neverTwice(t *testing.T, start func(testing.TB) Rig) {
	r := &rig{Rig: start(t), t: t}
	var quick []Fault
	for _, f := range r.lossy() {
		if f != Silent {
			quick = append(quick, f)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		o := r.order(rapid.Bool().Draw(rt, "take"))
		r.ref = ""
		ask := func(verb string) {
			switch ctx := t.Context(); verb {
			case "authorise":
				r.authorise(ctx, o, r.Approved, r.note)
			case "crash":
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				r.authorise(ctx, o, r.Approved, func(ref string) error { cancel(); return r.note(ref) })
			case "inquire":
				r.guarded().Inquire(ctx, o, r.ref)
			case "capture":
				r.guarded().Capture(ctx, o, r.ref, o.Minor)
			case "refund":
				r.guarded().Refund(ctx, o, r.ref, o.Key+"-1", 234)
			case "void":
				r.guarded().Void(ctx, o, r.ref)
			}
		}
		for range rapid.IntRange(1, 4).Draw(rt, "steps") {
			verb := rapid.SampledFrom([]string{"authorise", "authorise", "crash", "inquire", "capture", "refund", "void"}).Draw(rt, "verb")
			if r.ref == "" && verb != "crash" {
				verb = "authorise"
			}
			if rapid.Bool().Draw(rt, "broken") {
				r.Provider.Break(rapid.SampledFrom(quick).Draw(rt, "fault"))
			}
			ask(verb)
			r.Provider.Break("") // what wasn't met
			if b := r.Provider.Books(o); b.Charges > 1 || b.Taken > o.Minor || b.Returned > b.Taken || b.Held+b.Taken > o.Minor {
				rt.Fatalf("after %s the books say %+v", verb, b)
			}
		}
		if r.ref == "" {
			return
		}
		if a, err := r.guarded().Void(t.Context(), o, r.ref); err != nil || a.Outcome != gateway.Approved {
			rt.Fatalf("the void in the end: %+v, %v", a, err)
		}
		if b := r.Provider.Books(o); b.Held != 0 || b.Taken != b.Returned {
			rt.Fatalf("after the void in the end the books say %+v", b)
		}
	})
}
