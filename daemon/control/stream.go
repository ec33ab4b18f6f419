package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// stream is GET /v1/events: server-sent events, each with its kind as the event's name, its number as the
// id and the [Event] as data, spared for who has no part in it. A comment goes out when it has been quiet for a while.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, by Actor) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		s.refuse(w, r, by, &Error{CodeBusy, "too many are watching already", "end one of the other watches"})
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	send := func(format string, args ...any) bool {
		// The server's own write time-out is for whole answers; here each event has its own.
		if rc.SetWriteDeadline(time.Now().Add(writeTime)) != nil {
			return false
		}
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && rc.Flush() == nil
	}
	events := s.backend.Subscribe(r.Context())
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for ok := send(": flattone events\n\n"); ok; {
		select {
		case e, more := <-events:
			if !more {
				return
			}
			data, err := json.Marshal(e.toldTo(by))
			if err != nil {
				s.log.Warn("admin socket: an event can't be told", "kind", e.Kind, "err", err)
				continue
			}
			ok = send("id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Kind, data)
		case <-beat.C:
			ok = send(": still here\n\n")
		case <-s.stopping:
			return
		}
	}
}
