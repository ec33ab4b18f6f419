package line

import (
	"errors"
	"sync/atomic"

	"github.com/flattone/flattone/audio/words"
	"github.com/flattone/flattone/daemon/wire"
)

// speech says words to the agent, and to him alone, by which he proves that his call is on this line. While it does they take the place of all that he would hear of the
// caller: two voices at once are not always understood, and who has to ask again misses more of the caller than these two seconds. The caller hears the agent as ever.
//
//	silent ──say──▶ saying ──the last frame was given──▶ silent
type speech struct {
	// next is what is to be said; nil once the agent's port has taken it, and said all of it.
	next atomic.Pointer[[]int16]
	at   int // frames of it that were said; belongs to the agent's port
}

// The words as they are said: a pause, one, a pause, the other.
const wordPauseMS = 300

// errSpeaking answers whoever would have words spoken while others are.
var errSpeaking = errors.New("words are being spoken on the line: wait two seconds")

// say has frames said, unless it says others.
func (s *speech) say(frames []int16) error {
	if !s.next.CompareAndSwap(nil, &frames) {
		return errSpeaking
	}
	return nil
}

// instead puts the next of it in the place of what the agent would be given. It allocates nothing, and waits for nobody.
func (s *speech) instead(out []int16) {
	frames := s.next.Load()
	if frames == nil {
		return
	}
	n := copy(out, (*frames)[s.at:])
	if s.at += n; s.at == len(*frames) {
		s.at = 0
		s.next.Store(nil)
	}
}

// speak has words spoken if the line could take a card: only then is it anybody's to prove.
func (l *Line) speak(m wire.Speak) error {
	pause := make([]int16, int(l.cfg.Rate)*wordPauseMS/1000)
	var frames []int16
	for _, word := range m.Words {
		spoken, err := words.Frames(m.Language, word, l.cfg.Rate)
		if err != nil {
			return err
		}
		frames = append(append(frames, pause...), spoken...)
	}
	if err := l.session.Ready(); err != nil {
		return err
	}
	return l.bridge.speech.say(frames)
}
