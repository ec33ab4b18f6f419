// Package browser holds the tests of the agents' desk as agents have it: real Chromium, flattone-desk with a certificate, flattoned, a line that plays recorded
// callers, and a provider's simulator. Agents here have a keyboard and no mouse.
package browser

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/flattone/flattone/daemon/control"
)

var screenshots = flag.String("screenshots", "", "the `folder` that pictures of the panel are put into")

// The goals, of which tests bound ten times.
const (
	starGoal  = 250 * time.Millisecond
	paintGoal = 100.0 // ms
	weight    = 60_000
)

// TestAWholePaymentByKeyboardAlone: the caller mistypes, his first card is declined, his second pays, and the agent refunds it.
func TestAWholePaymentByKeyboardAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", line("desk-1", caller(t, "{350}4242#{50}4000000000000002#1229#123#{200}4242424242424242#1229#123#{150}")))
	b := newTab(t, chromium(t))
	b.run(chromedp.Navigate(r.origin + "/"))
	b.accessible("sign-in")
	b.signsIn(r, "anna")
	b.weighs()
	b.accessible("choose")
	b.picture("choose")
	b.proves(r, "desk-1")
	b.accessible("start")
	b.picture("start")
	stars := b.times()
	told := r.listen(t)
	b.starts("12.05", "order-7")
	b.sees("The number is too short.")
	b.accessible("refused")
	b.sees("accepted, Visa, ending in 0002")
	b.picture("keying")
	b.sees("Declined")
	b.seesNot("4000000000000002")
	b.starts("12.05", "order-7")
	b.sees("ending in 4242")
	b.sees("Approved")
	b.accessible("outcome")
	b.picture("outcome")
	b.tabsTo("b-refund-1")
	b.presses(kb.Enter)
	b.sees("Refunding is done")
	b.sees("Refunded: 12.05")
	compare(t, told(), stars())
}

// TestTwoAgentsNeverSeeEachOther, nor does one reach the other's card; and Escape asks before it gives one up.
func TestTwoAgentsNeverSeeEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", line("east", caller(t, "{300}4242424242424242#{600}")), line("west", caller(t, "{300}378282246310005#{600}")))
	browser := chromium(t)
	anna, bob := newTab(t, browser), newTab(t, browser)
	anna.signsIn(r, "anna")
	bob.signsIn(r, "bob")
	anna.proves(r, "east")
	bob.proves(r, "west")
	anna.starts("1.00", "for-anna")
	bob.starts("2.00", "for-bob")
	anna.sees("ending in 4242")
	bob.sees("American Express, ending in 0005")
	for b, theirs := range map[*tab][]string{anna: {"for-bob", "0005", "2.00", "west"}, bob: {"for-anna", "4242", "1.00", "east"}} {
		for _, text := range theirs {
			b.seesNot(text)
			if strings.Contains(eval[string](b, "document.documentElement.outerHTML"), text) {
				t.Errorf("the page's source has %q", text)
			}
		}
	}
	anna.presses(kb.Escape)
	anna.sees("Give up this card?")
	anna.accessible("sure")
	anna.presses(kb.Enter) // on "No, go on", which has the focus
	anna.sees("The caller keys the card")
	anna.presses(kb.Escape)
	anna.presses(kb.Tab)
	anna.presses(kb.Enter)
	anna.sees("No card was taken")
	bob.sees("The caller keys the card")
	bob.seesNot("No card was taken")
}

// TestThePanelIsFramedByWhomTheConfigurationNames, and by nobody else.
func TestThePanelIsFramedByWhomTheConfigurationNames(t *testing.T) {
	t.Parallel()
	var desk string
	crm := func() *httptest.Server {
		return httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, "<!doctype html><title>CRM</title><iframe title=desk src=%q width=600 height=600></iframe>", desk+"/")
		}))
	}
	friend, stranger := crm(), crm()
	defer friend.Close()
	defer stranger.Close()
	r := newRig(t, fmt.Sprintf("frame_ancestors = [%q]\n", friend.URL), line("desk-1", caller(t, "{10}")))
	desk = r.origin
	b := newTab(t, chromium(t))
	for _, c := range []struct {
		at    string
		shown bool
	}{{friend.URL, true}, {stranger.URL, false}} {
		b.run(chromedp.Navigate(c.at))
		at := b.framed()
		if shown := strings.HasPrefix(at, r.origin); shown != c.shown {
			t.Errorf("in a page of %s the frame has %s", c.at, at)
		}
	}
}

