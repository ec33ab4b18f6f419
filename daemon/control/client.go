package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
)

const (
	dialTime = 3 * time.Second
	askTime  = 15 * time.Second // longer than the server takes at its worst
	// maxAnswer bounds what a client reads of one answer, and of one line of a stream.
	maxAnswer = 4 << 20
)

// Client asks a running flattoned. Its methods mirror [Backend] and may be called from many goroutines at
// once. Every error they return is, or wraps, an [*Error] that says what to do.
type Client struct {
	// Code is asked for a code of the second factor where a command takes one, with what the server says of it; nil has none.
	Code func(need *Error) (string, error)

	socket string
	agent  string // see [Client.For]
	http   *http.Client
}

// maxSocketPath is the room for a path in sockaddr_un, without its closing zero (unix(7)).
const maxSocketPath = 107

// Dial makes sure that somebody answers at socket and returns a client of theirs. Close it after use.
func Dial(socket string) (*Client, error) {
	if len(socket) > maxSocketPath {
		return nil, &Error{CodeUnreachable, fmt.Sprintf("%s can't be a socket: its path has %d bytes, and the system takes %d", socket, len(socket), maxSocketPath),
			"name the socket by a shorter path, such as one from the working directory"}
	}
	c := clientOf(socket, 0)
	probe, err := net.DialTimeout("unix", socket, dialTime)
	if err != nil {
		return nil, c.unreachable(err)
	}
	probe.Close()
	return c, nil
}

// At is [Dial] for the desk, which outlives flattoned: nobody need answer at socket yet. It has as many connections as the desk may have; what is asked beyond that waits.
func At(socket string) *Client { return clientOf(socket, maxDesk) }

func clientOf(socket string, conns int) *Client {
	dialer := net.Dialer{Timeout: dialTime}
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: conns,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status is the health of the box at a glance.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, "asking for the status", http.MethodGet, "status", nil)
}

// Lines are all configured lines.
func (c *Client) Lines(ctx context.Context) ([]Line, error) {
	return ask[[]Line](ctx, c, "asking for the lines", http.MethodGet, "lines", nil)
}

// Devices are the sound devices of the box.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	return ask[[]Device](ctx, c, "asking for the sound devices", http.MethodGet, "devices", nil)
}

// ProbeModem asks the modem at port what it is.
func (c *Client) ProbeModem(ctx context.Context, port string) (Modem, error) {
	return ask[Modem](ctx, c, "asking the modem at "+port, http.MethodGet, "modems/probe?port="+url.QueryEscape(port), nil)
}

// Arm readies line for a card and answers with the capture's id. An empty profile is the line's own.
func (c *Client) Arm(ctx context.Context, line, profile string) (capture string, err error) {
	a, err := ask[armAnswer](ctx, c, "arming line "+line, http.MethodPost, linePath(line, "arm"), armRequest{profile})
	return a.Capture, err
}

// Rehearse is Arm for a rehearsal, which takes test cards alone.
func (c *Client) Rehearse(ctx context.Context, line, profile string) (capture string, err error) {
	a, err := ask[armAnswer](ctx, c, "arming line "+line+" for a rehearsal", http.MethodPost, linePath(line, "rehearse"), armRequest{profile})
	return a.Capture, err
}

// Disarm gives up the line's capture.
func (c *Client) Disarm(ctx context.Context, line string) error {
	return c.command(ctx, "disarming line "+line, line, "disarm")
}

// MoreTime starts the line's time-outs again.
func (c *Client) MoreTime(ctx context.Context, line string) error {
	return c.command(ctx, "giving line "+line+" more time", line, "more-time")
}

// Again has a field of the card that line takes keyed anew, "" the present one.
func (c *Client) Again(ctx context.Context, line, field string) error {
	_, err := ask[struct{}](ctx, c, "having a field keyed anew on line "+line, http.MethodPost, linePath(line, "again"), againRequest{field})
	return err
}

// Cover has the caller on line replaced by noise, or no longer.
func (c *Client) Cover(ctx context.Context, line string, on bool) error {
	what := "covering the caller on line "
	if !on {
		what = "uncovering the caller on line "
	}
	_, err := ask[struct{}](ctx, c, what+line, http.MethodPost, linePath(line, "cover"), coverRequest{on})
	return err
}

// Acknowledge says that a held line may be released.
func (c *Client) Acknowledge(ctx context.Context, line string) error {
	return c.command(ctx, "acknowledging line "+line, line, "acknowledge")
}

// CallBegan tells a line that a call began on it.
func (c *Client) CallBegan(ctx context.Context, line string) error {
	return c.command(ctx, "telling line "+line+" of a call", line, "call-began")
}

// CallEnded tells a line that its call has ended.
func (c *Client) CallEnded(ctx context.Context, line string) error {
	return c.command(ctx, "telling line "+line+" of a call's end", line, "call-ended")
}

