package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// In a stream: how often a payment is asked for that the line shows no more, and a comment goes out where nothing else does.
const (
	askEvery  = 2 * time.Second
	beatEvery = 15 * time.Second
)

// stream tells of a session until it is over, or the client or the desk goes away (server-sent events).
func (a *API) stream() http.Handler {
	return a.known(func(w http.ResponseWriter, r *http.Request) {
		s, err := a.sessions.of(clientOf(r.Context()), r.PathValue("session"))
		if err != nil {
			asProblem(err).write(w)
			return
		}
		out := http.NewResponseController(w)
		out.SetReadDeadline(time.Time{})
		w.Header().Set("Content-Type", "text/event-stream")
		changes, stop := a.sessions.watch(s)
		defer stop()
		asks, beats := time.NewTicker(askEvery), time.NewTicker(beatEvery)
		defer asks.Stop()
		defer beats.Stop()
		for {
			text := ": alive\n\n"
			var seen Session
			select {
			case <-r.Context().Done():
				return
			case <-asks.C:
				if err := a.ask(r.Context(), s); err != nil {
					a.deps.Log.Debug("a payment can't be asked for", "error", err)
				}
				continue
			case <-beats.C:
			case seen = <-changes:
				data, err := json.Marshal(seen)
				if err != nil {
					return
				}
				text = fmt.Sprintf("event: session\nid: %d\ndata: %s\n\n", seen.Seq, data)
			}
			out.SetWriteDeadline(time.Now().Add(beatEvery))
			if _, err := w.Write([]byte(text)); err != nil || out.Flush() != nil || seen.over() {
				return
			}
		}
	})
}