// framed is the address of the document in the page's frame, by that document's own word: of a refused one it is Chromium's page that says so.
func (b *tab) framed() (at string) {
	b.t.Helper()
	frames := map[target.ID]context.Context{}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		all, err := chromedp.Targets(b.ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, a := range all { // of another site, and so with a process of its own
			if a.Type != "iframe" {
				continue
			}
			if frames[a.TargetID] == nil {
				ctx, end := chromedp.NewContext(b.ctx, chromedp.WithTargetID(a.TargetID))
				b.t.Cleanup(end) // which closes it
				frames[a.TargetID] = ctx
			}
			at, err = chromedp.Run(frames[a.TargetID], chromedp.Evaluate[string]("document.readyState === 'complete' ? location.href : ''"))
			if err == nil && at != "" && at != "about:blank" {
				return at
			}
		}
	}
	b.t.Fatal("the frame shows nothing")
	return ""
}

// weighs holds what the panel's page took to load against the goals.
func (b *tab) weighs() {
	b.t.Helper()
	b.run(chromedp.Reload())
	b.sees("Signed in as")
	bytes := eval[float64](b, `performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).reduce((sum, e) => sum + (e.decodedBodySize || 0), 0)`)
	var paint float64
	for range 100 {
		if paint = eval[float64](b, `(performance.getEntriesByName('first-contentful-paint')[0] || {startTime: 0}).startTime`); paint > 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.t.Logf("the panel: %.0f bytes before compression, first paint after %.0f ms", bytes, paint)
	if bytes > weight || bytes < 1000 {
		b.t.Errorf("the panel has %.0f bytes", bytes)
	}
	if paint > 10*paintGoal {
		b.t.Errorf("first paint after %.0f ms", paint)
	}
}

// times notes when each number of stars was first seen, by the browser's clock, which is the box's: they are one machine.
func (b *tab) times() (stars func() []float64) {
	eval[bool](b, `window.starTimes = []; new MutationObserver(() => {
		const s = (document.querySelector('#fields .field .stars') || {}).textContent;
		if (s && s.length !== window.lastStars) { window.lastStars = s.length; window.starTimes.push(performance.timeOrigin + performance.now()); }
	}).observe(document.getElementById('fields'), {childList: true, subtree: true}); true`)
	return func() []float64 { return eval[[]float64](b, "window.starTimes") }
}

// listen notes when flattoned told of each star of a number.
func (r *rig) listen(t *testing.T) (told func() []time.Time) {
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var all []time.Time
	var over sync.WaitGroup
	over.Go(func() {
		r.client.Watch(ctx, func(e control.Event) {
			if e.Kind == control.KindKey && e.Field == "pan" && e.Stars > 0 && !e.Replay {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, e.Time)
			}
		})
	})
	t.Cleanup(func() { stop(); over.Wait() })
	return func() []time.Time {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// compare says how long after flattoned a browser shows a star: each that was seen against the last one told before it.
func compare(t *testing.T, told []time.Time, seen []float64) {
	t.Helper()
	var late []time.Duration
	for _, s := range seen {
		at := time.UnixMicro(int64(s * 1000))
		i, _ := slices.BinarySearchFunc(told, at, time.Time.Compare)
		if i > 0 {
			late = append(late, at.Sub(told[i-1]))
		}
	}
	if len(late) < 16 {
		t.Fatalf("of %d stars that were told, %d were seen", len(told), len(late))
	}
	slices.Sort(late)
	t.Logf("stars at the browser after flattoned told of them: half within %v, all within %v, of %d", late[len(late)/2].Round(time.Millisecond), late[len(late)-1].Round(time.Millisecond), len(late))
	if late[len(late)/2] > 10*starGoal {
		t.Errorf("half of the stars come later than %v", late[len(late)/2])
	}
}

// picture takes pictures of the page, light, dark and 320 pixels wide, if there is somewhere to put them.
func (b *tab) picture(name string) {
	b.t.Helper()
	if *screenshots == "" {
		return
	}
	for _, kind := range []struct {
		name, scheme  string
		width, height int64
	}{{"light", "light", 760, 700}, {"dark", "dark", 760, 700}, {"320", "light", 320, 700}} {
		b.looks(kind.scheme, chromedp.EmulateViewport(kind.width, kind.height))
		png := get(b, chromedp.FullScreenshot(100))
		if err := os.MkdirAll(*screenshots, 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*screenshots, name+"-"+kind.name+".png"), png, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	b.looks("", chromedp.ResetViewport())
}

// looks has the page think that its user likes it light or dark, in a window of some size.
func (b *tab) looks(scheme string, size chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	get(b, func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	})
	b.run(size)
}
