// Package jetstream takes events to a stream of NATS JetStream.
//
// It exists for owners whose systems already listen there, and for many boxes that tell one place. An event counts as delivered when the
// stream that the config names has acknowledged it, and not before. It is published under its id (Nats-Msg-Id), so that a stream that still
// remembers the id, for [Window] where the box made the stream, keeps it once, however often it comes; one that has forgotten keeps it twice,
// which is why whoever reads must know an id again. The order of a key is the dispatcher's, who sends a key's next event when the one before is
// acknowledged: what an attempt leaves behind can be passed by nothing but itself, as a connection is first in, first out, and nothing is
// kept for the next one.
//
// It connects by itself and for ever, to the addresses of the config alone, in TLS that names the server; without TLS to this machine only.
// It never makes or changes a stream unless it is told to, and never one that somebody else made.
package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/flattone/flattone/daemon/upstream"
)

// Deps are what a sender is built on.
type Deps struct{ Log *slog.Logger }

// Sender publishes events to one stream. Safe for concurrent use.
type Sender struct {
	cfg     Config
	log     *slog.Logger
	dial    *dialer
	ended   context.CancelFunc
	ready   chan struct{} // closed when the two below are set
	conn    *nats.Conn    // nil if it can't be had, of which trouble then says why
	streams jetstream.JetStream
	// link is done when the connection is lost: whoever waits for an acknowledgement then waits in vain.
	link    atomic.Pointer[link]
	trouble atomic.Pointer[error]  // why the last attempt to connect failed
	denied  atomic.Pointer[denied] // what the server last said that the box may not
	made    atomic.Bool            // the stream is known to be there
	making  chan struct{}          // held by who looks whether it is
}

// link is one connection's life.
type link struct {
	context.Context
	lose context.CancelFunc
}

// denied is a permission that the box was found to lack.
type denied struct {
	at  time.Time
	err error
}

// New checks the config and the files that it names, and begins to connect. A server that can't be reached is no error.
func New(cfg Config, deps Deps) (*Sender, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("upstream: nats: %w", err)
	}
	if deps.Log == nil {
		return nil, errors.New("upstream: nats: a sender needs a log")
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sender{cfg: cfg, log: deps.Log, ended: cancel, ready: make(chan struct{}), making: make(chan struct{}, 1)}
	s.dial = &dialer{ctx: ctx, loopback: cfg.plain()}
	s.relink()
	options, err := s.options()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("upstream: nats: %w", err)
	}
	go s.connect(options)
	return s, nil
}

// Close gives up the connection.
func (s *Sender) Close() error {
	s.ended()
	s.dial.close()
	<-s.ready
	if s.conn != nil {
		s.conn.Close()
	}
	s.link.Load().lose()
	return nil
}

// Send publishes an event and waits for the stream to acknowledge it. Whether it did is unknown if the time is up or the connection is lost
// before it answers, and that is [upstream.Later]: the same id comes again.
func (s *Sender) Send(ctx context.Context, e upstream.Envelope) upstream.Result {
	begun := time.Now()
	link := s.link.Load()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	defer context.AfterFunc(link, cancel)()
	select {
	case <-s.ready:
	case <-ctx.Done():
		return s.failed(ctx.Err(), "", begun)
	}
	if !s.connected() {
		return s.failed(nats.ErrDisconnected, "", begun)
	}
	if s.cfg.MakeStream && !s.made.Load() {
		if err := s.makeStream(ctx); err != nil {
			return s.failed(err, "", begun)
		}
	}
	subject := s.cfg.subject(e)
	ack, err := s.streams.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: e.Body, Header: nats.Header{"Content-Type": {e.ContentType}}},
		jetstream.WithMsgID(e.ID), jetstream.WithExpectStream(s.cfg.Stream),
		jetstream.WithRetryAttempts(0)) // when it is tried again is the dispatcher's business
	switch {
	case err == nil && ack.Stream == s.cfg.Stream:
		return upstream.Result{Outcome: upstream.Delivered} // a duplicate, too: the stream has it
	case err == nil:
		err = fmt.Errorf("%w: the stream %s answered", errOtherStream, said(ack.Stream))
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		s.made.Store(false)
	case link.Err() != nil:
		err = errLost
	}
	return s.failed(err, subject, begun)
}

// subject is where an event goes.
func (c Config) subject(e upstream.Envelope) string {
	s := strings.ReplaceAll(c.Subject, "{box}", token(c.Box, ""))
	s = strings.ReplaceAll(s, "{type}", token(e.Type, "."))
	return strings.ReplaceAll(s, "{key}", token(e.Key, ""))
}

// token makes of a text what may stand between the dots of a subject.
func token(text, also string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-"+also, r) {
			return r
		}
		return '_'
	}, text)
}
