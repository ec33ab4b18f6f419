// Package natsrpc carries clients' requests and answers over NATS, by request and reply, on a connection that the box has anyway.
//
// It exists so that a system that listens to the box's events by NATS can also ask, without a port that is open at the box. A client asks on its own subject ([Subject]).
// The server's permissions keep others off it and aren't relied on: a request is believed by the client's secret alone, after Standard Webhooks, headers and all, and its
// answer is signed by the same, under the request's id with [AnswerPrefix], so that neither can pass for the other. It promises that what isn't believed is told to
// nobody but the log of acts, and does nothing; that a client's requests are answered one after the other; and that whoever can't be heard is known ([Deps.Tell]).
//
// It never looks into a request.
package natsrpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/flattone/flattone/daemon/clients"
	"github.com/flattone/flattone/daemon/upstream/signature"
)

// AnswerPrefix is what the id of an answer has before the request's.
const AnswerPrefix = "re_"

const (
	waiting      = 256     // of a client's requests, while one is answered; more are lost, and its to send again
	waitingBytes = 1 << 20 // of those
	again        = 30 * time.Second
	flush        = 5 * time.Second
)

// Subject is where a client asks a box. It lies apart from events' subjects, which streams keep: one that took requests too would answer them.
func Subject(box, client string) string {
	return "flattone-ask." + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, box) + "." + client
}

// Client is who may ask.
type Client struct {
	Name string
	// Secrets are read for each request, so that one which is replaced counts from the next.
	Secrets func() ([]string, error)
}

// Config says who asks which box.
type Config struct {
	Box     string
	Clients []Client
}

// Answerer is what a transport needs of [clients.Clients].
type Answerer interface {
	Serve(ctx context.Context, client, id string, body []byte) clients.Answer
	Refuse(ctx context.Context, client, id string, code clients.Code, why string) clients.Answer
}

// Deps are what requests are answered by.
type Deps struct {
	// Conn is the connection, once it was tried: see [nats.Conn]. It comes back by itself, and its subscriptions with it. It must have been made with PermissionErrOnSubscribe.
	Conn    func(context.Context) (*nats.Conn, error)
	Clients Answerer
	Log     *slog.Logger
	// Tell says why a client can't be heard, or with "" that it can.
	Tell func(client, why string)
}

// Server answers. Run runs once.
type Server struct {
	cfg  Config
	deps Deps
}

// New checks what it is given, and reads the secrets once.
func New(cfg Config, deps Deps) (*Server, error) {
	if cfg.Box == "" || deps.Conn == nil || deps.Clients == nil || deps.Log == nil || deps.Tell == nil {
		return nil, errors.New("natsrpc: something is missing")
	}
	for _, c := range cfg.Clients { // what is wrong with a secret is said at the start
		secrets, err := c.Secrets()
		if err == nil {
			_, err = signature.New(secrets...)
		}
		if err != nil {
			return nil, fmt.Errorf("client %s: %w", c.Name, err)
		}
	}
	return &Server{cfg: cfg, deps: deps}, nil
}

// Run answers until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	conn, err := s.deps.Conn(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil { // no attempt will be made, as whoever has the connection says, too
		for _, c := range s.cfg.Clients {
			s.deps.Tell(c.Name, err.Error())
		}
		return nil
	}
	var all sync.WaitGroup
	for _, c := range s.cfg.Clients {
		all.Go(func() { s.hear(ctx, conn, c) })
	}
	all.Wait()
	return nil
}

// hear answers a client's requests. One that the server doesn't let the box hear is tried again and again, and at once when the connection is another: permissions are mended
// without a restart.
func (s *Server) hear(ctx context.Context, conn *nats.Conn, c Client) {
	anew := conn.StatusChanged(nats.CONNECTED)
	defer conn.RemoveStatusListener(anew)
	for ctx.Err() == nil {
		err := s.subscribed(ctx, conn, c)
		if ctx.Err() != nil {
			return
		}
		s.deps.Log.Warn("a client can't be heard", "client", c.Name, "error", err)
		s.deps.Tell(c.Name, "the server doesn't let the box hear "+Subject(s.cfg.Box, c.Name)+": give its user what docs/clients.md lists")
		select {
		case <-ctx.Done():
		case <-time.After(again):
		case <-anew:
		}
	}
}

// subscribed is one subscription's life.
func (s *Server) subscribed(ctx context.Context, conn *nats.Conn, c Client) error {
	sub, err := conn.QueueSubscribeSync(Subject(s.cfg.Box, c.Name), "flattone") // two boxes of one name answer once
	if err != nil {
		return err
	}
	defer sub.Unsubscribe()
	defer context.AfterFunc(ctx, func() { sub.Unsubscribe() })() // which ends a wait
	if err := sub.SetPendingLimits(waiting, waitingBytes); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	watch.Go(func() { s.watch(ctx, conn, c.Name) })
	for {
		m, err := sub.NextMsg(again) // the one of its kind that returns when it turns out that the box may not hear
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, nats.ErrTimeout):
			continue
		case errors.Is(err, nats.ErrSlowConsumer): // it asked more than it may wait for
			s.deps.Log.Warn("requests of a client are lost", "client", c.Name)
			continue
		case err != nil:
			return err
		}
		s.answer(ctx, c, m)
	}
}

// watch tells whether the connection is there, until ctx ends.
func (s *Server) watch(ctx context.Context, conn *nats.Conn, client string) {
	changed := conn.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	defer conn.RemoveStatusListener(changed)
	for {
		why := ""
		if !conn.IsConnected() {
			why = "there is no connection to NATS"
		} else if err := conn.FlushTimeout(flush); err != nil { // what the server has against the subscription, it has said by then
			why = "NATS doesn't answer"
		}
		if ctx.Err() != nil {
			return
		}
		s.deps.Tell(client, why)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}
