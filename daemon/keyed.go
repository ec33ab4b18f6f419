package daemon

import (
	"context"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// What an agent is warned of who asked by keys for what can't be done now. How the line stands says why, and the log in words.
const (
	startRefused  = "start_refused"
	cancelRefused = "cancel_refused"
	answerRefused = "answer_refused"
	hangUpRefused = "hang_up_refused"
)

// keyedTime bounds what an agent asks for by keys, who sees for himself that nothing happens.
const keyedTime = 5 * time.Second

// keyed does what a line's agent asks for by keys as if he had asked at the admin socket, and is noted in the same way. What the line has done
// itself is only noted.
func (b *backend) keyed(ctx context.Context, line string, what wire.Asked) {
	ctx, cancel := context.WithTimeout(ctx, keyedTime)
	defer cancel()
	by := asker{"agent", "keys on line " + line}
	var err error
	if what.Error != "" {
		err = refusal(line, what.Error)
	}
	refused := startRefused
	switch what.For {
	case wire.AskStart:
		_, err = b.arm(ctx, by, line, "", opening{"line.arm", "line.armed", "armed"}, newCaptureID())
	case wire.AskCancel:
		refused, err = cancelRefused, b.disarm(ctx, by, line)
	case wire.AskAnswer:
		refused = answerRefused
		b.noteDone(ctx, by, noteAnswered, line, err)
	case wire.AskHangUp:
		refused = hangUpRefused
		b.noteDone(ctx, by, noteHungUp, line, err)
	default:
		b.d.log.Error("a line says that its agent asks for what there isn't", "line", line)
	}
	if err != nil {
		b.d.log.Warn("what an agent asked for by keys was not done", "line", line, "asked", what.For, "error", err)
		b.d.feed.Publish(control.Event{Kind: control.KindWarning, Line: line, Code: refused})
	}
}