// Answer takes the call that rings on line's modem.
func (c *Client) Answer(ctx context.Context, line string) error {
	return c.command(ctx, "answering the call on line "+line, line, "answer")
}

// Dial begins a call on line's modem.
func (c *Client) Dial(ctx context.Context, line, number string) error {
	_, err := ask[struct{}](ctx, c, "dialling on line "+line, http.MethodPost, linePath(line, "dial"), dialRequest{number})
	return err
}

// HangUp ends the call on line's modem.
func (c *Client) HangUp(ctx context.Context, line string) error {
	return c.command(ctx, "hanging up on line "+line, line, "hang-up")
}

// Restart has line's process stopped and started; not while it takes a card, unless it is forced.
func (c *Client) Restart(ctx context.Context, line string, force bool) error {
	_, err := ask[struct{}](ctx, c, "restarting line "+line, http.MethodPost, linePath(line, "restart"), forceRequest{force})
	return err
}

// Reload has flattoned read its configuration anew.
func (c *Client) Reload(ctx context.Context, force bool) (Reloaded, error) {
	return ask[Reloaded](ctx, c, "having flattoned read its configuration", http.MethodPost, "reload", forceRequest{force})
}

// Tune begins to measure line.
func (c *Client) Tune(ctx context.Context, line string) error {
	return c.command(ctx, "tuning line "+line, line, "tune")
}

// Test begins a test of one leg of line.
func (c *Client) Test(ctx context.Context, line string, t Test) error {
	_, err := ask[struct{}](ctx, c, "testing line "+line, http.MethodPost, linePath(line, "test"), t)
	return err
}

// EndTest ends it.
func (c *Client) EndTest(ctx context.Context, line string) error {
	_, err := ask[struct{}](ctx, c, "ending the test of line "+line, http.MethodDelete, linePath(line, "test"), nil)
	return err
}

// Acceptance is the last report of line's tuning.
func (c *Client) Acceptance(ctx context.Context, line string) (acceptance.Report, error) {
	return ask[acceptance.Report](ctx, c, "asking for the acceptance of line "+line, http.MethodGet, linePath(line, "acceptance"), nil)
}

// Tokens are the newest entries of the vault, newest first.
func (c *Client) Tokens(ctx context.Context, limit int) ([]Token, error) {
	return ask[[]Token](ctx, c, "asking for the tokens", http.MethodGet, "tokens?limit="+strconv.Itoa(limit), nil)
}

// Holds are those that are on hold, held last first.
func (c *Client) Holds(ctx context.Context, limit int) ([]Token, error) {
	return ask[[]Token](ctx, c, "asking for the holds", http.MethodGet, "holds?limit="+strconv.Itoa(limit), nil)
}

// Card is what may be seen of one card.
func (c *Client) Card(ctx context.Context, token string) (Token, error) {
	return ask[Token](ctx, c, "asking for the card", http.MethodGet, "cards/"+url.PathEscape(token), nil)
}

// HoldCard keeps a card from being shredded.
func (c *Client) HoldCard(ctx context.Context, token, reason string) error {
	_, err := ask[struct{}](ctx, c, "holding the card", http.MethodPost, "cards/"+url.PathEscape(token)+"/hold", holdRequest{reason})
	return err
}

// ReleaseCard ends that.
func (c *Client) ReleaseCard(ctx context.Context, token string) error {
	_, err := ask[struct{}](ctx, c, "releasing the card", http.MethodPost, "cards/"+url.PathEscape(token)+"/release", nil)
	return err
}

// ShredCard has a card deleted for good.
func (c *Client) ShredCard(ctx context.Context, token string) error {
	_, err := ask[struct{}](ctx, c, "shredding the card", http.MethodPost, "cards/"+url.PathEscape(token)+"/shred", nil)
	return err
}

// Vault is how the vault is.
func (c *Client) Vault(ctx context.Context) (Vault, error) {
	return ask[Vault](ctx, c, "asking for the vault", http.MethodGet, "vault", nil)
}

// RotateKey makes a new version of the vault's key.
func (c *Client) RotateKey(ctx context.Context) (version int64, err error) {
	a, err := ask[rotateAnswer](ctx, c, "rotating the vault's key", http.MethodPost, "vault/rotate", nil)
	return a.Version, err
}

// AddRoot has the root that the box's configuration names now open the vault, too.
func (c *Client) AddRoot(ctx context.Context) (RootChange, error) {
	return ask[RootChange](ctx, c, "adding a root", http.MethodPost, "vault/roots", nil)
}

// DropRoot has a root no longer open the vault.
func (c *Client) DropRoot(ctx context.Context, id string) (RootChange, error) {
	return ask[RootChange](ctx, c, "dropping a root", http.MethodDelete, "vault/roots/"+url.PathEscape(id), nil)
}

