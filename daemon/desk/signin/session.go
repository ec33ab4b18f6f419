package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"sync"
	"time"
)

// mostSessions bounds the browsers in which one agent is signed in at a time; the oldest makes room.
const mostSessions = 8

// idBytes make a session's id: 256 bits of chance.
const idBytes = 32

// sessions are who is signed in. They are in memory alone: whoever restarts the desk signs everybody out.
type sessions struct {
	idle time.Duration

	mu  sync.Mutex
	all map[[sha256.Size]byte]*session // by the hash of its id, so that looking one up tells nothing of another's
}

// session is one browser's.
//
//	begun ──shift or the provider's word is over, idle for too long, signed out, too many others──▶ ended
//	 ▲ │
//	 └─┘ used: idle begins anew
type session struct {
	agent Agent
	begun time.Time
	// ctx ends with the session, and so does every stream that was begun under it.
	ctx  context.Context
	end  context.CancelFunc
	idle *time.Timer

	mu sync.Mutex
	// said is the provider's word; nil: somebody else's.
	said *word
}

func newSessions(idle time.Duration) *sessions {
	return &sessions{idle: idle, all: map[[sha256.Size]byte]*session{}}
}

// begin signs a in until the time given, under an id that nobody has seen before.
func (s *sessions) begin(a Agent, until time.Time, said *word) (id string, now *session) {
	random := make([]byte, idBytes)
	rand.Read(random) // never fails
	id = base64.RawURLEncoding.EncodeToString(random)
	key := sha256.Sum256([]byte(id))
	now = &session{agent: a, begun: time.Now(), said: said}
	now.ctx, now.end = context.WithDeadline(context.Background(), until)
	now.idle = time.AfterFunc(s.idle, now.end)
	context.AfterFunc(now.ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		now.idle.Stop()
		delete(s.all, key)
	})

	s.mu.Lock()
	defer s.mu.Unlock()
	var own []*session
	for _, other := range s.all {
		if other.agent.Name == a.Name {
			own = append(own, other)
		}
	}
	if len(own) >= mostSessions {
		slices.MinFunc(own, func(a, b *session) int { return a.begun.Compare(b.begun) }).end()
	}
	s.all[key] = now
	return id, now
}

// of is the session of that id; nil if there is none any more. A use that is the agent's own puts off its end by idleness.
func (s *sessions) of(id string, used bool) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.all[sha256.Sum256([]byte(id))]
	if found == nil || found.ctx.Err() != nil {
		return nil
	}
	if used {
		found.idle.Reset(s.idle)
	}
	return found
}

// finish ends the session of that id, and answers with the provider's token, if it was by one.
func (s *sessions) finish(id string) (raw string) {
	found := s.of(id, false)
	if found == nil {
		return ""
	}
	found.end()
	if said := found.word(); said != nil {
		raw = said.raw
	}
	return raw
}

// word is the provider's newest; nil: there is none.
func (s *session) word() *word {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said
}

// close ends all sessions.
func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.all {
		one.end()
	}
}

// renewed notes the provider's newer word.
func (s *session) renewed(said word) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = &said
}
