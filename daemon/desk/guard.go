package desk

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/flattone/flattone/daemon/config"
)

// mostBody bounds what a request may bring: a form of a few fields, or one object of the API.
const mostBody = 64 << 10

// guard is what every request goes through, whoever answers it.
func guard(cfg *config.Desk, next http.Handler) (http.Handler, error) {
	origin, err := url.Parse(cfg.Origin)
	if err != nil {
		return nil, err
	}
	// A browser says where a command comes from (Sec-Fetch-Site, Origin). From another site it is refused, though its page be one that may show the panel.
	crossing := http.NewCrossOriginProtection()
	policy := contentPolicy(cfg.FrameAncestors)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Strict-Transport-Security", "max-age=31536000")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), display-capture=()")
		h.Set("Cache-Control", "no-store") // what may be kept says so itself
		if len(cfg.FrameAncestors) == 0 {
			h.Set("X-Frame-Options", "DENY") // it knows no list of origins; frame-ancestors does
		}
		if r.Host != origin.Host {
			// Links, redirects and cookies would be another name's: one that an attacker has pointed here.
			http.Error(w, "this desk is at "+cfg.Origin, http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		crossing.Handler(next).ServeHTTP(w, r)
	}), nil
}

// contentPolicy lets a page load what is the desk's own, and nothing that stands in the page itself, so that no text in it can become a script.
func contentPolicy(ancestors []string) string {
	who := "'none'"
	if len(ancestors) > 0 {
		who = strings.Join(ancestors, " ")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors " + who
}
