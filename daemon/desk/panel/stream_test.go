package panel

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
	"github.com/flattone/flattone/daemon/desk/words"
)

// messages are what a stream has sent.
func (w *watcher) messages(t *testing.T) (all []message) {
	t.Helper()
	for _, line := range strings.Split(w.Body.String(), "\n") {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var m message
			if err := json.Unmarshal([]byte(data), &m); err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
	}
	return all
}

func TestAStreamTellsWhatChanges(t *testing.T) {
	inCall(t, func(r *rig) {
		w := r.watch("anna")
		r.tell(begun("c1")...)
		r.tell(control.Event{Kind: control.KindKey, Capture: "c1", Field: "pan", Stars: 6}, control.Event{Kind: control.KindMeters}, control.Event{Kind: control.KindKey, Line: "two", Capture: "c9", Field: "pan", Stars: 9})
		r.tell(control.Event{Kind: control.KindVerdict, Capture: "c1", Field: "pan", Code: "ok", Brand: "visa", Last4: "4242"})
		w.close()
		all := w.messages(t)
		if first := all[0]; len(first.Regions) != len(regionNames) {
			t.Errorf("it begins with %d regions", len(first.Regions))
		}
		last, before := all[len(all)-1], all[len(all)-2]
		if last.Polite != "Card number: accepted, Visa, ending in 4242" || len(last.Regions) != 1 {
			t.Errorf("of a verdict it tells %+v", last)
		}
		if len(before.Regions) != 1 || strings.Count(before.Regions["fields"].HTML, "●") != 6 || before.Polite+before.Alarm != "" {
			t.Errorf("of a star it tells %+v", before)
		}
	})
}

// TestMessagesAreAsLongForEveryKey: law 2 for who counts bytes.
func TestMessagesAreAsLongForEveryKey(t *testing.T) {
	inCall(t, func(r *rig) {
		w := r.watch("anna")
		r.tell(begun("c1")...)
		was := w.Body.Len()
		for stars := 6; stars < 20; stars++ {
			r.tell(control.Event{Kind: control.KindKey, Capture: "c1", Field: "pan", Stars: stars})
			if sent := w.Body.Len() - was; sent != block {
				t.Errorf("a message of %d stars has %d bytes", stars, sent)
			}
			was = w.Body.Len()
		}
		r.tell(control.Event{Kind: control.KindVerdict, Capture: "c1", Field: "pan", Code: "ok"}, control.Event{Kind: control.KindKey, Capture: "c1", Field: "cvv"})
		was = w.Body.Len()
		r.tell(control.Event{Kind: control.KindKey, Capture: "c1", Field: "cvv", Stars: 1}, control.Event{Kind: control.KindKey, Capture: "c1", Field: "cvv", Stars: 2})
		if w.Body.Len() != was {
			t.Error("the keys of a security code are told")
		}
		w.close()
	})
}

func TestAnotherBrowserTakesOver(t *testing.T) {
	inCall(t, func(r *rig) {
		first := r.watch("anna")
		r.tell(begun("c1")...)
		second := r.watch("anna")
		if !strings.Contains(first.Body.String(), "event: taken") {
			t.Error("the first isn't told")
		}
		length := first.Body.Len()
		r.tell(control.Event{Kind: control.KindKey, Capture: "c1", Field: "pan", Stars: 9})
		if first.Body.Len() != length {
			t.Error("the first is told more")
		}
		if m := second.messages(t); !strings.Contains(m[0].Regions["notice"].HTML, "has been closed there") || !strings.Contains(m[len(m)-1].Regions["fields"].HTML, strings.Repeat("●", 9)) {
			t.Error("the second isn't told")
		}
		first.close()
		second.close()
	})
}

func TestNewsAreSaidOnceAndInTheRightTone(t *testing.T) {
	catalogue, err := words.New()
	if err != nil {
		t.Fatal(err)
	}
	w := catalogue.For("en", config.English)
	green := board.View{Line: "one", Up: true, InCall: true, State: control.StateKeying, Bound: "anna", Capture: "c1"}
	with := func(change func(*board.View)) board.View { v := green; change(&v); return v }
	field := func(f board.Field) board.View { return with(func(v *board.View) { v.Fields = []board.Field{f} }) }
	for _, c := range []struct {
		name          string
		was, is       board.View
		polite, alarm string
	}{
		{"nothing", green, green, "", ""},
		{"a star", field(board.Field{Name: "pan", State: board.Open}), field(board.Field{Name: "pan", State: board.Open, Stars: 3}), "", ""},
		{"a good field", field(board.Field{Name: "pan", State: board.Open}), field(board.Field{Name: "pan", State: board.Good, Brand: "amex", Last4: "0005"}), "Card number: accepted, American Express, ending in 0005", ""},
		{"a refusal", field(board.Field{Name: "pan", State: board.Open}), field(board.Field{Name: "pan", State: board.Refused, Code: "luhn"}), "", "Card number: Mistyped: the number is not a card number."},
		{"a warning", green, with(func(v *board.View) { v.Warning = "key_waiting" }), "", "No key has come for a while. Does the caller need more time?"},
		{"a fault", green, with(func(v *board.View) { v.Away = true }), "", "The box can't be reached."},
		{"its end", with(func(v *board.View) { v.Away = true }), green, "This is your call. A card can be taken.", ""},
		{"an outcome", green, with(func(v *board.View) { v.Payments = []board.Payment{{ID: "p", State: "declined", Reason: "funds"}} }), "", "Declined: Not enough money, or a limit."},
		{"void", green, with(func(v *board.View) { v.State, v.Reason = control.StateVoid, "fault" }), "", "No card was taken: The line had a fault."},
	} {
		if polite, alarm := news(w, c.was, c.is, "anna"); polite != c.polite || alarm != c.alarm {
			t.Errorf("%s is said as %q and %q", c.name, polite, alarm)
		}
	}
}

