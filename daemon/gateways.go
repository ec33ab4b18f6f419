package daemon

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/gateway/iso8583"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/gateway/stripe"
	"github.com/flattone/flattone/daemon/gateway/template"
)

// keptUp is a connector that keeps a connection.
type keptUp interface{ Run(context.Context) error }

// connectors are to the gateways of the config, each held to its promises; and those of them that must run. reached is told whether there is a way to one that keeps its
// connection, as often as that changes.
func connectors(c *config.Config, reached func(gateway string, err error)) (all map[string]gateway.Connector, run []keptUp, err error) {
	all = map[string]gateway.Connector{}
	for name, g := range c.Gateways {
		one, err := connector(g, func(err error) { reached(name, err) })
		if err != nil {
			return nil, nil, fmt.Errorf("[gateway.%s]: %w", name, err)
		}
		if r, runs := one.(keptUp); runs {
			run = append(run, r)
		}
		all[name] = gateway.Guard(one)
	}
	return all, run, nil
}

func connector(g config.Gateway, reached func(error)) (gateway.Connector, error) {
	switch {
	case g.Stripe != nil:
		return toStripe(g, *g.Stripe)
	case g.ISO8583 != nil:
		return toAcquirer(*g.ISO8583, reached)
	case g.Template != nil:
		return byTemplate(g, *g.Template)
	}
	return nil, errors.New("no such kind of gateway") // which the config refuses
}

func toStripe(g config.Gateway, s config.Stripe) (gateway.Connector, error) {
	roots, err := s.TLS.Roots()
	if err != nil {
		return nil, err
	}
	via, err := courier.New(courier.Config{Base: s.URL, Roots: roots, Timeout: s.Timeout, Certificate: s.TLS.Certificate})
	if err != nil {
		return nil, err
	}
	var c *stripe.Stripe
	err = g.UseSecret(func(key []byte) error {
		c, err = stripe.New(stripe.Config{Key: string(key)}, via)
		return err
	})
	return c, err
}

func byTemplate(g config.Gateway, p config.Template) (gateway.Connector, error) {
	roots, err := p.TLS.Roots()
	if err != nil {
		return nil, err
	}
	var c *template.Template
	err = g.UseSecret(func(key []byte) error {
		c, err = template.New(template.Config{Provider: p.Provider, Secret: string(key), Settle: p.Settle,
			Courier: courier.Config{Roots: roots, Timeout: p.Timeout, Certificate: p.TLS.Certificate}})
		return err
	})
	return c, err
}

func toAcquirer(a config.ISO8583, reached func(error)) (gateway.Connector, error) {
	roots, err := a.TLS.Roots()
	if err != nil {
		return nil, err
	}
	var certificate func() (*tls.Certificate, error)
	if a.TLS.CertFile != "" {
		certificate = func() (*tls.Certificate, error) { return a.TLS.Certificate(nil) }
	}
	tpdu, err := hex.DecodeString(a.TPDU)
	if err != nil {
		return nil, err // which the config refuses
	}
	return iso8583.New(iso8583.Config{Address: a.Address, Plain: a.Plain, Roots: roots, Form: message.Form{Packed: a.Variant == config.BCD, TPDU: string(tpdu)}, Terminal: a.Terminal, Acceptor: a.Merchant, Category: a.MerchantCategory,
		Institution: a.Acquirer, Timeout: a.Timeout, EchoEvery: a.Echo},
		iso8583.Deps{Certificate: certificate, OnState: func(s iso8583.State, why error) {
			if s == iso8583.Ready || s == iso8583.Away && why != nil { // without a reason it is the box that ends
				reached(why)
			}
		}})
}
