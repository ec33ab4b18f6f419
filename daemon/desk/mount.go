package desk

import "net/http"

// handler says who answers what. The panel and its streams are for who is signed in; whoever asks the API proves himself to it.
func (d *Desk) handler() (http.Handler, error) {
	api := http.NotFoundHandler()

	mux := http.NewServeMux()
	mux.Handle("/signin", d.signin.Handler())
	mux.Handle("/signin/", d.signin.Handler())
	mux.Handle("/signout", d.signin.Handler())
	mux.Handle("/api/", api)
	mux.Handle("/static/", d.panel.Static())
	mux.Handle("/", d.signin.Required(d.panel))
	return guard(d.cfg, mux)
}
