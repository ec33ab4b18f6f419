package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flattone/flattone/daemon/desk/desktest"
)

const deskName = "desk.example.com"

// desk runs flattone-desk beside a box, and answers with a browser that reaches it and keeps cookies, but follows nobody.
func (r *rig) desk(t *testing.T) *http.Client {
	t.Helper()
	chain, key := desktest.Certificate(t, deskName)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	for name, text := range map[string][]byte{"desk.pem": chain, "desk.key": key,
		"desk.toml": fmt.Appendf(nil, "version = 1\nlisten = %q\norigin = %q\ncert_file = \"desk.pem\"\nkey_file = \"desk.key\"\nadmin_socket = \"run/admin.sock\"\n", address, "https://"+deskName)} {
		if err := os.WriteFile(filepath.Join(r.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	cmd := exec.Command(filepath.Join(bin, "flattone-desk"), "--config", filepath.Join(r.dir, "desk.toml"))
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("the desk ended with %v, and said:\n%s", err, &said)
		}
	})
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(chain)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	b := &http.Client{Jar: jar, Timeout: patience, Transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r.until(t, "the desk answers", func() bool {
		answer, err := b.Get("https://" + deskName + "/signin")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
	return b
}

// TestAgentsSignIn: a technician makes a code with the tool, an agent types it in his browser, and is let in once. While flattoned is away he is told so, and stays signed in.
func TestAgentsSignIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, oneLine("visa"))
	r.start(t)
	b := r.desk(t)
	pair := func() string {
		t.Helper()
		out, err := r.Tool(t.Context(), "desk", "pair", "Anna Weiß").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	types := func(code string) (status int, text string) {
		t.Helper()
		answer, err := b.PostForm("https://"+deskName+"/signin/pair", url.Values{"code": {code}})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	signedIn := func() bool {
		t.Helper()
		answer, err := b.Get("https://" + deskName + "/signin")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusSeeOther
	}
	code := pair()
	if status, text := types("ZZZZ-ZZZZ"); status != http.StatusForbidden || signedIn() {
		t.Errorf("a wrong code: %d %s", status, text)
	}
	if status, text := types(strings.ToLower(code)); status != http.StatusSeeOther || !signedIn() {
		t.Errorf("a code: %d %s", status, text)
	}
	if status, _ := types(code); status != http.StatusForbidden {
		t.Errorf("the same again: %d", status)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if status, text := types("ZZZZ-ZZZZ"); status != http.StatusServiceUnavailable || !strings.Contains(text, "The box does not answer") || !signedIn() {
		t.Errorf("without flattoned: %d %s", status, text)
	}
}