// hostile is what somebody may write where text is expected.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>'&{{.}}`

// TestNothingThatIsWrittenBecomesMarkup puts hostile text wherever callers, systems, agents and flattoned can.
func TestNothingThatIsWrittenBecomesMarkup(t *testing.T) {
	tags := regexp.MustCompile(`<(script|img)[^>]*>`)
	inCall(t, func(r *rig) {
		clean := map[string]int{}
		for _, tag := range tags.FindAllString(r.page("anna"), -1) {
			clean[tag]++
		}
		look := func(what, page string) {
			t.Helper()
			for _, tag := range tags.FindAllString(page, -1) {
				if clean[tag] == 0 {
					t.Errorf("%s: the page has %s", what, tag)
				}
			}
		}
		r.box.payments["p1"] = control.Payment{ID: "p1", Line: "one", Amount: hostile, Currency: hostile, Reference: hostile, Refunded: hostile, Code: hostile, Left: hostile, Bill: hostile}
		w := r.watch("anna")
		r.tell(append(begun("c1"), control.Event{Kind: control.KindVerdict, Capture: "c1", Field: "pan", Code: hostile}, control.Event{Kind: control.KindWarning, Code: hostile})...)
		look("a refusal and a warning", r.page("anna"))
		r.tell(control.Event{Kind: control.KindVerdict, Capture: "c1", Field: "pan", Code: "ok", Brand: hostile, Last4: hostile}, control.Event{Kind: control.KindVerdict, Capture: "c1", Field: hostile, Code: "ok"})
		look("brand and last four", r.page("anna"))
		r.tell(payment(control.PaymentDeclined, hostile), payment(hostile, hostile), control.Event{Kind: control.KindAct, Payment: "p1", Act: hostile, Code: hostile, State: hostile, Reason: hostile})
		look("a payment", r.page("anna"))
		r.tell(void(hostile), payment(control.PaymentApproved, ""))
		look("void", r.page("anna"))
		r.box.fails(&control.Error{Code: control.CodeNotCharged, Text: hostile, Remedy: hostile})
		r.do("anna", "start", "profile", hostile, "amount", hostile, "currency", hostile, "reference", hostile, "total", hostile)
		look("a form and an error", r.page("anna"))
		r.tell(control.Event{Kind: control.KindBar, Code: hostile, On: true})
		look("a bar", r.page("anna"))
		look("an agent's name", r.page(hostile))
		w.close()
		for _, m := range w.messages(t) {
			for id, reg := range m.Regions {
				look("the stream's "+id, reg.HTML)
			}
		}
		if strings.Contains(w.Body.String(), "<script") {
			t.Error("the stream carries a script")
		}
	})
	if html.EscapeString(hostile) == hostile {
		t.Fatal("it isn't hostile")
	}
}

func TestWhatLooksLikeACardIsNotTaken(t *testing.T) {
	inCall(t, func(r *rig) {
		for _, number := range []string{"4242424242424242", "4242 4242 4242 4242", "3782-822463-10005", "order 4000056655665556!", "４２４２４２４２４２４２４２４２"} {
			for _, field := range []string{"reference", "amount", "total"} {
				r.do("anna", "start", "profile", "card", field, number)
				page := r.page("anna")
				has(t, page, "That looks like a card number.")
				hasNot(t, page, number)
			}
		}
		if got := r.box.told(); got != "" {
			t.Errorf("the box was told %q", got)
		}
		r.do("anna", "start", "profile", "card", "reference", "order 4242424242424241, 2026-11-28", "amount", "12.00")
		if got := r.box.told(); !strings.Contains(got, "4242424242424241") {
			t.Errorf("what is no card number was refused: %q", got)
		}
	})
}

func TestEveryLanguageRenders(t *testing.T) {
	inCall(t, func(r *rig) {
		r.tell(begun("c1")...)
		for _, l := range config.Languages() {
			page := r.pageIn("anna", string(l))
			has(t, page, fmt.Sprintf(`<html lang="%s">`, l))
			if n := len(page); n > 16<<10 {
				t.Errorf("in %s the page has %d bytes", l, n)
			}
		}
		if r.pageIn("anna", "de") == r.pageIn("anna", "ja") {
			t.Error("two languages say the same")
		}
	})
}

// TestThePageIsLight: HTML, stylesheet and script in 60 kB, before any compression.
func TestThePageIsLight(t *testing.T) {
	inCall(t, func(r *rig) {
		page := r.page("anna")
		sum := len(page)
		for _, at := range []string{r.panel.static.cssAt, r.panel.static.jsAt} {
			if !strings.Contains(page, at) {
				t.Errorf("the page doesn't load %s", at)
			}
			w := httptest.NewRecorder()
			r.panel.Static().ServeHTTP(w, httptest.NewRequest(http.MethodGet, at, nil))
			if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
				t.Errorf("%s is answered with %d", at, w.Code)
			}
			sum += w.Body.Len()
		}
		t.Logf("%d bytes", sum)
		if sum > 60_000 {
			t.Errorf("the page has %d bytes", sum)
		}
		hasNot(t, page, "style=", "onclick", "javascript:")
	})
}

func TestNobodyIsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		defer r.stop()
		w := httptest.NewRecorder()
		r.panel.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != http.StatusUnauthorized {
			t.Errorf("somebody who isn't signed in is answered with %d", w.Code)
		}
	})
}

// BenchmarkPanels is what one star costs with two hundred agents' streams open on it.
func BenchmarkFrame(b *testing.B) {
	m := message{Regions: map[string]region{"fields": {"v", strings.Repeat("x", 3000)}}}
	for b.Loop() {
		frame("", m)
	}
}
