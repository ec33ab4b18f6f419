package natsrpc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/clients"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
	"github.com/flattone/flattone/daemon/upstream/signature"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func secret(letter string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
}

// desk is an [Answerer] that notes what it is asked, and the box's side of one client, crm.
type desk struct {
	t       *testing.T
	mu      sync.Mutex
	served  []string // ids
	refused []string // why
	told    []string // why crm isn't heard, each time that is another
	secrets []string
	fail    error // in place of the secrets
}

func (d *desk) Serve(_ context.Context, _, id string, _ []byte) clients.Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.served = append(d.served, id)
	return clients.Answer{Deleted: true}
}

func (d *desk) Refuse(_ context.Context, _, _ string, code clients.Code, why string) clients.Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused = append(d.refused, why)
	return clients.Answer{Error: &clients.Error{Code: code}}
}

func (d *desk) tell(_, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.told) == 0 || d.told[len(d.told)-1] != why {
		d.told = append(d.told, why)
	}
}

func (d *desk) read() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.secrets, d.fail
}

func (d *desk) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// until waits for something of what it noted.
func (d *desk) until(what string, is func() bool) {
	d.t.Helper()
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		d.mu.Lock()
		now := is()
		d.mu.Unlock()
		if now {
			return
		}
	}
	d.t.Fatalf("it is never so that %s", what)
}

func connect(t *testing.T, bus *natstest.Server, user string) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(bus.URL(), nats.UserInfo(user, user), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0),
		func(o *nats.Options) error { o.PermissionErrOnSubscribe = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// serve answers for a box until the test ends.
func (d *desk) serve(bus *natstest.Server) {
	d.t.Helper()
	conn := connect(d.t, bus, "box")
	s, err := New(Config{Box: "box.1", Clients: []Client{{"crm", d.read}}}, Deps{Conn: func(context.Context) (*nats.Conn, error) { return conn, nil }, Clients: d,
		Log: slog.New(slog.DiscardHandler), Tell: d.tell})
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(d.t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	d.t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			d.t.Error(err)
		}
	})
}

