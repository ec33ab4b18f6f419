package e2e

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
)

// TestNothingRemainsOfCharges has 40 cards charged on four lines, by Stripe's API and by ISO 8583, over TLS by providers in processes of their own, which alone may know
// them then. As TestNothingRemains it looks for each of them once its outcome is known, in all memory and in everything that was written, without a garbage collection
// more than there happens to be and without secret memory: TLS seals a card from ordinary buffers, and these are looked through, too.
func TestNothingRemainsOfCharges(t *testing.T) {
	t.Parallel()
	const each, lines = 10, 4
	till, bank, temporary := newProvider(t, byStripe, ""), newProvider(t, byISO, ""), t.TempDir()
	silents := map[string]*provider{"mute-till": newProvider(t, byStripe, silent), "mute-bank": newProvider(t, byISO, silent)}
	var canaries []*canary
	card := func(codeKeys int, then time.Duration) string {
		seed := uint64(5000 + len(canaries))
		pan, cvv := drawCard(seed)
		canaries = append(canaries, newCanary(fmt.Sprint("PAN ", seed), pan), newCanary(fmt.Sprint("CVV ", seed), cvv))
		return dial(t, slices.Concat(pan, []byte("#1229#"), cvv[:codeKeys]), then)
	}
	cfg := box.Config{Profile: "gateway = \"till\"\ntest_cvv_length = 12", Wrap: []string{os.Args[0], bare, "/usr/bin/env", "TMPDIR=" + temporary},
		Tables: till.table("till") + bank.table("bank") + "\n[profile.bank]\ngateway = \"bank\"\ntest_cvv_length = 12\n"}
	for name, p := range silents {
		cfg.Tables += p.table(name) + fmt.Sprintf("\n[profile.%s]\ngateway = %q\ntest_cvv_length = 12\n", name, name)
	}
	for i := range lines { // see TestNothingRemains; a busy machine takes a second until a card is stored, and a line settles in the sound that comes after that
		l := box.Line{Name: fmt.Sprintf("line-%d", i), Pace: 20, Gap: 40 * time.Second, WaitArmed: true}
		for range each {
			l.Calls = append(l.Calls, card(12, 4*time.Second))
		}
		cfg.Lines = append(cfg.Lines, l)
	}
	taken := canaries
	asked := map[string][]*canary{}
	for name := range silents {
		from := len(canaries)
		cfg.Lines = append(cfg.Lines, box.Line{Name: name, Calls: []string{card(12, time.Minute)}, Pace: 20, WaitArmed: true})
		asked[name] = canaries[from:]
	}
	from := len(canaries)
	cfg.Lines = append(cfg.Lines, box.Line{Name: "open", Calls: []string{card(11, time.Minute)}, Pace: 1, WaitArmed: true})
	open := canaries[from:]

	r := newRig(t, cfg)
	r.start(t)
	charge := func(line, profile string, euros int) (payment string) {
		t.Helper()
		begun, err := r.client.Charge(t.Context(), line, profile, control.Charge{Amount: fmt.Sprint(euros), Address: "1 Main St", Postcode: "12345"})
		if err != nil {
			t.Fatalf("%d on %s: %v", euros, line, err)
		}
		return begun.Payment
	}
	for n := range each {
		var wanted []string
		for i, l := range cfg.Lines[:lines] {
			r.wait(t, "a call on "+l.Name, nth(n, code(l.Name, control.CallBegan)))
			wanted = append(wanted, charge(l.Name, []string{"", "bank"}[(i+n)%2], 1+n*lines+i))
		}
		for i, l := range cfg.Lines[:lines] {
			r.wait(t, "a payment on "+l.Name, func(e control.Event) bool {
				if e.Payment == wanted[i] && over(e.State) && e.State != control.PaymentApproved {
					t.Fatalf("a payment on %s is %s %s", l.Name, e.State, e.Reason)
				}
				return e.Payment == wanted[i] && e.State == control.PaymentApproved
			})
			r.wait(t, l.Name+" to be idle again", nth(n, idleAgain(l.Name)))
		}
	}
	r.wait(t, "the call on the line that stays open", code("open", control.CallBegan))
	charge("open", "", 1000)
	r.wait(t, "a card that is keyed but for one digit", func(e control.Event) bool { return e.Line == "open" && e.Field == "cvv" && e.Stars == 11 })
	pids := r.pids(t)
	lookThrough(t, "while a capture is open", pids, taken, open, map[string]int{"the line open": 1})
	for name, p := range silents {
		r.wait(t, "the call whose card nobody answers for", code(name, control.CallBegan))
		unanswered := charge(name, name, 2000)
		r.wait(t, "the provider to be asked", func(e control.Event) bool { return e.Payment == unanswered && e.State == control.PaymentAsked })
		time.Sleep(time.Second) // it has the card by then, and if not, there are more copies of it
		lookThrough(t, "while the provider "+name+" is silent", pids, taken, asked[name], map[string]int{"flattoned": 1})
		p.kill()
		r.wait(t, "the answer to be given up", func(e control.Event) bool {
			return e.Payment == unanswered && (over(e.State) || e.State == control.PaymentUnknown)
		})
		lookThrough(t, "once nobody waits for an answer of "+name, pids, slices.Concat(taken, asked[name]), nil, nil)
	}
	if err := r.client.Disarm(t.Context(), "open"); err != nil {
		t.Fatal(err)
	}
	r.wait(t, "the end of the capture", func(e control.Event) bool {
		return e.Line == "open" && e.Kind == control.KindState && e.State == "void"
	})
	lookThrough(t, "once it is given up", pids, taken, open, nil)
	if n := searchFiles(t, r.dir, canaries...); n < 5 {
		t.Fatalf("only %d files to search", n)
	}
	searchFiles(t, temporary, canaries...)
	for _, c := range canaries {
		if c.found > 0 {
			t.Errorf("%s is in a file: %v", c.what, c.where)
		}
	}
	// The provider that speaks Stripe's API keeps what it is sent: so these are what was sent.
	searchFiles(t, till.dir, taken...)
	sent := slices.DeleteFunc(slices.Clone(taken), func(c *canary) bool { return c.found == 0 })
	bank.kill()
	if n := len(bank.acquirersBooks(t)); len(sent) != lines*each || n != lines*each/2 {
		t.Errorf("%d numbers and codes are with one provider, and %d payments with the other", len(sent), n)
	}
}
