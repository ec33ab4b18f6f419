package signin

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPairing(t *testing.T) {
	d := newDesk(t, "")
	defer d.Close()
	b := d.browser()
	b.is(t, "")
	if w := b.get("/signin?then=/lines/one"); w.Code != 200 || !strings.Contains(w.Body.String(), `value="/lines/one"`) || strings.Contains(w.Body.String(), "company") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, wrong := range []string{"", "ZZZZ-ZZZZ", strings.Repeat("A", longestCode+1)} {
		if w := b.post("/signin/pair", "code", wrong); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "That code is not good") || wrong != "" && strings.Contains(w.Body.String(), wrong) {
			t.Errorf("%d: %s", w.Code, w.Body)
		}
		b.is(t, "")
	}
	if w := b.post("/signin/pair", "code", "ABCD-EFGH", "then", "/lines/one"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/lines/one" {
		t.Errorf("%d to %s", w.Code, w.Header().Get("Location"))
	}
	b.is(t, anna)
	if w := b.get("/signin"); w.Header().Get("Location") != "/" {
		t.Error("who is signed in is asked again")
	}
	other := d.browser()
	other.post("/signin/pair", "code", "JKMN-PQRS")
	other.is(t, "{Name:bob Supervisor:true}")
	d.box.fail = errors.New("dial unix: connection refused")
	if w := d.browser().post("/signin/pair", "code", "ABCD-EFGH"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "The box does not answer") || strings.Contains(w.Body.String(), "dial") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

// A session that somebody planted in a browser before its owner signed in is not the one he gets, and is over.
func TestNoSessionIsFixed(t *testing.T) {
	d := newDesk(t, "")
	defer d.Close()
	victim, thief := d.browser(), d.browser()
	planted := &http.Cookie{Name: cookie, Value: "chosen-by-a-thief"}
	victim.cookies[cookie], thief.cookies[cookie] = planted, planted
	victim.post("/signin/pair", "code", "ABCD-EFGH")
	victim.is(t, anna)
	thief.is(t, "")
	first := *victim.cookies[cookie]
	if first.Value == planted.Value || len(first.Value) != 43 {
		t.Errorf("an id of %d letters", len(first.Value))
	}
	victim.post("/signin/pair", "code", "JKMN-PQRS")
	if victim.cookies[cookie].Value == first.Value {
		t.Error("the id is the same after another signed in")
	}
	thief.cookies[cookie] = &first
	thief.is(t, "")
	out := *victim.cookies[cookie]
	if w := victim.post("/signout"); w.Header().Get("Location") != "/signin" || victim.cookies[cookie] != nil {
		t.Error("not signed out")
	}
	thief.cookies[cookie] = &out
	thief.is(t, "")
}

func TestCookies(t *testing.T) {
	for more, want := range map[string]string{
		"": "; Path=/; HttpOnly; Secure; SameSite=Lax",
		`frame_ancestors = ["https://crm.example.com"]`: "; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
	} {
		d := newDesk(t, more)
		w := d.browser().post("/signin/pair", "code", "ABCD-EFGH")
		d.Close()
		if c := w.Header().Get("Set-Cookie"); !strings.HasPrefix(c, "__Host-desk=") || !strings.HasSuffix(c, want) {
			t.Errorf("%s: %s", more, c[strings.Index(c, ";"):])
		}
	}
}

func TestNobodyIsSentElsewhere(t *testing.T) {
	for then, want := range map[string]string{
		"/": "/", "/lines/one?a=b%20c": "/lines/one?a=b%20c", "": "/", "//evil.example.com": "/", `/\evil.example.com`: "/", "https://evil.example.com/": "/", "javascript:alert(1)": "/",
		"/\t/evil.example.com": "/", "/\n/evil.example.com": "/", "\x00/a": "/", "evil": "/", "/%zz": "/", "/" + strings.Repeat("a", longestWay): "/", "///evil.example.com": "/", "/\u2215evil": "/",
	} {
		if got := local(then); got != want {
			t.Errorf("%q leads to %q, want %q", then, got, want)
		}
	}
}

