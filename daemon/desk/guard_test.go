package desk

import (
	"net/http"
	"strings"
	"testing"
)

func TestWhoIsNotSignedInGetsNoFurther(t *testing.T) {
	d, trusted := opened(t, "")
	b := browser(d, trusted)
	for _, test := range []struct {
		method, path, accept string
		status               int
		to                   string
	}{
		{"GET", "/", "text/html", 303, "/signin?then=%2F"},
		{"GET", "/lines/one?a=b", "text/html,*/*", 303, "/signin?then=%2Flines%2Fone%3Fa%3Db"},
		{"GET", "/events", "text/event-stream", 401, ""},
		{"POST", "/anything", "text/html", 401, ""},
		{"DELETE", "/anything", "", 401, ""},
	} {
		r, _ := http.NewRequest(test.method, "https://"+name+test.path, nil)
		r.Header.Set("Accept", test.accept)
		got, err := b.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if got.StatusCode != test.status || got.Header.Get("Location") != test.to {
			t.Errorf("%s %s: %d to %q", test.method, test.path, got.StatusCode, got.Header.Get("Location"))
		}
		if got.ProtoMajor != 2 {
			t.Errorf("HTTP/%d: a browser has six connections for all of its streams", got.ProtoMajor)
		}
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	d, trusted := opened(t, `frame_ancestors = ["https://crm.example.com"]`)
	got, err := browser(d, trusted).Get("https://" + name + "/no-such-page")
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	policy := got.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") || !strings.HasSuffix(policy, "frame-ancestors https://crm.example.com") {
		t.Errorf("policy: %s", policy)
	}
	for name, want := range map[string]string{"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store", "X-Frame-Options": ""} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
}
