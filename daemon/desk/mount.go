package desk

import "net/http"

// handler says who answers what. The panel and its streams are for who is signed in; whoever asks the API proves himself to it.
func (d *Desk) handler() (http.Handler, error) {
	panel, api := http.NotFoundHandler(), http.NotFoundHandler()

	mux := http.NewServeMux()
	mux.Handle("/signin", d.signin.Handler())
	mux.Handle("/signin/", d.signin.Handler())
	mux.Handle("/signout", d.signin.Handler())
	mux.Handle("/api/", api)
	mux.Handle("/", d.signin.Required(panel))
	return guard(d.cfg, mux)
}