// ask sends a request until somebody hears it.
func ask(t *testing.T, conn *nats.Conn, by, id string) (a clients.Answer, signed bool) {
	t.Helper()
	secrets, err := signature.New(by)
	if err != nil {
		t.Fatal(err)
	}
	m := &nats.Msg{Subject: "flattone-ask.box_1.crm", Header: nats.Header{}, Data: []byte(`{}`)}
	if err := secrets.Sign(m.Header, id, time.Now(), m.Data); err != nil {
		t.Fatal(err)
	}
	var reply *nats.Msg
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(10 * time.Millisecond) {
		if reply, err = conn.RequestMsg(m, 5*time.Second); err == nil {
			break
		}
	}
	if err == nil {
		err = json.Unmarshal(reply.Data, &a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a, secrets.Verify(reply.Header, reply.Data) == nil && reply.Header.Get(signature.HeaderID) == "re_"+id
}

// TestSecretsChange: while there are two either is believed, and what is replaced counts from the next request on.
func TestSecretsChange(t *testing.T) {
	bus, d := natstest.New(t, nil), &desk{t: t, secrets: []string{secret("a")}}
	d.serve(bus)
	conn := connect(t, bus, "crm")
	believed := func(by, id string, want bool) {
		t.Helper()
		if a, signed := ask(t, conn, by, id); signed != want || a.Deleted != want {
			t.Errorf("%s is answered %s, signed: %t", id, a.JSON(), signed)
		}
	}
	believed(secret("a"), "1", true)
	believed(secret("b"), "2", false)
	d.change(func() { d.secrets = []string{secret("b"), secret("a")} })
	believed(secret("a"), "3", true)
	believed(secret("b"), "4", true)
	d.change(func() { d.secrets = []string{secret("b")} })
	believed(secret("a"), "5", false)
	believed(secret("b"), "6", true)
	d.change(func() { d.fail = errors.New("it is gone") })
	believed(secret("b"), "7", false)
	believed(secret("b"), "re_8", false)
	if len(d.served) != 4 || len(d.refused) != 4 || strings.Contains(strings.Join(d.refused, ""), "gone") {
		t.Errorf("served %v, refused because of %v", d.served, d.refused)
	}
}

// TestNobodyToAnswer: a request without a subject for the answer does nothing, and is noted.
func TestNobodyToAnswer(t *testing.T) {
	bus, d := natstest.New(t, nil), &desk{t: t, secrets: []string{secret("a")}}
	d.serve(bus)
	conn := connect(t, bus, "crm")
	ask(t, conn, secret("a"), "heard")
	secrets, err := signature.New(secret("a"))
	if err != nil {
		t.Fatal(err)
	}
	m := &nats.Msg{Subject: Subject("box.1", "crm"), Header: nats.Header{}}
	if err := errors.Join(secrets.Sign(m.Header, "1", time.Now(), nil), conn.PublishMsg(m)); err != nil {
		t.Fatal(err)
	}
	d.until("it is refused", func() bool { return len(d.refused) == 1 && d.refused[0] == errNoReply.Error() })
	if len(d.served) != 1 {
		t.Errorf("served %v", d.served)
	}
}

// TestTwoOfOneName answer once.
func TestTwoOfOneName(t *testing.T) {
	bus, d := natstest.New(t, nil), &desk{t: t, secrets: []string{secret("a")}}
	d.serve(bus)
	d.serve(bus)
	d.until("both are heard", func() bool { return len(d.told) > 0 && bus.NumSubscriptions() >= 2 })
	conn := connect(t, bus, "crm")
	for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
		ask(t, conn, secret("a"), id)
	}
	if len(d.served) != 6 {
		t.Errorf("served %v", d.served)
	}
}

// TestUnheard is told: while the server doesn't let the box hear a client, or is away. What docs/clients.md has a box be allowed is enough.
func TestUnheard(t *testing.T) {
	may := func(subjects ...string) func(*server.Options) {
		return func(o *server.Options) {
			o.Users = []*server.User{{Username: "crm", Password: "crm"}, {Username: "box", Password: "box", Permissions: &server.Permissions{
				Publish: &server.SubjectPermission{Allow: []string{"flattone.box_1.>"}}, Subscribe: &server.SubjectPermission{Allow: append(subjects, "_INBOX.box_1.>")},
				Response: &server.ResponsePermission{MaxMsgs: 1, Expires: server.DEFAULT_ALLOW_RESPONSE_EXPIRATION}}}} // allow_responses: true
		}
	}
	bus, d := natstest.New(t, may()), &desk{t: t, secrets: []string{secret("a")}}
	d.serve(bus)
	last := func() string { return append([]string{""}, d.told...)[len(d.told)] }
	d.until("it may not", func() bool { return strings.Contains(last(), "doesn't let the box hear flattone-ask.box_1.crm") })
	bus.Stop()
	bus.Change(may("flattone-ask.box_1.*"))
	bus.Start()
	d.until("it is heard", func() bool { return last() == "" })
	if a, signed := ask(t, connect(t, bus, "crm"), secret("a"), "1"); !a.Deleted || !signed {
		t.Errorf("answered %s", a.JSON())
	}
	bus.Stop()
	d.until("it is away", func() bool { return strings.Contains(last(), "there is no connection") })
}

func TestNewRefuses(t *testing.T) {
	d := &desk{t: t, secrets: []string{"hunter2"}}
	good := Deps{Conn: func(context.Context) (*nats.Conn, error) { return nil, nil }, Clients: d, Log: slog.New(slog.DiscardHandler), Tell: d.tell}
	if _, err := New(Config{Box: "b"}, Deps{}); err == nil {
		t.Error("nothing is enough")
	}
	if _, err := New(Config{Box: "b", Clients: []Client{{"crm", d.read}}}, good); err == nil || !strings.Contains(err.Error(), "client crm") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret that is none: %v", err)
	}
	// Where no connection will ever be tried, everybody is unheard.
	d.secrets = []string{secret("a")}
	good.Conn = func(context.Context) (*nats.Conn, error) { return nil, errors.New("no such key") }
	s, err := New(Config{Box: "b", Clients: []Client{{"crm", d.read}}}, good)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err != nil || len(d.told) != 1 || d.told[0] != "no such key" {
		t.Errorf("%v, told %v", err, d.told)
	}
}
