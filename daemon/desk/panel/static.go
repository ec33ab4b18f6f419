package panel

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"net/http"
	"time"

	"github.com/flattone/flattone/daemon/config"
)

//go:embed static
var assets embed.FS

// static are the stylesheet, the script and the logo, each under a name that changes with what is in it, so that browsers may keep it.
type static struct {
	cssAt, jsAt, logoAt string
	files               map[string]asset
}

type asset struct {
	kind string
	data []byte
}

func newStatic(brand config.DeskBrand) (*static, error) {
	s := &static{files: map[string]asset{}}
	css, err := assets.ReadFile("static/panel.css")
	if err != nil {
		return nil, err
	}
	js, err := assets.ReadFile("static/panel.js")
	if err != nil {
		return nil, err
	}
	// The policy lets no style stand in a page, so the owner's colours are in the stylesheet. They are "#" and six digits: see [config.DeskBrand].
	colours := fmt.Sprintf(":root{--brand:%s;--on-brand:%s}\n", brand.Colour, brand.TextColour)
	s.cssAt = s.add("panel.css", "text/css; charset=utf-8", append([]byte(colours), css...))
	s.jsAt = s.add("panel.js", "text/javascript; charset=utf-8", js)
	logo, kind, err := brand.Logo()
	if err != nil {
		return nil, err
	}
	if len(logo) > 0 {
		s.logoAt = s.add("logo", kind, logo)
	}
	return s, nil
}

func (s *static) add(name, kind string, data []byte) (at string) {
	sum := sha256.Sum256(data)
	at = fmt.Sprintf("/static/%x/%s", sum[:8], name)
	s.files[at] = asset{kind, data}
	return at
}

// ServeHTTP answers what was asked for by its whole name, and nothing else.
func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
}
