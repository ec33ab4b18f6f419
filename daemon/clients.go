package daemon

import (
	"fmt"
	"sync"

	"github.com/flattone/flattone/daemon/clients"
	"github.com/flattone/flattone/daemon/clients/natsrpc"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/health"
)

// newClients makes what answers the owner's systems: a server for each bus that any of them asks by.
func (d *Daemon) newClients(box string) (servers []*natsrpc.Server, err error) {
	var all []clients.Client
	by := map[string][]natsrpc.Client{}
	for _, c := range d.cfg.Clients {
		all = append(all, clients.Client{Name: c.Name, Destination: c.Upstream, May: verbs(c.May), Purposes: c.Purposes, PerHour: c.PerHour,
			Gateway: c.Gateway, Currency: d.cfg.Gateways[c.Gateway].Currency, MostMinor: int64(c.MostMinor)})
		by[c.Upstream] = append(by[c.Upstream], natsrpc.Client{Name: c.Name, Secrets: c.Secrets})
	}
	answers, err := clients.New(all, clients.Deps{Store: d.store, Audit: d.audit, Cards: d.vault, Payments: d.payments, Log: d.log})
	if err != nil {
		return nil, err
	}
	unheard := &unheard{board: d.health, why: map[string]string{}}
	for to, asking := range by {
		s, err := natsrpc.New(natsrpc.Config{Box: box, Clients: asking}, natsrpc.Deps{Conn: d.buses[to].Conn, Clients: answers, Log: d.log, Tell: unheard.tell})
		if err != nil {
			return nil, fmt.Errorf("[client]: %w", err)
		}
		servers = append(servers, s)
	}
	return servers, nil
}

func verbs(all []config.ClientVerb) (list []clients.Verb) {
	for _, v := range all {
		list = append(list, clients.Verb(v))
	}
	return list
}

// unheard has which clients can't be heard, and why.
type unheard struct {
	board *health.Board
	mu    sync.Mutex
	why   map[string]string
}

func (u *unheard) tell(client, why string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.why[client] = why; why == "" {
		delete(u.why, client)
	}
	stand(u.board, health.ClientsUnheard, u.why)
}
