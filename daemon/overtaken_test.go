package daemon

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// heard is all that somebody is told on the admin socket, byte for byte.
type heard struct {
	mu   sync.Mutex
	text strings.Builder
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// listeningConn keeps what is read.
type listeningConn struct {
	net.Conn
	to io.Writer
}

func (c listeningConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.to.Write(p[:n])
	return n, err
}

// TestADeskThatIsOvertaken plays somebody who has the desk whole: its user, its role, its socket, and an agent in his pay who hears the words. He tries every call there is, for every
// agent and for none, while a card is taken, charged and done; reads each byte of every answer and of the stream; and comes away with no digit but the last four, no key, no token that
// he wasn't told, no list of cards and no log. What he can do is what the desk can: end what is being keyed.
func TestADeskThatIsOvertaken(t *testing.T) {
	h, _ := chargingHouse(t)
	h.cfg.Roles = config.Roles{Desk: []string{config.Self}}
	d, _, _ := h.run()
	events, line, _ := h.serves(d)
	var all heard
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, "unix", h.cfg.AdminSocket())
		return listeningConn{c, &all}, err
	}
	his := &http.Client{Transport: &http.Transport{DialContext: dial, MaxConnsPerHost: 8}}
	t.Cleanup(his.CloseIdleConnections)
	ask := func(method, path, agent, body string) (status int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, method, "http://box"+path, strings.NewReader(body))
		if agent != "" {
			r.Header.Set(control.AgentHeader, agent)
		}
		got, err := his.Do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		defer got.Body.Close()
		if strings.HasSuffix(path, "/events") {
			return got.StatusCode
		}
		io.Copy(io.Discard, got.Body)
		return got.StatusCode
	}
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	watched := make(chan struct{})
	go func() { // the stream, to its end
		defer close(watched)
		r, _ := http.NewRequestWithContext(watching, "GET", "http://box/v1/events", nil)
		if got, err := his.Do(r); err == nil {
			io.Copy(io.Discard, got.Body)
			got.Body.Close()
		}
	}()

	// The line: its agent's accomplice hears the words, its caller keys his card when he is asked.
	spoken, voids := make(chan [2]string, 1), make(chan string, 10)
	var keying atomic.Bool // he isn't done with it
	go func() {
		for {
			m, _, err := line.Receive()
			if err != nil {
				return
			}
			switch m := m.(type) {
			case wire.Speak:
				spoken <- m.Words
			case wire.Arm:
				line.Send(wire.State{State: control.StateKeying, Capture: m.Capture})
				line.Send(wire.Key{Capture: m.Capture, Field: "pan", Stars: 16})
				if !keying.Load() {
					line.Send(wire.Verdict{Capture: m.Capture, Field: "pan", Code: "ok", Brand: "visa", Last4: "4242", Length: 16})
					line.Send(wire.Answer{ID: m.ID})
					line.SendCard(saidOf(m.Capture), visaCard(t))
					continue
				}
			case wire.Cancel:
				voids <- m.Reason
			}
			if id, is := wire.CommandID(m); is {
				line.Send(wire.Answer{ID: id})
			}
		}
	}()
	line.Send(wire.State{State: control.StateIdle})
	line.Send(wire.Call{Edge: control.CallBegan})
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindCall })

	client := h.client().For("anna")
	proof, err := client.Prove(t.Context(), "desk-1", "en")
	if err != nil {
		t.Fatal(err)
	}
	words := <-spoken
	if err := client.Bind(t.Context(), "desk-1", proof.ID, words[:]); err != nil {
		t.Fatal(err)
	}
	begun, err := client.Charge(t.Context(), "desk-1", "card", control.Charge{Amount: "12.34"})
	if err != nil {
		t.Fatal(err)
	}
	told := wait(t, events, func(e control.Event) bool { return e.Kind == control.KindPayment && e.State == control.PaymentApproved })

	doc, err := os.ReadFile("control/testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	named := strings.NewReplacer("{line}", "desk-1", "{token}", told.Token, "{payment}", begun.Payment, "{root}", "file", "{person}", "root", "{ceremony}", "cer_x", "{destination}", "webhook")
	routes := 0
	for _, row := range strings.Split(strings.TrimSpace(string(doc)), "\n")[1:] {
		cells := strings.Fields(row)
		method, path, may := cells[0], named.Replace(cells[1]), cells[len(cells)-1]
		routes++
		if path == "/v1/lines/desk-1/call-ended" || method == "DELETE" && strings.HasSuffix(path, "/bond") {
			continue // would take his line from him
		}
		for _, agent := range []string{"", "anna", "ben"} {
			status := ask(method, path, agent, "{}")
			if may == "-" && status != http.StatusForbidden && !(agent == "" && status == http.StatusBadRequest) {
				t.Errorf("%s %s for %q is answered with %d", method, path, agent, status)
			}
			if (may == "bound" || may == "own") && agent == "ben" && status < 400 {
				t.Errorf("%s %s for another agent is answered with %d", method, path, status)
			}
		}
	}
	if routes < 60 {
		t.Errorf("only %d routes were tried", routes)
	}
	keying.Store(true)
	for len(voids) > 0 { // what the calls above have ended
		<-voids
	}
	if _, err := client.Charge(t.Context(), "desk-1", "card", control.Charge{Amount: "12.34"}); err != nil {
		t.Fatal(err)
	}
	if err := client.Disarm(t.Context(), "desk-1"); err != nil {
		t.Fatal(err)
	}
	<-voids
	stop()
	<-watched
	got := all.String()
	for i := range len(visa) - 4 {
		if digits := visa[i : i+5]; strings.Contains(got, digits) {
			t.Errorf("five digits of the card are told, from the %d. on", i+1)
		}
	}
	key, _ := os.ReadFile(h.path("vault.key"))
	if !strings.Contains(got, `"last4":"4242"`) || strings.Contains(got, string(key[:8])) {
		t.Error("he wasn't told the last four, so he didn't listen; or he was told the key")
	}
}
