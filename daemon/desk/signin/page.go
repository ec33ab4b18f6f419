package signin

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/desk/words"
)

//go:embed pages
var files embed.FS

// pages are what somebody sees who isn't signed in.
type pages struct {
	brand      config.DeskBrand
	stylesheet string
	words      *words.Catalogue
	page       *template.Template
}

func newPages(brand config.DeskBrand, stylesheet string) (p *pages, err error) {
	p = &pages{brand: brand, stylesheet: stylesheet}
	if p.words, err = words.New(); err != nil {
		return nil, err
	}
	p.page, err = template.ParseFS(files, "pages/page.html")
	return p, err
}

// shown is what a page says.
type shown struct {
	words.Words
	Brand, Stylesheet string
	// Problem is what went wrong; empty: nothing did.
	Problem       string
	Then          string
	Pairing, OIDC bool
}

// page shows the way in, or why it wasn't one: by a key of the words, empty for none.
func (s *SignIn) page(w http.ResponseWriter, r *http.Request, status int, problem string) {
	p := shown{Words: s.pages.words.For(r.Header.Get("Accept-Language"), s.pages.brand.Language), Brand: s.pages.brand.Name, Stylesheet: s.pages.stylesheet,
		Then: local(r.FormValue("then")), Pairing: s.cfg.Pairing, OIDC: s.oidc != nil}
	if problem != "" {
		p.Problem = p.Say(problem)
	}
	var text bytes.Buffer
	if err := s.pages.page.Execute(&text, p); err != nil {
		s.log.Error("the page where agents sign in can't be made", "error", err)
		http.Error(w, "the desk failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(text.Bytes()) // a browser that went away is no failure of ours
}
