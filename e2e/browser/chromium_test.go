package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium starts a browser. What it is given apart from the defaults is a sandbox less, for who is root, and trust in the rig's certificate.
func chromium(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("lang", "en-US"), chromedp.WindowSize(1000, 900))
	ctx, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("Chromium doesn't start: %v", err)
	}
	return ctx
}

// tab is one page of a browser, in a profile of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the first action's context is the tab's
		t.Fatal(err)
	}
	return &tab{t, ctx}
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, a := range actions {
		get(b, a)
	}
}

// get runs an action, and answers with what it answers.
func get[T any](b *tab, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("%v; the page has:\n%s", err, b.text())
	}
	return v
}

// eval evaluates an expression; one that is a promise is waited for.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	return get(b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// text is what the page says.
func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	s, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body ? document.body.innerText : ''"))
	return s
}

// sees waits for a text.
func (b *tab) sees(text string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if strings.Contains(b.text(), text) {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("waited in vain for %q; the page has:\n%s", text, b.text())
		}
	}
}

func (b *tab) seesNot(text string) {
	b.t.Helper()
	if strings.Contains(b.text(), text) {
		b.t.Errorf("the page has %q", text)
	}
}

// Keys, as an agent presses them: nothing here clicks.

func (b *tab) types(text string) { b.t.Helper(); b.run(chromedp.KeyEvent(text)) }

func (b *tab) presses(key string, with ...chromedp.KeyOption) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(key, with...))
}

func (b *tab) alt(key string) {
	b.t.Helper()
	b.presses(key, chromedp.KeyModifiers(chromedp.ModifierAlt))
}

// focused is the id of what has the focus.
func (b *tab) focused() string {
	b.t.Helper()
	return eval[string](b, "document.activeElement.id")
}

// tabsTo presses Tab until something has the focus.
func (b *tab) tabsTo(id string) {
	b.t.Helper()
	for range 60 {
		if b.focused() == id {
			return
		}
		b.presses(kb.Tab)
	}
	b.t.Fatalf("Tab doesn't lead to %s; the page has:\n%s", id, b.text())
}

// accessible fails the test for every serious finding of axe-core.
func (b *tab) accessible(page string) {
	b.t.Helper()
	axe, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		b.t.Fatal(err)
	}
	eval[bool](b, string(axe)+";true")
	found := eval[string](b, `axe.run().then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, at: v.nodes.map(n => n.target + ': ' + n.failureSummary)}))))`)
	var all []struct {
		ID, Impact, Help string
		At               []string
	}
	if err := json.Unmarshal([]byte(found), &all); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range all {
		say := b.t.Logf
		if v.Impact == "serious" || v.Impact == "critical" {
			say = b.t.Errorf
		}
		say("axe-core, %s: %s %s: %s %v", page, v.Impact, v.ID, v.Help, v.At)
	}
}

// signsIn does so by a technician's code.
func (b *tab) signsIn(r *rig, agent string) {
	b.t.Helper()
	b.run(chromedp.Navigate(r.origin + "/"))
	b.tabsTo("code")
	b.types(r.code(b.t, agent) + kb.Enter)
	b.sees("Signed in as " + agent)
}

// proves takes the agent to his call.
func (b *tab) proves(r *rig, line string) {
	b.t.Helper()
	b.sees("Line " + line)
	at := eval[string](b, fmt.Sprintf(`(document.querySelector('button[name=line][value=%q]') || {}).id || ''`, line))
	for at == "" || eval[bool](b, fmt.Sprintf(`document.getElementById(%q).disabled`, at)) {
		time.Sleep(50 * time.Millisecond)
		at = eval[string](b, fmt.Sprintf(`(document.querySelector('button[name=line][value=%q]') || {}).id || ''`, line))
	}
	b.tabsTo(at)
	b.presses(kb.Enter)
	b.sees("Which two words do you hear?")
	first, second := r.hear(b.t, line, eval[[]string](b, `[...document.querySelectorAll('button[name=word]')].map(b => b.value)`))
	b.alt(fmt.Sprint(first + 1))
	b.sees("Now pick the second one")
	b.alt(fmt.Sprint(second + 1))
	b.sees("This is your call")
}

// starts has a card charged.
func (b *tab) starts(amount, reference string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible("#f-amount"))
	b.tabsTo("f-amount")
	b.types(amount)
	b.tabsTo("f-currency")
	b.types("EUR")
	b.tabsTo("f-reference")
	b.types(reference + kb.Enter)
	b.sees("The caller keys the card")
}