// Certificates are all that the vault has signed, newest first.
func (c *Client) Certificates(ctx context.Context) ([]Certificate, error) {
	return ask[[]Certificate](ctx, c, "asking for the certificates", http.MethodGet, "vault/certificates", nil)
}

// Audit is the end of the audit log, newest first.
func (c *Client) Audit(ctx context.Context, limit int) ([]AuditEntry, error) {
	return ask[[]AuditEntry](ctx, c, "asking for the audit log", http.MethodGet, "audit?limit="+strconv.Itoa(limit), nil)
}

// EnrollFactor makes the person who asks a second factor, and answers with what an authenticator reads. It is told this once.
func (c *Client) EnrollFactor(ctx context.Context) (uri string, err error) {
	a, err := ask[enrollAnswer](ctx, c, "enrolling a second factor", http.MethodPost, "factor", nil)
	return a.URI, err
}

// ForgetFactor has a person's second factor no longer be one.
func (c *Client) ForgetFactor(ctx context.Context, person string) error {
	_, err := ask[struct{}](ctx, c, "forgetting the second factor of "+person, http.MethodDelete, "factor/"+url.PathEscape(person), nil)
	return err
}

func (c *Client) command(ctx context.Context, doing, line, verb string) error {
	_, err := ask[struct{}](ctx, c, doing, http.MethodPost, linePath(line, verb), nil)
	return err
}

func linePath(line, verb string) string { return "lines/" + url.PathEscape(line) + "/" + verb }

// ask makes one call and decodes its answer. doing says in an error what was being tried.
func ask[T any](ctx context.Context, c *Client, doing, method, path string, body any) (answer T, err error) {
	err = c.coded(ctx, doing, func(ctx context.Context, code string) error {
		resp, err := c.send(ctx, method, path, body, code)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if err = json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer); err != nil {
			return c.lost(err)
		}
		return nil
	})
	return answer, err
}

// coded tries a call, and once more with a code of the second factor where it takes one.
func (c *Client) coded(ctx context.Context, doing string, call func(ctx context.Context, code string) error) error {
	try := func(code string) error {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		return call(ctx, code)
	}
	err := try("")
	if need, ok := errors.AsType[*Error](err); ok && need.Code == CodeFactor && c.Code != nil {
		var code string
		if code, err = c.Code(need); err == nil {
			err = try(code)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// send makes a request, with a code of the second factor unless that is empty; an answer that is not a success becomes its [*Error].
func (c *Client) send(ctx context.Context, method, path string, body any, code string) (*http.Response, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://flattone/v1/"+path, payload)
	if err != nil {
		return nil, err
	}
	if code != "" {
		req.Header.Set(CodeHeader, code)
	}
	if c.agent != "" {
		req.Header.Set(AgentHeader, c.agent)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, c.failed(resp.Status, resp.Body)
}

// failed reads why a call was no success.
func (c *Client) failed(status string, body io.Reader) *Error {
	e := &Error{}
	if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(e); err != nil || e.Text == "" {
		return &Error{CodeInternal, c.socket + " answered " + status + " without a reason",
			"make sure that it is flattoned who listens there"}
	}
	return e
}

// unreachable says why nobody answers, in a technician's terms.
func (c *Client) unreachable(err error) *Error {
	e := &Error{Code: CodeUnreachable, Text: "no answer on " + c.socket, Remedy: "look at flattoned's log"}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Text, e.Remedy = "there is no admin socket at "+c.socket, "is flattoned running? start it, or name its socket with --socket"
	case errors.Is(err, syscall.ECONNREFUSED) && isElse(c.socket):
		e.Text, e.Remedy = c.socket+" is no socket", "name flattoned's admin socket with --socket"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Text, e.Remedy = "the admin socket "+c.socket+" is there but nobody answers", "flattoned has died or is stopped: start it again"
	case errors.Is(err, fs.ErrPermission):
		e.Code = CodeDenied
		e.Text, e.Remedy = "you may not open the admin socket "+c.socket, "have root add you to the group flattone-admin and log in again"
	case errors.Is(err, context.DeadlineExceeded):
		e.Text, e.Remedy = "flattoned took the question on "+c.socket+" but gave no answer in time", "it is overloaded or stuck, or does not start: flattone doctor looks into it, journalctl -u flattoned says more"
	case errors.Is(err, context.Canceled):
		e.Text, e.Remedy = "stopped waiting for an answer", ""
	default:
		e.Text += ": " + err.Error()
	}
	return e
}

// isElse reports whether something is at path that is no socket.
func isElse(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Type() != fs.ModeSocket
}

func (c *Client) lost(err error) *Error {
	return &Error{CodeLost, "the connection to flattoned broke: " + err.Error(), "is flattoned still running?"}
}
