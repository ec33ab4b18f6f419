package panel

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/desk/board"
	"github.com/flattone/flattone/daemon/desk/signin"
)

const (
	// block is what every message's length is a multiple of, so that whoever counts bytes in TLS doesn't count stars.
	block     = 16 << 10
	beatEvery = 15 * time.Second
	sendTime  = 10 * time.Second
)

// stream is one page that is kept up to date.
type stream struct {
	taken chan struct{} // another is up to date now
	wake  chan struct{} // the seat has changed
}

// sit makes a stream the agent's. Another that he had is told that it is over.
func (s *seat) sit() *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream != nil {
		close(s.stream.taken)
		s.notice = "took_over"
	}
	s.stream = &stream{taken: make(chan struct{}), wake: make(chan struct{}, 1)}
	s.streams++
	return s.stream
}

func (s *seat) rise(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams--
	s.seen = time.Now()
	if s.stream == st {
		s.stream = nil
	}
}

// message is what the script takes: regions by id, and what is to be read out.
type message struct {
	Regions map[string]region `json:"regions,omitempty"`
	Polite  string            `json:"polite,omitempty"`
	Alarm   string            `json:"alarm,omitempty"`
}

type region struct {
	Version string `json:"v"`
	HTML    string `json:"html"`
}

// live is the stream: all regions, and then those that change. Where the agent has a line it is woken by that line alone.
func (p *Panel) live(w http.ResponseWriter, r *http.Request) {
	agent := signin.AgentOf(r.Context())
	s := p.seat(agent.Name)
	st := s.sit()
	p.attend()
	defer func() {
		s.rise(st)
		p.attend()
	}()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	rc.SetReadDeadline(time.Time{})
	send := func(name string, m message) bool {
		if rc.SetWriteDeadline(time.Now().Add(sendTime)) != nil {
			return false
		}
		_, err := w.Write(frame(name, m))
		return err == nil && rc.Flush() == nil
	}
	watched := p.watch(r.Context(), agent.Name)
	defer func() { watched.stop() }()
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	last, seen := board.View{}, map[string]string{}
	for first := true; ; first = false {
		x := p.show(r, agent)
		m := message{Regions: map[string]region{}}
		for id, reg := range x.regions() {
			if seen[id] != reg.Version {
				m.Regions[id], seen[id] = reg, reg.Version
			}
		}
		if !first {
			m.Polite, m.Alarm = news(x.words, last, x.View, agent.Name)
		}
		last = x.View
		if (len(m.Regions) > 0 || m.Polite != "" || m.Alarm != "") && !send("", m) {
			return
		}
		if x.bound() != watched.line { // his line, or that he has none any more
			watched.stop()
			watched = p.watch(r.Context(), agent.Name)
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-watched.changes:
		case <-st.wake:
		case <-st.taken:
			send("taken", message{})
			return
		case <-beat.C:
			if !send("beat", message{}) {
				return
			}
		}
	}
}

// watching is what wakes a stream: the agent's line or, where he has none, any.
type watching struct {
	line    string
	changes <-chan board.View
	stop    func()
}

func (p *Panel) watch(ctx context.Context, agent string) (w watching) {
	if v, ok := p.deps.Board.Of(agent); ok && v.Bound == agent {
		w.line = v.Line
	}
	ctx, w.stop = context.WithCancel(ctx)
	w.changes = p.deps.Board.Watch(ctx, w.line)
	return w
}

// frame is m as a server-sent event, of a length that says nothing.
func frame(name string, m message) []byte {
	var b bytes.Buffer
	if name != "" {
		b.WriteString("event: " + name + "\n")
	}
	data, _ := json.Marshal(m) // strings can't fail
	b.WriteString("data: ")
	b.Write(data)
	b.WriteString("\n\n: ")
	const end = "\n\n"
	pad := (block - (b.Len()+len(end))%block) % block
	b.WriteString(strings.Repeat(".", pad))
	b.WriteString(end)
	return b.Bytes()
}
