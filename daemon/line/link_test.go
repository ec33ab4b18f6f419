package line

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exchange is what a link dials in virtual time. Each dial is answered by the next of its answers; once they are
// used up, it fails.
type exchange struct {
	answers []func() (*wire.Conn, error)
	began   time.Time
	dialled []time.Duration
	log     bytes.Buffer
}

// newLink is a link to the exchange, with no session behind it.
func (x *exchange) newLink() *link {
	x.began = time.Now()
	return &link{
		log:       slog.New(slog.NewTextHandler(&x.log, nil)),
		greet:     func(_ func(wire.Message), open func()) { open() },
		connected: func() {},
		heard:     func(wire.Message) {},
		parted:    func() {},
		dial: func(ctx context.Context) (*wire.Conn, error) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			n := len(x.dialled)
			x.dialled = append(x.dialled, time.Since(x.began))
			if n < len(x.answers) {
				return x.answers[n]()
			}
			return nil, errors.New("nobody answers")
		},
	}
}

// peer answers a dial with one end of a pipe, and gives the other to do.
func peer(do func(flattoned *wire.Conn)) func() (*wire.Conn, error) {
	return func() (*wire.Conn, error) {
		a, b := net.Pipe()
		go func() {
			c := wire.NewConn(b, wire.Daemon)
			defer c.Close()
			do(c)
		}()
		return wire.NewConn(a, wire.Line), nil
	}
}

func refuses(reason string) func() (*wire.Conn, error) {
	return peer(func(c *wire.Conn) { c.Send(wire.Refused{Reason: reason, Detail: "because"}) })
}

// gone is a flattoned that ends as soon as it is reached.
func gone(*wire.Conn) {}

func fails() (*wire.Conn, error) { return nil, errors.New("connection refused") }

// ms are moments in milliseconds.
func ms(at ...int) (out []time.Duration) {
	for _, n := range at {
		out = append(out, time.Duration(n)*time.Millisecond)
	}
	return out
}

func TestLinkDialsAgain(t *testing.T) {
	for name, test := range map[string]struct {
		answers []func() (*wire.Conn, error)
		dials   []time.Duration
		logged  int
	}{
		"while nobody answers, ever more rarely": {nil, ms(0, 50, 150, 350, 750, 1550, 3150, 5150, 7150), 1},
		"soon after a connection was lost": {
			[]func() (*wire.Conn, error){fails, fails, fails, peer(gone), peer(gone)},
			ms(0, 50, 150, 350, 400, 450, 550, 750, 1150, 1950, 3550, 5550, 7550), 3},
		"ever more rarely while its old connection isn't given up": {
			[]func() (*wire.Conn, error){refuses(wire.ReasonBusy), refuses(wire.ReasonBusy), refuses(wire.ReasonBusy), peer(gone)},
			ms(0, 50, 150, 350, 400, 500, 700, 1100, 1900, 3500, 5500, 7500), 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &exchange{answers: test.answers}
				l := x.newLink()
				ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
				defer cancel()
				if err := l.run(ctx); err != nil {
					t.Error(err)
				}
				if !slices.Equal(x.dialled, test.dials) {
					t.Errorf("dialled at %v, want %v", x.dialled, test.dials)
				}
				if got := strings.Count(x.log.String(), "level=WARN"); got != test.logged {
					t.Errorf("%d warnings, want %d", got, test.logged)
				}
			})
		})
	}
}

func TestLinkThatIsRefusedEnds(t *testing.T) {
	for name, answer := range map[string]func() (*wire.Conn, error){
		"by the greeting": func() (*wire.Conn, error) {
			return nil, errors.Join(errors.New("greet flattoned"), wire.Refused{Reason: wire.ReasonVersion, Detail: "because"})
		},
		"after it": refuses(wire.ReasonLine),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &exchange{answers: []func() (*wire.Conn, error){answer}}
				err := x.newLink().run(t.Context())
				if refused, ok := errors.AsType[wire.Refused](err); !ok || refused.Detail != "because" {
					t.Errorf("the link ends with %v, want the refusal", err)
				}
			})
		})
	}
}

func TestLinkEndsWithItsContext(t *testing.T) {
	silent := peer(func(c *wire.Conn) { c.Receive() })
	for name, answers := range map[string][]func() (*wire.Conn, error){
		"while it waits":    nil,
		"while it is heard": {silent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &exchange{answers: answers}
				l := x.newLink()
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- l.run(ctx) }()
				synctest.Wait()
				cancel()
				if err := <-ended; err != nil || time.Since(x.began) != 0 {
					t.Errorf("ended after %v with %v", time.Since(x.began), err)
				}
			})
		})
	}
}

// A flattoned that has stopped reading costs whoever speaks nothing; the link dials again once a write has timed out.
func TestStuckFlattoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unstuck := make(chan struct{})
		stuck := peer(func(*wire.Conn) { <-unstuck })
		x := &exchange{answers: []func() (*wire.Conn, error){stuck}}
		l := x.newLink()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.run(ctx) }()
		synctest.Wait()
		for range 3 {
			l.say(wire.Warning{Capture: "c", Code: "key_waiting"})
		}
		if waited := time.Since(x.began); waited != 0 {
			t.Errorf("spoke for %v in all", waited)
		}
		time.Sleep(wire.WriteTimeout)
		synctest.Wait()
		if q, _ := l.current(); q != nil {
			t.Error("the connection is still in use")
		}
		time.Sleep(firstRedial)
		synctest.Wait()
		if len(x.dialled) != 2 {
			t.Errorf("dialled %d times, want 2", len(x.dialled))
		}
		close(unstuck)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// However much a flattoned that doesn't read is told, nobody waits and nothing piles up: levels are left out, then
