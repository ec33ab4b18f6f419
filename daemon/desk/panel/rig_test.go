package panel

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
	"github.com/flattone/flattone/daemon/desk/signin"
)

// fakeBox is a flattoned of which tests say what happens. What it is commanded it notes.
type fakeBox struct {
	lines  []control.Line
	events chan control.Event

	mu       sync.Mutex
	said     []string
	fail     error
	payments map[string]control.Payment
}

func (f *fakeBox) Lines(context.Context) ([]control.Line, error) { return f.lines, nil }

func (f *fakeBox) Watch(ctx context.Context, fn func(control.Event)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-f.events:
			fn(e)
		}
	}
}

func (f *fakeBox) payment(_ context.Context, _, id string) (control.Payment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.payments[id]; ok {
		return p, nil
	}
	return control.Payment{}, &control.Error{Code: control.CodeUnknownPayment}
}

func (f *fakeBox) note(agent, format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = append(f.said, agent+": "+fmt.Sprintf(format, args...))
	return f.fail
}

// fails has commands fail from now on, or no longer.
func (f *fakeBox) fails(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// told are the commands since it was asked last.
func (f *fakeBox) told() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := strings.Join(f.said, "; ")
	f.said = nil
	return all
}

// asAgent is the box as one agent commands it.
type asAgent struct {
	f     *fakeBox
	agent string
}

func (a asAgent) Profiles(context.Context) ([]control.Profile, error) {
	return []control.Profile{{Name: "card", Fields: []string{"pan", "expiry", "cvv"}, Gateway: "till"}, {Name: "plain", Fields: []string{"pan"}}}, nil
}
func (a asAgent) Prove(_ context.Context, line, language string) (control.Proof, error) {
	return control.Proof{ID: "proof", Words: strings.Fields("apple boat cloud desk egg fox glass hill ink"), Seconds: 60}, a.f.note(a.agent, "prove %s in %s", line, language)
}
func (a asAgent) Bind(_ context.Context, line, proof string, words []string) error {
	return a.f.note(a.agent, "bind %s %s %v", line, proof, words)
}
func (a asAgent) Unbind(_ context.Context, line string) error {
	return a.f.note(a.agent, "unbind %s", line)
}
func (a asAgent) Arm(_ context.Context, line, profile string) (string, error) {
	return "c1", a.f.note(a.agent, "arm %s %s", line, profile)
}
func (a asAgent) Charge(_ context.Context, line, profile string, c control.Charge) (control.Charging, error) {
	return control.Charging{Capture: "c1", Payment: "p1"}, a.f.note(a.agent, "charge %s %s %s%s of %s for %s bill %s consent %t", line, profile, c.Amount, c.Currency, c.Total, c.Reference, c.Bill, c.Consent)
}
func (a asAgent) Disarm(_ context.Context, line string) error {
	return a.f.note(a.agent, "disarm %s", line)
}
func (a asAgent) MoreTime(_ context.Context, line string) error {
	return a.f.note(a.agent, "more %s", line)
}
func (a asAgent) Again(_ context.Context, line, field string) error {
	return a.f.note(a.agent, "again %s %s", line, field)
}
func (a asAgent) Cover(_ context.Context, line string, on bool) error {
	return a.f.note(a.agent, "cover %s %t", line, on)
}
func (a asAgent) Confirm(_ context.Context, id string) (control.Payment, error) {
	return control.Payment{}, a.f.note(a.agent, "confirm %s", id)
}
func (a asAgent) Cancel(_ context.Context, id string) (control.Payment, error) {
	return control.Payment{}, a.f.note(a.agent, "cancel %s", id)
}
func (a asAgent) Act(_ context.Context, id, kind, amount string) (control.Act, error) {
	return control.Act{}, a.f.note(a.agent, "%s %s %s", kind, id, amount)
}

// rig is a panel on a box with two lines, one of which is in anna's call and one in bob's.
type rig struct {
	t     *testing.T
	box   *fakeBox
	board *board.Board
	panel *Panel
	over  sync.WaitGroup
	stop  func()
}

