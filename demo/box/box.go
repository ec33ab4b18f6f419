// Package box sets up a whole flattone in a folder of its own, from real binaries: config, key file, webhook
// secret and receiver, and flattoned as a child process with its lines below it. The demo shows such a
// box; the end-to-end tests kill, starve and search it.
//
// It promises that a box listens on loopback and unix sockets only, needs no root, and is gone when it
// is stopped or its owner dies. It never sees a digit.
package box

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/hw/hwtest/child"
)

// Config of a Box.
type Config struct {
	// Bin is the folder of the binaries, Dir the folder the box lives in. Dir is made if it is missing, and
	// an older box in it is taken over as it is.
	Bin, Dir string
	// Webhook is the URL tokens are delivered to, Secret what signs them: see [NewSecret].
	Webhook, Secret string
	Lines           []Line
	// Store is the body of [store]; empty: the store is a file.
	Store string
	// Profile is the body of [profile.card]; empty for the defaults. Tables are further ones: gateways and profiles.
	Profile, Tables string
	// Today, if set, is the date the lines believe in (lab builds only): recorded cards expire.
	Today string
	// Wrap is put before flattoned's command line: what a test needs to starve it.
	Wrap []string
	// Retry are the first and the longest pause between deliveries; zero for the daemon's own.
	FirstRetry, MaxRetry time.Duration
}

// Line is one line of a box, recorded mostly.
type Line struct {
	Name string
	// Calls are folders with a caller.wav and an agent.wav each, played one after another.
	Calls []string
	// Pace is 1 for real time, 0 for as fast as it goes.
	Pace float64
	// Gap is the quiet before and between the calls.
	Gap time.Duration
	// WaitArmed holds the first call until the line is armed.
	WaitArmed bool
	// Options are further lines of its [[line]] table, such as idle = "pass".
	Options string
	// Sound, if set, is its [line.sound] table in place of recordings, and CallerModem its [line.caller_modem] beside that.
	Sound, CallerModem string
}

// Box is one box. Its methods are for one goroutine.
type Box struct {
	cfg       Config
	cmd       *exec.Cmd
	flattoned *child.Child
}

// NewSecret makes a webhook secret as Standard Webhooks writes it.
func NewSecret() string {
	var key [32]byte
	rand.Read(key[:]) // never fails: see crypto/rand
	return "whsec_" + base64.StdEncoding.EncodeToString(key[:])
}

// New writes the box's files. What is there already stays: a box can be left and taken up again.
func New(cfg Config) (*Box, error) {
	b := &Box{cfg: cfg}
	for _, dir := range []string{cfg.Dir, b.path("state"), b.path("run"), b.path("heard")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if err := b.keep("webhook.secret", []byte(cfg.Secret+"\n")); err != nil {
		return nil, err
	}
	if _, err := os.Stat(b.path("vault.key")); errors.Is(err, os.ErrNotExist) {
		if out, err := b.Tool(context.Background(), "key", "new", b.path("vault.key")).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("make a key file: %w: %s", err, out)
		}
	}
	return b, os.WriteFile(b.Config(), b.toml(), 0o600)
}

func (b *Box) path(name string) string { return filepath.Join(b.cfg.Dir, name) }

// keep writes a file that is not there yet.
func (b *Box) keep(name string, content []byte) error {
	if _, err := os.Stat(b.path(name)); err == nil {
		return nil
	}
	return os.WriteFile(b.path(name), content, 0o600)
}

// Config is the path of the box's config file.
func (b *Box) Config() string { return b.path("flattone.toml") }

// State is the folder of vault, outbox and audit log.
func (b *Box) State() string { return b.path("state") }

// Log is the path of what flattoned and its lines logged.
func (b *Box) Log() string { return b.path("flattoned.log") }

// Heard is the path of what the agent of a line heard.
func (b *Box) Heard(line string) string { return b.path("heard/" + line + ".agent.wav") }

// Tool is a command of the technicians' tool, pointed at the box.
func (b *Box) Tool(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(b.cfg.Bin, "flattone"), args...)
	cmd.Env = append(os.Environ(), "FLATTONE_SOCKET="+b.path("run/admin.sock"))
	return cmd
}

// Start starts flattoned and waits until its admin socket answers.
func (b *Box) Start(ctx context.Context) (*control.Client, error) {
	log, err := os.OpenFile(b.Log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	argv := append(slices.Clone(b.cfg.Wrap), filepath.Join(b.cfg.Bin, "flattoned"), "--config", b.Config())
	b.cmd = exec.Command(argv[0], argv[1:]...)
	b.cmd.Stdout, b.cmd.Stderr = log, log
	b.cmd.Env = append(os.Environ(), "GOTRACEBACK=none") // see host.Harden
	if b.cfg.Today != "" {
		b.cmd.Env = append(b.cmd.Env, "FLATTONE_LAB_TODAY="+b.cfg.Today)
	}
	if b.flattoned, err = child.Start(b.cmd, syscall.SIGKILL); err != nil {
		return nil, fmt.Errorf("start flattoned: %w", err)
	}
	return b.answer(ctx)
}

// answer waits for the admin socket.
func (b *Box) answer(ctx context.Context) (*control.Client, error) {
	const every = 20 * time.Millisecond
	for {
		client, err := control.Dial(b.path("run/admin.sock"))
		if err == nil {
			if _, err = client.Status(ctx); err == nil {
				return client, nil
			}
			client.Close()
		}
		select {
		case <-b.flattoned.Gone():
			tail, _ := os.ReadFile(b.Log())
			return nil, fmt.Errorf("flattoned ended before it answered: %w\n%s", b.flattoned.Err(), tail[max(0, len(tail)-2000):])
		case <-ctx.Done():
			return nil, fmt.Errorf("flattoned does not answer: %w", errors.Join(ctx.Err(), err))
		case <-time.After(every):
		}
	}
}

// PID is flattoned's.
func (b *Box) PID() int { return b.cmd.Process.Pid }

// Stop ends flattoned in order and waits for it. It may be called when flattoned is gone already.
func (b *Box) Stop() error {
	if b.flattoned == nil {
		return nil
	}
	b.cmd.Process.Signal(syscall.SIGTERM)
	return b.flattoned.Err()
}

// Kill ends flattoned as a crash would, and waits until it is gone.
func (b *Box) Kill() {
	b.cmd.Process.Kill()
	<-b.flattoned.Gone()
}
