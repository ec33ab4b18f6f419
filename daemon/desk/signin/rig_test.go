package signin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

const origin = "https://desk.example.com"

// box knows the codes that a test gives it, each once, unless it fails.
type box struct {
	codes map[string]control.Pairing
	fail  error
	asked int
}

func (b *box) RedeemPairing(_ context.Context, code string) (control.Pairing, error) {
	b.asked++
	p, known := b.codes[code]
	delete(b.codes, code)
	if b.fail == nil && !known {
		return p, &control.Error{Code: control.CodePairing, Text: "no"}
	}
	return p, b.fail
}

// configured is a desk's configuration with more in it.
func configured(t *testing.T, more string) *config.Desk {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("the secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.ParseDesk(filepath.Join(dir, "desk.toml"), []byte("version = 1\ncert_file = \"c\"\nkey_file = \"k\"\norigin = \""+origin+"\"\n"+more))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// desk is a SignIn, behind which a page says who asks, and its address streams until its request is over.
type desk struct {
	*SignIn
	box     *box
	handler http.Handler
}

func newDesk(t *testing.T, more string) *desk {
	t.Helper()
	d := &desk{box: &box{codes: map[string]control.Pairing{"ABCD-EFGH": {Agent: "anna"}, "JKMN-PQRS": {Agent: "bob", Supervisor: true}}}}
	var err error
	if d.SignIn, err = New(configured(t, more), Deps{Log: slog.New(slog.DiscardHandler), Box: d.box, Stylesheet: "/static/panel.css"}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/signin", d.Handler())
	mux.Handle("/signin/", d.Handler())
	mux.Handle("/signout", d.Handler())
	mux.Handle("/", d.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/live" {
			<-r.Context().Done()
		}
		fmt.Fprintf(w, "%+v", AgentOf(r.Context()))
	})))
	d.handler = mux
	return d
}

// browser keeps cookies.
type browser struct {
	desk    *desk
	cookies map[string]*http.Cookie
}

func (d *desk) browser() *browser { return &browser{d, map[string]*http.Cookie{}} }

func (b *browser) do(r *http.Request) *httptest.ResponseRecorder {
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "text/html")
	}
	w := httptest.NewRecorder()
	b.desk.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if b.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.do(httptest.NewRequest(http.MethodGet, path, nil))
}

func (b *browser) post(path string, fields ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// is says who the desk takes the browser for; nobody, if it is sent to sign in.
func (b *browser) is(t *testing.T, want string) {
	t.Helper()
	if w := b.get("/who"); want == "" && w.Code != http.StatusSeeOther || want != "" && (w.Code != http.StatusOK || w.Body.String() != want) {
		t.Errorf("the desk answers %d %q, want %q", w.Code, w.Body, want)
	}
}

const anna = "{Name:anna Supervisor:false}"
