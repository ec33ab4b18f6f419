package panel

import (
	"bytes"
	"embed"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
	"github.com/flattone/flattone/daemon/desk/signin"
	"github.com/flattone/flattone/daemon/desk/words"
)

//go:embed pages/*.html
var pages embed.FS

var templates = template.Must(template.ParseFS(pages, "pages/*.html"))

// The regions of the page, which the stream replaces one by one.
var regionNames = []string{"notice", "line", "work", "fields", "paid"}

// The steps of a call. What a region shows depends on nothing else.
//
//	choose ──a line──▶ words ──the right two──▶ start ──go──▶ capture ──done, void──▶ start
//	   ▲                 │                        │              │
//	   └─────back────────┴───────leave, call's end┴──────────────┘
const (
	choose  = "choose"
	hearing = "words"
	start   = "start"
	capture = "capture"
)

// shown is what the templates show: everything there is to see, and nothing to do.
type shown struct {
	words   words.Words
	Agent   signin.Agent
	Brand   string
	Logo    string
	CSS, JS string // their addresses
	Step    string
	View    board.View // zero: the agent has no line
	Lines   []board.View
	Flaw    flaw
	Notice  string
	Form    form
	// First is the word that was picked, Proof the words to pick of.
	First    string
	Proof    control.Proof
	Profiles []control.Profile
	// Forsaken: this capture was given up because nobody looked.
	Forsaken bool
	// Bill is the payment whose bill the next card goes on with.
	Bill board.Payment

	rendered map[string]region
}

// show is the agent's page as it is now.
func (p *Panel) show(r *http.Request, agent signin.Agent) *shown {
	s := p.seat(agent.Name)
	x := &shown{Agent: agent, Brand: p.brand.Name, Logo: p.static.logoAt, CSS: p.static.cssAt, JS: p.static.jsAt, Lines: p.deps.Board.Views(),
		words: p.words.For(r.Header.Get("Accept-Language"), p.brand.Language)}
	x.View, _ = p.deps.Board.Of(agent.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = time.Now()
	if x.bound() != "" && x.View.Taking() {
		s.watched = x.View.Capture
	}
	x.Flaw, x.Notice, x.Form, x.Profiles = s.flaw, s.notice, s.form, s.profiles
	x.Forsaken = s.forsaken != "" && s.forsaken == x.View.Capture
	switch {
	case x.bound() != "" && x.View.Taking():
		x.Step = capture
	case x.bound() != "":
		x.Step = start
	case s.proof.ID != "" && time.Now().Before(s.expires):
		x.Step, x.Proof, x.First = hearing, s.proof, s.first
	default:
		x.Step = choose
	}
	for _, pay := range x.View.Payments {
		if pay.ID == s.form.Bill {
			x.Bill = pay
		}
	}
	return x
}

// bound is the line that is the agent's now; empty: none is.
func (x *shown) bound() string {
	if x.View.Bound == x.Agent.Name {
		return x.View.Line
	}
	return ""
}

// regions renders what the stream replaces.
func (x *shown) regions() map[string]region {
	if x.rendered != nil {
		return x.rendered
	}
	all := make(map[string]region, len(regionNames))
	for _, id := range regionNames {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, id, x); err != nil {
			panic(err) // a template that doesn't fit what it shows, which every test of the page finds
		}
		html := strings.TrimSpace(b.String())
		h := fnv.New64a()
		h.Write([]byte(html))
		all[id] = region{Version: fmt.Sprintf("%x", h.Sum64()), HTML: html}
	}
	x.rendered = all
	return all
}

// page is the whole of it.
func (p *Panel) page(w http.ResponseWriter, r *http.Request) {
	x := p.show(r, signin.AgentOf(r.Context()))
	if x.Step != capture {
		x.Profiles = p.profiles(r.Context(), x.Agent.Name)
	}
	p.attend()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "Accept-Language")
	if err := templates.ExecuteTemplate(w, "page", x); err != nil {
		p.deps.Log.Debug("a page wasn't sent whole", "error", err)
	}
}

// What the templates ask.

// Say is what the page says in the agent's language.
func (x *shown) Say(key string, pairs ...string) string { return x.words.Say(key, pairs...) }

// Code is a code in words.
func (x *shown) Code(code string) string { return x.words.Code(code) }

// Lang is the language, for the page's lang attribute.
func (x *shown) Lang() string { return string(x.words.Language) }

// Version is the version of a region.
func (x *shown) Version(id string) string { return x.regions()[id].Version }

// Red is why no card can be taken; empty: one can.
func (x *shown) Red() string { return x.View.Red(x.Agent.Name) }

// Mine reports whether the line is bound to the agent.
func (x *shown) Mine() bool { return x.bound() != "" }

// Ready reports whether a card can be taken now: after one, the line masks for some seconds more.
func (x *shown) Ready() bool { return x.View.State == control.StateIdle }

// Facts are what is known of a field.
func (x *shown) Facts(f board.Field) string {
	if f.State == board.Refused {
		return x.Code(f.Code)
	}
	if f.State == board.Good {
		return strings.Join(facts(x.words, f), ", ")
	}
	return x.Say(f.State)
}

// Stars are as many as a field has, each as wide as the next.
func (x *shown) Stars(f board.Field) string { return strings.Repeat("●", f.Stars) }

// Outcome is how a payment is.
func (x *shown) Outcome(p board.Payment) string { return outcome(x.words, p) }

// Fields are a profile's, in words.
func (x *shown) Fields(p control.Profile) string {
	var all []string
	for _, f := range p.Fields {
		all = append(all, x.Say(f))
	}
	return strings.Join(all, ", ")
}

// Void is why there is no card; empty: there is one, or one is being taken.
func (x *shown) Void() string {
	switch {
	case x.View.Void == "":
		return ""
	case x.Forsaken:
		return x.Say("browser_closed")
	}
	return x.Code(x.View.Void)
}

// Paying is the payment that the card being taken is for; nil: none.
func (x *shown) Paying() *board.Payment {
	if p, ok := x.View.Paying(); ok {
		return &p
	}
	return nil
}

// Keys is how many keys a field shows, for who doesn't see stars.
func (x *shown) Keys(f board.Field) string { return x.Say("keys", "n", strconv.Itoa(f.Stars)) }

// Nth counts as people do.
func (x *shown) Nth(i int) int { return i + 1 }

// BillLeft is what the bill's cards haven't paid.
func (x *shown) BillLeft() string { return x.Bill.Left + " " + x.Bill.Currency }

// ActOf is what was last done with a payment, and how that is.
func (x *shown) ActOf(p board.Payment) string {
	text := x.Say("act."+p.Act.Kind) + " " + x.Say("act."+p.Act.State)
	if p.Act.Reason != "" {
		text += ": " + x.Code(p.Act.Reason)
	}
	return text
}
