package bond

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/flattone/flattone/audio/words"
	"github.com/flattone/flattone/daemon/id"
)

// Proof is what an agent is asked who says that his call is on a line.
type Proof struct {
	ID string
	// Choices are the words to pick from.
	Choices []string

	agent  string
	spoken [2]string
	ends   time.Time
}

// Prove begins a proof: it has speak speak two words of the language, and answers with what to pick from. One of the same agent's that is still open is over by it. The
// errors are [ErrLanguage], [ErrProving], [ErrWait], [ErrNoProof] if a call's edge came meanwhile, and those of speak.
func (b *Bonds) Prove(name, agent, language string, speak func(spoken [2]string) error) (Proof, error) {
	p, err := b.draw(agent, language)
	if err != nil {
		return Proof{}, err
	}
	if err := b.ask(name, p); err != nil {
		return Proof{}, err
	}
	err = speak(p.spoken)
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.of(name)
	switch {
	case l.proof != p: // an edge, or he asked anew
		if err == nil {
			err = ErrNoProof
		}
	case err != nil:
		l.proof = nil
	default:
		p.ends = time.Now().Add(ProofTime) // from when it could be answered
	}
	return *p, err
}

// ask has p be the line's proof.
func (b *Bonds) ask(name string, p *Proof) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.of(name)
	switch {
	case b.waits(p.agent):
		return ErrWait
	case l.open() && l.proof.agent != p.agent:
		return ErrProving
	}
	l.proof = p
	return nil
}

// open reports whether the line's proof can still be answered.
func (l *line) open() bool { return l.proof != nil && time.Now().Before(l.proof.ends) }

// Bind takes the answer to a proof. If it is right the line is the agent's; otherwise, which is [ErrWrong], the proof is over. The other errors are [ErrNoProof] and
// [ErrWait].
func (b *Bonds) Bind(name, agent, proof string, heard []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.of(name)
	switch {
	case b.waits(agent):
		return ErrWait
	case !l.open() || l.proof.ID != proof || l.proof.agent != agent:
		return ErrNoProof
	}
	right := slices.Equal(heard, l.proof.spoken[:])
	l.proof = nil
	if !right {
		b.missed(agent)
		return ErrWrong
	}
	delete(b.wrong, agent)
	b.begin(l, agent)
	return nil
}

// waits reports whether an agent has to. The caller holds mu.
func (b *Bonds) waits(agent string) bool {
	t := b.wrong[agent]
	if t == nil || t.n < mostWrong {
		return false
	}
	if time.Since(t.last) < waitTime {
		return true
	}
	delete(b.wrong, agent)
	return false
}

// missed counts a wrong answer, and forgets old ones of whomever. The caller holds mu.
func (b *Bonds) missed(agent string) {
	now := time.Now()
	for who, t := range b.wrong {
		if now.Sub(t.last) > wrongTime {
			delete(b.wrong, who)
		}
	}
	t := b.wrong[agent]
	if t == nil {
		t = &tally{}
		b.wrong[agent] = t
	}
	t.n, t.last = t.n+1, now
}

// draw makes a proof of some words of the language.
func (b *Bonds) draw(agent, language string) (*Proof, error) {
	all := words.In(language)
	if all == nil {
		return nil, ErrLanguage
	}
	p := &Proof{ID: id.Random("prf_"), agent: agent, ends: time.Now().Add(ProofTime)}
	var err error
	if p.Choices, err = b.some(all, Choices); err != nil {
		return nil, err
	}
	spoken, err := b.some(p.Choices, len(p.spoken))
	copy(p.spoken[:], spoken)
	return p, err
}

// some draws n of the words, in an order of chance.
func (b *Bonds) some(of []string, n int) ([]string, error) {
	drawn := slices.Clone(of)
	for i := range n {
		k, err := rand.Int(b.deps.Random, big.NewInt(int64(len(drawn)-i)))
		if err != nil {
			return nil, fmt.Errorf("draw a word: %w", err)
		}
		j := i + int(k.Int64())
		drawn[i], drawn[j] = drawn[j], drawn[i]
	}
	return drawn[:n:n], nil
}
