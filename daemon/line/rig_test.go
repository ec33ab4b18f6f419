package line

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/wire"
)

// patience bounds every wait for something that must happen. It is no measure of speed.
const patience = 30 * time.Second

const visa = "4242424242424242"

// box is a folder with a line's config and recordings, and a stand-in for flattoned at its socket.
type box struct {
	t   testing.TB
	dir string
	cfg *config.Config
	ln  *wire.Listener
	log bytes.Buffer
}

// newBox makes a box whose caller keys a card number once the line is armed. Its socket needs a shorter path than
// t.TempDir's.
func newBox(t testing.TB, options string) *box {
	t.Helper()
	dir, err := os.MkdirTemp("", "line")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &box{t: t, dir: dir}
	b.record("caller.wav", keyed(visa))
	b.record("agent.wav", make([]int16, 8000))
	text := fmt.Sprintf(`
version = 1
state_dir = "state"
runtime_dir = "."
[vault]
key_file = "vault.key"
[upstream.webhook]
url = "http://127.0.0.1:1/"
secret_file = "webhook.secret"
[profile.number]
fields = ["pan"]
[[line]]
name = "desk-1"
place = "desk-side"
profile = "number"
%s
[line.wav]
caller_in = ["caller.wav"]
agent_in = ["agent.wav"]
agent_out = "agent-heard.wav"
caller_out = "caller-heard.wav"
pace = 0
gap_ms = 100
wait_armed = true
`, options)
	if b.cfg, err = config.Parse(filepath.Join(dir, "flattone.toml"), []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b
}

// keyed is what a caller sounds like who keys a number, with a second of quiet after it.
func keyed(keys string) []int16 {
	out := make([]int16, 1600)
	for i := range len(keys) {
		pair, _ := tone.Pair(keys[i], -10, 0)
		out = tone.Append(out, audio.Rate8k, 640, 8, pair[:]...)
		out = append(out, make([]int16, 640)...)
	}
	return append(out, make([]int16, 8000)...)
}

func (b *box) path(name string) string { return filepath.Join(b.dir, name) }

func (b *box) record(name string, samples []int16) {
	b.t.Helper()
	f, err := os.Create(b.path(name))
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.Append(f, 0, audio.Rate8k)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := w.Write(samples); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) newLine() (*Line, error) {
	return New(b.cfg, "desk-1", Deps{
		Log:   slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Today: func() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) },
	})
}

// run is running for a line of the box's.
func (b *box) run() (stop func() error, ended <-chan error) {
	b.t.Helper()
	l, err := b.newLine()
	if err != nil {
		b.t.Fatal(err)
	}
	return running(b.t, l)
}

// running runs a line until stop, which answers with what Run returned.
func running(t testing.TB, l *Line) (stop func() error, ended <-chan error) {
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() {
		defer close(ran)
		ran <- l.Run(ctx)
	}()
	stop = func() error {
		cancel()
		return <-ran
	}
	t.Cleanup(func() { stop() })
	return stop, ran
}

// armed runs the line with a flattoned that arms it, for cap_a, once the call has begun.
func (b *box) armed() (d *daemon, stop func() error) {
	b.t.Helper()
	b.listen()
	stop, _ = b.run()
	d = b.accept()
	hear(d, func(m wire.Call) bool { return m.Edge == "call_began" })
	if answer := d.ask(1, wire.Arm{ID: 1, Capture: "cap_a"}); answer != "" {
		b.t.Fatalf("not armed: %s", answer)
	}
	hear(d, state("armed"))
	return d, stop
}

// listen is flattoned coming up.
func (b *box) listen() {
	b.t.Helper()
	var err error
	if b.ln, err = wire.Listen(b.cfg.LineSocket(), slog.New(slog.DiscardHandler), nil); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { b.ln.Close() })
}

// daemon is flattoned's end of a connection.
type daemon struct {
	*wire.Conn
	t    testing.TB
	said chan said
	kept []said        // what was told before an answer that was waited for
	done chan struct{} // the reader has ended
}

// said is a message of the line's, with a card's bytes.
type said struct {
	m    wire.Message
	card [secret.CardSize]byte
	err  error
}

// accept waits for the line, and listens to all it says but its meters.
func (b *box) accept() *daemon {
	b.t.Helper()
	c, err := b.ln.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	d := &daemon{Conn: c, t: b.t, said: make(chan said, 1000), done: make(chan struct{})}
	go d.listen()
	b.t.Cleanup(d.hangUp)
	return d
}

func (d *daemon) listen() {
	defer close(d.done)
	for {
		m, card, err := d.Receive()
		s := said{m: m, err: err}
		if card != nil {
			s.err = errors.Join(err, card.MarshalTo(s.card[:]))
			card.Destroy()
		}
		if _, meters := m.(wire.Meters); !meters {
			d.said <- s
		}
		if err != nil {
			return
		}
	}
}

// hangUp is the connection's end by flattoned's.
func (d *daemon) hangUp() {
	d.Close()
	<-d.done
}

// next is the next thing the line says. It is never a card's digits that a failure prints.
func (d *daemon) next() said {
	d.t.Helper()
	if len(d.kept) > 0 {
		s := d.kept[0]
		d.kept = d.kept[1:]
		return s
	}
	select {
	case s := <-d.said:
		if s.err != nil {
			d.t.Fatalf("the line says no more: %v", s.err)
		}
		return s
	case <-time.After(patience):
		d.t.Fatal("the line is silent")
	}
	return said{}
}

// hear waits for a message of type M for which want holds, past others.
func hear[M wire.Message](d *daemon, want func(M) bool) said {
	d.t.Helper()
	for {
		s := d.next()
		if m, ok := s.m.(M); ok && want(m) {
			return s
		}
	}
}

// ask gives a command and waits for its answer. On a busy machine the caller keys meanwhile, and the capture may even be over: what is told is kept.
func (d *daemon) ask(id uint64, m wire.Message) (answer string) {
	d.t.Helper()
	if err := d.Send(m); err != nil {
		d.t.Fatal(err)
	}
	var told []said
	for {
		s := d.next()
		if m, ok := s.m.(wire.Answer); !ok {
			told = append(told, s)
		} else if m.ID == id {
			d.kept = append(told, d.kept...)
			return m.Error
		}
	}
}

func state(s string) func(wire.State) bool { return func(m wire.State) bool { return m.State == s } }

func any[M wire.Message](M) bool { return true }
