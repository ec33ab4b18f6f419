package desk

import (
	"fmt"
	"net/http"

	"github.com/flattone/flattone/daemon/desk/api"
)

// handler says who answers what. The panel and its streams are for who is signed in; whoever asks the API proves himself to it.
func (d *Desk) handler() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/signin", d.signin.Handler())
	mux.Handle("/signin/", d.signin.Handler())
	mux.Handle("/signout", d.signin.Handler())
	mux.Handle("/api/", d.api)
	mux.Handle("/static/", d.panel.Static())
	mux.Handle("/", d.signin.Required(d.panel))
	return guard(d.cfg, mux)
}

// newAPI is the API for the clients of the configuration.
func (d *Desk) newAPI() (*api.API, error) {
	clients := map[string]api.Client{}
	for _, c := range d.cfg.Clients {
		secrets, err := c.Secrets()
		if err != nil {
			return nil, fmt.Errorf("client.%s: %w", c.Name, err)
		}
		clients[c.Name] = api.Client{Secrets: secrets, Lines: c.Lines}
	}
	return api.New(clients, api.Deps{Log: d.log, Board: d.board, For: func(agent string) api.Commands { return d.box.For(agent) }}), nil
}
