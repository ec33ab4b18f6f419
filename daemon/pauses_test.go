package daemon

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/upstream/signature"
	"github.com/flattone/flattone/daemon/wire"
)

// recorder is one that is asked by HTTP. What it is told goes to told, as line/action.
type recorder struct {
	told chan string
	mu   sync.Mutex
	says int
}

func (r *recorder) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.says = status
}

// expect waits for what the recorder is told next.
func (r *recorder) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-r.told:
		if got != want {
			t.Fatalf("the recorder is told %s, want %s", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("the recorder is never told %s", want)
	}
}

// withRecorder has a recorder in front of the box, which must pause and believes nothing that isn't signed.
func (h *house) withRecorder() *recorder {
	h.t.Helper()
	h.cfg.Lines = slices.DeleteFunc(h.cfg.Lines, func(l config.Line) bool { return l.Name != "desk-1" })
	h.cfg.RecorderHook = &config.RecorderHook{Webhook: config.Webhook{SecretFile: h.path("webhook.secret")}, Timeout: 10 * time.Second, Required: true}
	by, err := signature.New(h.read("webhook.secret"))
	if err != nil {
		h.t.Fatal(err)
	}
	r := &recorder{told: make(chan string, 10), says: http.StatusNoContent}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var m struct{ Line, Action string }
		if err != nil || by.Verify(req.Header, body) != nil || json.Unmarshal(body, &m) != nil {
			h.t.Errorf("the recorder believes nothing of %s (%v)", body, err)
		}
		r.mu.Lock()
		w.WriteHeader(r.says)
		r.mu.Unlock()
		r.told <- m.Line + "/" + m.Action
	}))
	h.t.Cleanup(server.Close)
	h.cfg.RecorderHook.Webhook.URL = server.URL + "/pause"
	return r
}

// A recorder in front of the box is told to pause before the line is armed; the flattoned that takes a card ends, and the next one has it go on, once the line is idle.
func TestRecorderPausesWhileACardIsTaken(t *testing.T) {
	h := newHouse(t)
	r := h.withRecorder()
	d, stop, _ := h.run()
	events, line, client := h.serves(d)
	enters := func(state string) {
		t.Helper()
		if err := line.Send(wire.State{State: state}); err != nil {
			t.Fatal(err)
		}
		wait(t, events, func(e control.Event) bool { return e.Kind == control.KindState && e.State == state })
	}
	enters(control.StateIdle)
	r.expect(t, "desk-1/resume") // it may be that an earlier one left it paused

	r.answers(http.StatusServiceUnavailable)
	if _, err := client.Arm(t.Context(), "desk-1", ""); codeOf(err) != control.CodeRecorderOn {
		t.Errorf("armed without a pause: %v", err)
	}
	r.expect(t, "desk-1/pause")
	r.answers(http.StatusNoContent)
	r.expect(t, "desk-1/resume") // it may have paused all the same

	armed := make(chan wire.Message, 1)
	go func() {
		m, _, err := line.Receive()
		if id, ok := wire.CommandID(m); err == nil && ok {
			line.Send(wire.State{State: control.StateArmed})
			line.Send(wire.Answer{ID: id})
		}
		armed <- m
	}()
	if _, err := client.Arm(t.Context(), "desk-1", ""); err != nil {
		t.Fatal(err)
	}
	r.expect(t, "desk-1/pause")
	if m, ok := (<-armed).(wire.Arm); !ok {
		t.Fatalf("the line is asked for %+v", m)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	d, _, _ = h.run()
	events, line, _ = h.serves(d)
	enters(control.StateKeying)
	select {
	case got := <-r.told:
		t.Fatalf("while a card is taken the recorder is told %s", got)
	default:
	}
	enters(control.StateIdle)
	r.expect(t, "desk-1/resume")
}
