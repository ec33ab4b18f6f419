package line

import (
	"context"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/contact"
)

// Who tells a live line of its calls is its source. A contact whose device is away, and a telephone system that can't reach the
// line, are a source that is lost: calls are presumed until it tells again.
//
//	audio          presumed, from the beginning
//	api            no call ──began──▶ call ──ended──▶ no call         the connection to flattoned breaks in a call ──▶ lost
//	hook contact   joined, if it is closed at first; else no call, then as it closes and opens       it can't be read ──▶ lost
//	ring contact   presumed, from the beginning; each ring ends what was                             it can't be read ──▶ lost
//	modem          as api, or joined, by the caller's modem: see phones                              it doesn't answer in a call ──▶ lost

// source begins with what the line knows by itself, and follows its contact, if it has one.
func (l *Line) source(ctx context.Context) error {
	if !l.cfg.Calls.Trusted() {
		l.happened(hw.CallPresumed)
	}
	if l.cfg.Calls.Wired() {
		l.wired(ctx)
	}
	return nil
}

// lookAgain is how often a contact, or a modem, that is away is looked for.
const lookAgain = 500 * time.Millisecond

// wired follows the contact until ctx ends. What keeps it away is logged once, however often it is looked for.
func (l *Line) wired(ctx context.Context) {
	why := ""
	for {
		err := l.contact(ctx, func() { why = "" })
		if ctx.Err() != nil {
			return
		}
		if why == "" {
			l.sourceLost()
		}
		if text := err.Error(); text != why {
			why = text
			l.log.Error("nothing tells the line of its calls while its contact is away: they are presumed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAgain):
		}
	}
}

// contact opens the contact and follows it until it is lost; there is called once it says how it stands.
func (l *Line) contact(ctx context.Context, there func()) error {
	c, err := contact.Open(contactConfig(l.cfg.Calls))
	if err != nil {
		return err
	}
	defer c.Close()
	first := true
	return c.Run(ctx, func(closed bool) {
		if first {
			there()
			l.log.Info("the contact tells of calls", "contact", contactConfig(l.cfg.Calls), "closed", closed)
			l.told.tells(wire.Source{Code: string(capture.OK)})
		}
		l.moved(closed, first)
		first = false
	})
}

// moved is the contact's edge. How it stands at first is one too: who is on the line by then isn't known.
func (l *Line) moved(closed, first bool) {
	switch ring := l.cfg.Calls.Contact == config.Ring; {
	case ring && closed:
		l.happened(hw.CallEnded)
		l.happened(hw.CallPresumed)
	case ring:
	case closed && first:
		l.happened(hw.CallJoined)
	case closed:
		l.happened(hw.CallBegan)
	default:
		l.happened(hw.CallEnded)
	}
}

// sourceLost voids what is being captured: nobody would tell that its call has ended.
func (l *Line) sourceLost() {
	l.told.tells(wire.Source{Code: string(capture.SourceLost)})
	l.happened(hw.CallPresumed)
}

// callTold is the word of whoever commands flattoned.
func (l *Line) callTold(edge string) error {
	if l.cfg.Calls.Source != config.SourceAPI {
		return fmt.Errorf(`calls are told only to a line whose [line.calls] says source = "api"`)
	}
	kind := map[string]hw.EdgeKind{hw.CallBegan.String(): hw.CallBegan, hw.CallEnded.String(): hw.CallEnded}[edge]
	if kind == 0 {
		return fmt.Errorf("%q is nothing that happens to a call", edge)
	}
	l.told.tells(wire.Source{Code: string(capture.OK)})
	l.happened(kind)
	return nil
}

// parted tells that the connection to flattoned has ended. In a call that was told by it, its end would not be heard.
func (l *Line) parted() {
	if l.cfg.Calls.Source == config.SourceAPI && l.told.inCall() {
		l.sourceLost()
	}
}

// happened is an edge of a call now.
func (l *Line) happened(k hw.EdgeKind) { l.edge(hw.Edge{Kind: k, At: l.path.Position()}) }
