package control

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Destination is who is told upstream, and how that goes.
type Destination struct {
	Name string `json:"name"`
	// Kind is webhook or jetstream, To where that is, without a path or a credential. Both are empty of one that the configuration doesn't name, for
	// which events wait all the same.
	Kind string `json:"kind,omitempty"`
	To   string `json:"to,omitempty"`
	// State is one of the states of a destination.
	State string `json:"state"`
	// Waiting counts the events that it doesn't have, Dead those of them that were refused for good or given up. Oldest is when the first of them was queued.
	Waiting int       `json:"waiting"`
	Dead    int       `json:"dead"`
	Oldest  time.Time `json:"oldest,omitzero"`
	// Attempts and Failures count since flattoned started.
	Attempts int64 `json:"attempts"`
	Failures int64 `json:"failures"`
}

// States of a destination.
const (
	DestinationReady    = "ready"
	DestinationFailing  = "failing"
	DestinationDisabled = "disabled" // it said that it is gone
)

// Undelivered is an event that a destination doesn't have. What it says isn't shown.
type Undelivered struct {
	ID          string `json:"id"`
	Destination string `json:"destination"`
	Type        string `json:"type"`
	// Capture is the one that it tells of, or what else keeps events in order.
	Capture string    `json:"capture"`
	Queued  time.Time `json:"queued"`
	// Dead: it was refused for good or given up, and waits for a technician. Behind: it waits until an earlier one is over. Else it is tried at Due.
	Dead   bool      `json:"dead,omitempty"`
	Behind bool      `json:"behind,omitempty"`
	Due    time.Time `json:"due,omitzero"`
	Tries  int       `json:"tries"`
	// Status and Reason are of the last attempt.
	Status int    `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Pick says which events are meant: those that fit all of it.
type Pick struct {
	ID          string `json:"id,omitempty"`
	Destination string `json:"destination,omitempty"`
}

// Telling is the part of a [Backend] that is about what upstream doesn't have. An event's body is shown to nobody.
type Telling interface {
	// Undelivered are the events that fit, those first that were put in first, at most limit.
	Undelivered(ctx context.Context, p Pick, dead bool, limit int) ([]Undelivered, error)
	// Replay has the dead letters that fit sent again, Drop gives them up for a reason, which is in the audit log; with a destination that the configuration no longer names,
	// whatever waits for it. Both say how many there were, and fail with [CodeWrongState] if there was none.
	Replay(ctx context.Context, by Actor, p Pick) (int64, error)
	Drop(ctx context.Context, by Actor, p Pick, reason string) (int64, error)
	// Resume has a destination tried again that said that it is gone.
	Resume(ctx context.Context, by Actor, destination string) error
}

type dropRequest struct {
	Pick
	Reason string `json:"reason"`
}

type countAnswer struct {
	Events int64 `json:"events"`
}

// upstreamRoutes are the table's lines about what upstream doesn't have.
func (s *Server) upstreamRoutes() []route {
	b := s.backend
	return []route{
		{pattern: "GET /v1/upstream", may: commanding, call: func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			n, err := limit(r)
			if err != nil {
				return nil, err
			}
			q := r.URL.Query()
			return orEmpty(b.Undelivered(ctx, Pick{Destination: q.Get("destination")}, q.Get("dead") == "true", n))
		}},
		{pattern: "POST /v1/upstream/replay", may: commanding, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask Pick
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			n, err := b.Replay(ctx, by, ask)
			return countAnswer{n}, err
		}},
		{pattern: "POST /v1/upstream/drop", may: commanding, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask dropRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			n, err := b.Drop(ctx, by, ask.Pick, ask.Reason)
			return countAnswer{n}, err
		}},
		{pattern: "POST /v1/upstream/{destination}/resume", may: commanding, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			if err := decode(r.Body, &struct{}{}); err != nil {
				return nil, err
			}
			return struct{}{}, b.Resume(ctx, by, r.PathValue("destination"))
		}},
	}
}

// Undelivered are the events that fit and upstream doesn't have, those first that were put in first.
func (c *Client) Undelivered(ctx context.Context, p Pick, dead bool, limit int) ([]Undelivered, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}, "destination": {p.Destination}, "dead": {strconv.FormatBool(dead)}}
	return ask[[]Undelivered](ctx, c, "asking what upstream doesn't have", http.MethodGet, "upstream?"+q.Encode(), nil)
}

// Replay has the dead letters that fit sent again, and says how many.
func (c *Client) Replay(ctx context.Context, p Pick) (int64, error) {
	a, err := ask[countAnswer](ctx, c, "having events sent again", http.MethodPost, "upstream/replay", p)
	return a.Events, err
}

// Drop gives up the dead letters that fit, and says how many.
func (c *Client) Drop(ctx context.Context, p Pick, reason string) (int64, error) {
	a, err := ask[countAnswer](ctx, c, "dropping events", http.MethodPost, "upstream/drop", dropRequest{p, reason})
	return a.Events, err
}

// Resume has a destination tried again that said that it is gone.
func (c *Client) Resume(ctx context.Context, destination string) error {
	_, err := ask[struct{}](ctx, c, "resuming "+destination, http.MethodPost, "upstream/"+url.PathEscape(destination)+"/resume", nil)
	return err
}