func FuzzLocal(f *testing.F) {
	f.Add("//evil.example.com")
	f.Fuzz(func(t *testing.T, then string) {
		got := local(then)
		if got == "" || got[0] != '/' || len(got) > 1 && (got[1] == '/' || got[1] == '\\') || strings.ContainsAny(got, "\\\t\r\n") {
			t.Errorf("%q leads to %q", then, got)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, "[signin]\nidle_minutes = 30\nshift_hours = 2")
		defer d.Close()
		b := d.browser()
		b.post("/signin/pair", "code", "ABCD-EFGH")
		for range 3 {
			time.Sleep(29 * time.Minute)
			b.is(t, anna)
		}
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		b.is(t, "")
		if len(d.sessions.all) != 0 {
			t.Error("what is over is kept")
		}
		other := d.browser()
		other.post("/signin/pair", "code", "JKMN-PQRS")
		for range 5 {
			time.Sleep(24*time.Minute - time.Second)
			other.is(t, "{Name:bob Supervisor:true}")
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		other.is(t, "") // the shift is over, however busy he was
	})
}

// A stream is no use of the session, and is over with it.
func TestStreamsEndWithTheirSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, "[signin]\nidle_minutes = 30")
		defer d.Close()
		b := d.browser()
		b.post("/signin/pair", "code", "ABCD-EFGH")
		began, over := time.Now(), make(chan time.Duration)
		go func() {
			r := httptest.NewRequest(http.MethodGet, "/live", nil)
			r.Header.Set("Accept", "text/event-stream")
			b.do(r)
			over <- time.Since(began)
		}()
		if lasted := <-over; lasted != 30*time.Minute {
			t.Errorf("the stream ended after %v", lasted)
		}
	})
}

func TestOneAgentHasSoManySessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, "")
		defer d.Close()
		var ids []string
		for range mostSessions + 2 {
			id, _ := d.sessions.begin(Agent{Name: "anna"}, time.Now().Add(time.Hour), nil)
			ids = append(ids, id)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		for i, id := range ids {
			if there := d.sessions.of(id, false) != nil; there != (i >= 2) {
				t.Errorf("session %d: %t", i, there)
			}
		}
	})
}

// Whoever guesses keeps nobody else out, and costs no memory: see also daemon/pairing, which locks.
func TestAHundredThousandAttempts(t *testing.T) {
	d := newDesk(t, "")
	defer d.Close()
	b, attempts := d.browser(), 100_000
	if testing.Short() {
		attempts = 5000
	}
	for i := range attempts {
		if w := b.post("/signin/pair", "code", fmt.Sprintf("%08d", i)); w.Code != http.StatusForbidden {
			t.Fatalf("attempt %d: %d", i, w.Code)
		}
	}
	if len(b.cookies) != 0 || len(d.sessions.all) != 0 || d.box.asked != attempts {
		t.Errorf("%d cookies, %d sessions", len(b.cookies), len(d.sessions.all))
	}
	for range mostAsking {
		d.asking <- struct{}{}
	}
	if w := b.post("/signin/pair", "code", "ABCD-EFGH"); w.Code != http.StatusServiceUnavailable || d.box.asked != attempts {
		t.Errorf("%d: flattoned is asked about too many at a time", w.Code)
	}
	<-d.asking
	b.post("/signin/pair", "code", "ABCD-EFGH")
	b.is(t, anna)
}

func TestThePageSpeaksTheBrowsersLanguage(t *testing.T) {
	d := newDesk(t, "[brand]\nname = \"<b>Shop</b>\"\nlanguage = \"fr\"")
	defer d.Close()
	for accept, want := range map[string]string{"": "Connexion", "tlh": "Connexion", "de-CH, en;q=0.1": "Anmelden", "ja": "サインイン"} {
		r := httptest.NewRequest(http.MethodGet, "/signin", nil)
		r.Header.Set("Accept-Language", accept)
		w := d.browser().do(r)
		if text := w.Body.String(); !strings.Contains(text, want) || strings.Contains(text, "<b>") || strings.Contains(text, "signin.") || !strings.Contains(text, `href="/static/panel.css"`) {
			t.Errorf("%s: %s", accept, text)
		}
	}
}
