package iso8583

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// listen reads frames until the connection ends, or until one has no length that makes sense: then nobody knows where the next begins. After that it empties what
// the connection holds, so that it is wiped (package wiping).
func (l *link) listen() error {
	for {
		frame, err := l.frame()
		if err == nil {
			l.hear(frame)
			clear(l.page)
			clear(l.aside)
			continue
		}
		if errors.Is(err, message.ErrMalformed) {
			l.c.garbled.Add(1)
		}
		l.conn.Close()
		for err := error(nil); err == nil; {
			_, err = l.conn.Read(l.page)
		}
		clear(l.page)
		return err
	}
}

// frame reads one. It may begin at any time, but who begins one ends it soon.
func (l *link) frame() ([]byte, error) {
	head := l.page[:message.LengthBytes]
	if _, err := io.ReadFull(l.conn, head); err != nil {
		return nil, err
	}
	n, err := l.c.cfg.Form.Length(head)
	if err != nil {
		return nil, err
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(l.c.cfg.Timeout)); err != nil {
		return nil, err
	}
	rest := l.page[len(head) : len(head)+n]
	if _, err := io.ReadFull(l.conn, rest); err != nil {
		return nil, fmt.Errorf("the rest of an answer: %w", err)
	}
	return rest, l.conn.SetReadDeadline(time.Time{})
}

// hear gives an answer to who waits for it.
func (l *link) hear(frame []byte) {
	body, err := l.c.cfg.Form.Body(frame)
	if err != nil {
		l.c.garbled.Add(1)
		return
	}
	m, err := message.Decode(l.c.cfg.Form, body)
	if err != nil {
		l.c.garbled.Add(1)
		return
	}
	if m.Type == "0800" {
		l.oblige(m)
		return
	}
	t := trace{m.Text(11), m.Text(7)}
	l.mu.Lock()
	defer l.mu.Unlock()
	w, asked := l.waiting[t]
	if !asked || w.mti != m.Type || m.Text(41) != l.c.cfg.Terminal {
		l.c.strays.Add(1)
		return
	}
	delete(l.waiting, t)
	w.to <- read(m, l.aside)
}

// oblige answers an acquirer who asks whether the box is there: some hang up on who doesn't. It doesn't keep the reader from reading, and he is answered once at a
// time.
func (l *link) oblige(m message.Message) {
	if !l.obliges.CompareAndSwap(false, true) {
		l.c.strays.Add(1)
		return
	}
	t := trace{m.Text(11), m.Text(7)}
	q, err := l.c.question(t, "0810", message.Field{Number: 7, Text: t.time}, message.Field{Number: 11, Text: t.stan}, message.Field{Number: 39, Text: "00"},
		message.Field{Number: 41, Text: l.c.cfg.Terminal}, message.Field{Number: 70, Text: m.Text(70)})
	l.work.Go(func() {
		defer l.obliges.Store(false)
		if err != nil {
			return // there is no locked memory just now, and he asks again
		}
		defer q.wipe()
		ctx, cancel := context.WithTimeout(context.Background(), l.c.cfg.Timeout)
		defer cancel()
		l.write(ctx, q, nil) // if it fails, the connection does
	})
}