// the connection is given up, and no card outlives it.
func TestALongWayBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unstuck := make(chan struct{})
		x := &exchange{answers: []func() (*wire.Conn, error){peer(func(*wire.Conn) { <-unstuck })}}
		l := x.newLink()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.run(ctx) }()
		synctest.Wait()
		card, err := secret.NewCard()
		if err != nil {
			t.Fatal(err)
		}
		defer card.Destroy()
		pan := make([]byte, 16) // random, and masked: see lockedtest
		for i := range pan {
			d := byte('0' + rand.IntN(10))
			card.PAN.Append(d)
			pan[i] = d ^ lockedtest.Mask
		}
		for range 10 * queueLength {
			l.say(wire.Meters{})
		}
		synctest.Wait()
		if q, _ := l.current(); q == nil {
			t.Error("the connection was given up for the sake of levels")
		}
		l.hand(wire.Card{Capture: "c"}, card)
		for range queueLength {
			l.say(wire.Warning{Capture: "c", Code: "key_waiting"})
		}
		synctest.Wait()
		if q, _ := l.current(); q != nil || time.Since(x.began) != 0 {
			t.Errorf("the connection was not given up at once, but after %v", time.Since(x.began))
		}
		if n := lockedtest.Copies(t, pan)[0]; n != 1 {
			t.Errorf("%d copies of the card, want the caller's own", n)
		}
		close(unstuck)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Whatever is said meanwhile, a new connection hears first how the line stands.
func TestANewConnectionHearsHowTheLineStandsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := make(chan wire.Message, 1)
		x := &exchange{answers: []func() (*wire.Conn, error){peer(func(c *wire.Conn) {
			m, _, _ := c.Receive()
			first <- m
		})}}
		l := x.newLink()
		l.greet = func(say func(wire.Message), open func()) {
			l.say(wire.Meters{}) // from another goroutine: there is no connection yet
			say(wire.State{State: "held"})
			open()
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.run(ctx) }()
		if m, ok := (<-first).(wire.State); !ok || m.State != "held" {
			t.Errorf("a new connection begins with %+v", m)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// What was said before the end is sent.
func TestLastWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := make(chan int, 1)
		x := &exchange{answers: []func() (*wire.Conn, error){peer(func(c *wire.Conn) {
			n := 0
			for ; ; n++ {
				if _, _, err := c.Receive(); err != nil {
					break
				}
			}
			heard <- n
		})}}
		l := x.newLink()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.run(ctx) }()
		synctest.Wait()
		for range 100 {
			l.say(wire.State{State: "held", Reason: "line_broken"})
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if n := <-heard; n != 100 {
			t.Errorf("flattoned heard %d of 100 messages", n)
		}
	})
}

// The link's goroutine waits for the session's while it does a command. A peer who gives a command and then doesn't
// read keeps neither from going on.
func TestCommandFromAFlattonedThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unstuck := make(chan struct{})
		x := &exchange{answers: []func() (*wire.Conn, error){peer(func(c *wire.Conn) {
			c.Send(wire.Cancel{ID: 1})
			<-unstuck
		})}}
		l := x.newLink()
		session, speaking, done := make(chan func()), make(chan struct{}), make(chan time.Duration, 1)
		l.heard = func(wire.Message) {
			<-speaking
			session <- func() { done <- time.Since(x.began) }
			l.say(wire.Answer{ID: 1})
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.run(ctx) }()
		go func() { // the session
			synctest.Wait()
			close(speaking)
			l.say(wire.Key{Capture: "c", Field: "pan", Stars: 1})
			(<-session)()
		}()
		if at := <-done; at != 0 {
			t.Errorf("the command was done after %v", at)
		}
		close(unstuck)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestNothingIsSaidWithoutAConnection(t *testing.T) {
	l := newLink("nowhere", wire.Hello{Line: "one"}, slog.New(slog.DiscardHandler))
	l.say(wire.Call{Edge: "call_began"})
	l.hand(wire.Card{Capture: "c"}, nil)
}

// What stands is sent under the lock that it is changed under: otherwise a connection that is told again could
// hear the old after the new.
func TestToldInOrder(t *testing.T) {
	var said []wire.Message
	var now told
	now.say = func(m wire.Message) {
		if now.mu.TryLock() {
			t.Error("something is said while it may change")
			now.mu.Unlock()
		}
		said = append(said, m)
	}
	again := func() { now.again(now.say, func() {}) }
	idle, armed, began := wire.State{State: "idle"}, wire.State{State: "armed", Capture: "c"}, wire.Call{Edge: "call_began"}
	again()
	now.stands(idle)
	again()
	now.calls(began)
	now.stands(armed)
	again()
	if want := []wire.Message{idle, idle, began, armed, began, armed}; !slices.Equal(said, want) {
		t.Errorf("said %v, want %v", said, want)
	}
}
