package daemon

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/swap"
	"github.com/flattone/flattone/daemon/wire"
)

const visa = "4242424242424242"

// visaCard is a card of public test digits, and said what may be told of it.
func visaCard(t *testing.T) *secret.Card {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(card.Destroy)
	for text, digits := range map[*secret.Text]string{card.PAN: visa, card.Expiry: "1131", card.CVV.Text: "123"} {
		for i := range len(digits) {
			if err := text.Append(digits[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return card
}

func saidOf(capture string) wire.Card {
	return wire.Card{Capture: capture, Profile: "card", Brand: "visa", Last4: "4242", ExpiryMonth: 11, ExpiryYear: 2031}
}

// house is a folder with all that flattoned needs, and a log.
type house struct {
	t   *testing.T
	dir string
	cfg *config.Config
	log journal
	bus *host.Bus // nil for none
	// clock is another than the machine's, nil for that.
	clock lockout.Clock
}

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// newHouse needs a shorter path than t.TempDir's, for its sockets. Its lines' processes do nothing: tests speak
// for them.
func newHouse(t *testing.T) *house {
	t.Helper()
	dir, err := os.MkdirTemp("", "daemon")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	h := &house{t: t, dir: dir, cfg: twoLines()}
	h.cfg.StateDir, h.cfg.RuntimeDir = h.path("state"), h.path("run")
	h.cfg.Roles = config.Roles{Technician: []string{config.Self}, Auditor: []string{config.Self}, Installer: []string{config.Self}, Desk: []string{config.Self}}
	h.cfg.Daemon.LineBinary = h.path("line")
	h.cfg.Vault.KeyFile = h.path("vault.key")
	h.cfg.Upstream = config.Upstream{{Name: "webhook", Kind: config.KindWebhook, Timeout: time.Second, FirstRetry: time.Minute, MaxRetry: time.Minute,
		Webhook: config.Webhook{URL: "http://127.0.0.1:1/", SecretFile: h.path("webhook.secret")}}}
	h.cfg.Audit.CheckpointEvery = time.Hour
	h.cfg.Profiles = map[string]config.Profile{"card": {}}
	newKey(t, h)
	key := make([]byte, 32)
	rand.Read(key)
	h.write("webhook.secret", "whsec_"+base64.StdEncoding.EncodeToString(key), 0o600)
	h.write("line", "#!/bin/sh\nexec sleep 1000\n", 0o700)
	return h
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

func (h *house) write(name, text string, mode os.FileMode) {
	h.t.Helper()
	if err := os.WriteFile(h.path(name), []byte(text), mode); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) read(name string) string {
	h.t.Helper()
	text, err := os.ReadFile(h.path(name))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// finds has a script stand for flattone-line, in which DIR is the box's folder, and the file found.json beside it.
func (h *house) finds(found any, script string) {
	h.t.Helper()
	text, err := json.Marshal(found)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("found.json", string(text), 0o600)
	h.write("line", strings.ReplaceAll("#!/bin/sh\n"+script, "DIR", h.dir), 0o700)
}

func (h *house) open() (*Daemon, error) {
	d, err := New(context.Background(), h.cfg, h.path("flattone.toml"), slog.New(slog.NewTextHandler(&h.log, nil)))
	if err == nil {
		d.swaps = func(context.Context) ([]swap.Area, error) { return nil, nil } // this machine's are nobody's business
	}
	if err == nil && h.bus != nil {
		d.onBus(h.bus)
	}
	if err == nil && h.clock != nil {
		d.clock = h.clock
	}
	return d, err
}

// daemon is one that was opened and isn't run.
func (h *house) daemon() *Daemon {
	h.t.Helper()
	d, err := h.open()
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if err := d.close(); err != nil {
			h.t.Error(err)
		}
	})
	return d
}

// run runs a daemon until stop, which answers with what Run returned.
func (h *house) run() (d *Daemon, stop func() error, ended <-chan error) {
	h.t.Helper()
	d, err := h.open()
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() {
		defer close(ran)
		ran <- d.Run(ctx)
	}()
	stop = func() error {
		cancel()
		return <-ran
	}
	h.t.Cleanup(func() { stop() })
	return d, stop, ran
}

// answers has a line hear a command and answer it.
func answers(t *testing.T, line *wire.Conn, answer string) wire.Message {
	t.Helper()
	m, _, err := line.Receive()
	if err != nil {
		t.Fatal(err)
	}
	id, _ := wire.CommandID(m)
	if err := line.Send(wire.Answer{ID: id, Error: answer}); err != nil {
		t.Fatal(err)
	}
	return m
}

// client asks the box on its admin socket.
func (h *house) client() *control.Client {
	h.t.Helper()
	client, err := control.Dial(h.cfg.AdminSocket())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { client.Close() })
	return client
}

// serves is a box that runs, with what it tells, its line desk-1, which is up, and who asks it.
func (h *house) serves(d *Daemon) (<-chan control.Event, *wire.Conn, *control.Client) {
	h.t.Helper()
	events := d.feed.Subscribe(h.t.Context())
	line := h.attached("desk-1")
	wait(h.t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
	return events, line, h.client()
}
