package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxEvent bounds one line of a stream.
const maxEvent = 64 << 10

// Watch calls fn with the present of every line and then with each event as it comes, in order, from the
// goroutine of the caller. It returns nil when ctx ends, and otherwise an [*Error]: [CodeCut] if fn was too
// slow to keep up, [CodeLost] if flattoned went away.
func (c *Client) Watch(ctx context.Context, fn func(Event)) error {
	err := c.watch(ctx, fn)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("watching: %w", err)
}

func (c *Client) watch(ctx context.Context, fn func(Event)) error {
	resp, err := c.send(ctx, http.MethodGet, "events", nil, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	cut := false
	err = readEvents(resp.Body, func(e Event) error {
		fn(e)
		cut = e.Kind == KindCut
		return ctx.Err()
	})
	if cut {
		return &Error{CodeCut, "flattoned cut the watch off because it was read too slowly", "start it again"}
	}
	return c.lost(err)
}

// readEvents reads server-sent events until fn fails or the stream ends, which is an error too.
func readEvents(stream io.Reader, fn func(Event) error) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		// The name and the id of a server-sent event are in its data too, so only data counts.
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var e Event
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("reading an event: %w", err)
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("flattoned ended it")
}
