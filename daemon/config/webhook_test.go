package config

import (
	"encoding/base64"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	tests := map[string]string{ // what the error says, if it is one
		"https://crm.example/hooks/1":  "",
		"https://crm.example:8443":     "",
		"HTTPS://crm.example":          "",
		"http://127.0.0.1:8099/":       "",
		"http://127.8.9.1/":            "",
		"http://[::1]:8099/":           "",
		"http://localhost/":            "",
		"http://LOCALHOST:80":          "",
		"":                             "not an address",
		"crm.example/hook":             "not an address",
		"https://":                     "not an address",
		"https:///path":                "not an address",
		"http://crm.example/":          "write https",
		"http://127.0.0.1.example/":    "write https",
		"http://localhost.example/":    "write https",
		"http://10.0.0.1/":             "write https",
		"http://0.0.0.0/":              "write https",
		"http://[::ffff:10.0.0.1]/":    "write https",
		"ftp://crm.example/":           "neither https nor http",
		"https://crm.example/?k=v":     "? or # part",
		"https://crm.example:99999/":   "port",
		"https://crm.example:0/":       "port",
		"http://[::1%25lo]/":           "write https",
		"https://me:hush@crm.example/": "user name or password",
		"https://crm.example/#part":    "? or # part",
		"https://crm.example/%zz":      "not an address",
		"https://crm.example\x7f/":     "not an address",
	}
	for raw, says := range tests {
		err := CheckURL(raw)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: got %v, want %q", raw, err, says)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Error("the error repeats a password")
		}
	}
}

func TestIsSecret(t *testing.T) {
	of := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for secret, fits := range map[string]bool{"whsec_" + of(32): true, of(24): false, "whsec_" + of(24): true, "whsec_" + of(64): true,
		"": false, "whsec_": false, "whsec_" + of(23): false, "whsec_" + of(65): false, "hush hush": false} {
		if IsSecret([]byte(secret)) != fits {
			t.Errorf("a secret of %d characters: want %t", len(secret), fits)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{"https://a/", "http://127.0.0.1/", "http://[::1%25lo]/", "http://a@localhost/", "//", "http:localhost"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if CheckURL(raw) != nil {
			return
		}
		req, err := http.NewRequest(http.MethodPost, raw, nil)
		if err != nil {
			t.Fatalf("%q was taken and can't be posted to: %v", raw, err)
		}
		host := req.URL.Hostname()
		if here := strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback(); req.URL.Scheme != "https" && !here {
			t.Errorf("%q was taken", raw)
		}
	})
}

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestSecret(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		mode    os.FileMode
		err     string // "" if it is taken
	}{
		"as it comes":       {secret, 0o600, ""},
		"with a newline":    {secret + "\n", 0o400, ""},
		"group may read":    {secret, 0o640, "chmod 600"},
		"others may read":   {secret, 0o604, "chmod 600"},
		"others may write":  {secret, 0o602, "chmod 600"},
		"without its start": {strings.TrimPrefix(secret, "whsec_"), 0o600, "copy the secret"},
		"too short":         {"whsec_c2hvcnQ=", 0o600, "copy the secret"},
		"not base64":        {secret + "!", 0o600, "copy the secret"},
		"empty":             {"", 0o600, "is empty"},
		"a whole book":      {strings.Repeat("x", 4097), 0o600, "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "webhook.secret")
			write(t, path, test.content, test.mode)
			got, err := Webhook{SecretFile: path}.Secrets()
			switch {
			case test.err == "" && (err != nil || len(got) != 1 || got[0] != secret):
				t.Errorf("refused, or not the secret: %v", err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), path)):
				t.Errorf("got %v, want an error that names the file and says %q", err, test.err)
			case err != nil && strings.Contains(err.Error(), "MfKQ"):
				t.Error("the error repeats the secret")
			}
		})
	}
}

func TestSecretNeedsAFile(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{dir: "is not a regular file", filepath.Join(dir, "none"): "does not exist"} {
		if _, err := (Webhook{SecretFile: path}).Secrets(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}
