package iso8583

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// trace is what a message is known by, besides its type and its terminal.
type trace struct {
	stan string // field 11
	time string // field 7: MMDDhhmmss, UTC
}

// transmitted is field 7.
const transmitted = "0102150405"

// traces hands out numbers that a terminal uses once a day, and remembers none of them: a day's numbers begin at midnight (UTC) and are due at ten a second, so
// the clock alone says below which of them a restarted box must not begin. A moment's payments may run ahead of that; a box would have to charge ten a second for
// as long as it was away before it gave a number again, and then at another second: field 7 tells the two apart.
type traces struct {
	mu   sync.Mutex
	day  string
	last int
}

const (
	aSecond = 10
	mostOne = 999_999 // STANs have six digits
)

func (s *traces) next(now time.Time) (trace, error) {
	now = now.UTC()
	s.mu.Lock()
	defer s.mu.Unlock()
	if day := now.Format(time.DateOnly); s.day != day {
		s.day, s.last = day, 0
	}
	due := (now.Hour()*3600+now.Minute()*60+now.Second())*aSecond + 1
	if s.last = max(s.last+1, due); s.last > mostOne {
		s.last = mostOne
		return trace{}, notSent(errors.New("the day's million of trace numbers is used up; there are more after midnight UTC"))
	}
	return trace{fmt.Sprintf("%06d", s.last), now.Format(transmitted)}, nil
}
