package signin

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/flattone/flattone/daemon/config"
)

//go:embed page.html style.css
var files embed.FS

// pages are what somebody sees who isn't signed in.
type pages struct {
	brand config.DeskBrand
	page  *template.Template
	style []byte
}

func newPages(brand config.DeskBrand) (*pages, error) {
	page, err := template.ParseFS(files, "page.html")
	if err != nil {
		return nil, err
	}
	style, err := template.ParseFS(files, "style.css")
	if err != nil {
		return nil, err
	}
	var css bytes.Buffer
	// The colours are nothing but # and hexadecimal digits: see config.
	if err := style.Execute(&css, map[string]template.CSS{"Colour": template.CSS(brand.Colour), "TextColour": template.CSS(brand.TextColour)}); err != nil {
		return nil, err
	}
	return &pages{brand, page, css.Bytes()}, nil
}

// shown is what a page says.
type shown struct {
	Brand    string
	Language config.Language
	Words    words
	// Problem is what went wrong; empty: nothing did.
	Problem       string
	Then          string
	Pairing, OIDC bool
}

// page shows the way in, or why it wasn't one.
func (s *SignIn) page(w http.ResponseWriter, r *http.Request, status int, problem func(words) string) {
	language := languageOf(r, s.pages.brand.Language)
	p := shown{Brand: s.pages.brand.Name, Language: language, Words: all[language], Then: local(r.FormValue("then")), Pairing: s.cfg.Pairing, OIDC: s.oidc != nil}
	if problem != nil {
		p.Problem = problem(p.Words)
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

func (s *SignIn) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Write(s.pages.style)
}