// newRig is for within a bubble of synctest.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, box: &fakeBox{events: make(chan control.Event), payments: map[string]control.Payment{}}}
	for _, name := range []string{"one", "two"} {
		r.box.lines = append(r.box.lines, control.Line{Name: name, Place: "trunk-side", Up: true, State: control.StateIdle})
	}
	log := slog.New(slog.DiscardHandler)
	r.board = board.New(board.Deps{Box: r.box, Payment: r.box.payment, Log: log})
	var err error
	r.panel, err = New(&config.Desk{Brand: config.DeskBrand{Name: "Acme", Colour: "#1f4f99", TextColour: "#ffffff", Language: config.English}},
		Deps{Board: r.board, As: func(agent string) Box { return asAgent{r.box, agent} }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = func() { stop(); r.over.Wait() }
	r.over.Go(func() { r.board.Run(ctx) })
	r.over.Go(func() { r.panel.Run(ctx) })
	synctest.Wait()
	r.tell(control.Event{Kind: control.KindCall, Line: "one", Code: control.CallBegan}, control.Event{Kind: control.KindCall, Line: "two", Code: control.CallBegan},
		control.Event{Kind: control.KindBond, Line: "one", Agent: "anna", On: true}, control.Event{Kind: control.KindBond, Line: "two", Agent: "bob", On: true})
	return r
}

// tell has events happen, on line one unless they say another.
func (r *rig) tell(events ...control.Event) {
	r.t.Helper()
	for _, e := range events {
		if e.Line == "" {
			e.Line = "one"
		}
		r.box.events <- e
	}
	synctest.Wait()
}

// capture is what a caller's card is told as, up to where a test goes on.
func begun(capture string) []control.Event {
	return []control.Event{{Kind: control.KindState, Capture: capture, State: control.StateArmed}, {Kind: control.KindState, Capture: capture, State: control.StateKeying},
		{Kind: control.KindKey, Capture: capture, Field: "pan", Stars: 5}}
}

func (r *rig) ask(agent, language string, req *http.Request) *httptest.ResponseRecorder {
	r.t.Helper()
	req.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	r.panel.ServeHTTP(w, req.WithContext(signin.As(req.Context(), signin.Agent{Name: agent})))
	synctest.Wait()
	return w
}

// page is an agent's page.
func (r *rig) page(agent string) string { return r.pageIn(agent, "en") }

func (r *rig) pageIn(agent, language string) string {
	r.t.Helper()
	w := r.ask(agent, language, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusOK {
		r.t.Fatalf("the page is answered with %d", w.Code)
	}
	return w.Body.String()
}

// do has an agent press a button. form are pairs.
func (r *rig) do(agent, verb string, form ...string) {
	r.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	req := httptest.NewRequest(http.MethodPost, "/do/"+verb, strings.NewReader(values.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := r.ask(agent, "en", req); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		r.t.Fatalf("%s is answered with %d", verb, w.Code)
	}
}

// watcher is an open stream.
type watcher struct {
	httptest.ResponseRecorder
	close func()
}

func (r *rig) watch(agent string) *watcher {
	r.t.Helper()
	w := &watcher{ResponseRecorder: *httptest.NewRecorder()}
	ctx, cancel := context.WithCancel(r.t.Context())
	var over sync.WaitGroup
	req := httptest.NewRequest(http.MethodGet, "/live", nil).WithContext(signin.As(ctx, signin.Agent{Name: agent}))
	over.Go(func() { r.panel.ServeHTTP(deadlines{&w.ResponseRecorder}, req) })
	w.close = func() { cancel(); over.Wait(); synctest.Wait() }
	synctest.Wait()
	return w
}

// deadlines are taken, as by a server's connection.
type deadlines struct{ *httptest.ResponseRecorder }

func (deadlines) SetWriteDeadline(time.Time) error { return nil }
func (deadlines) SetReadDeadline(time.Time) error  { return nil }

// has fails the test unless the page has every text.
func has(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}

func hasNot(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			t.Errorf("the page has %q", text)
		}
	}
}
