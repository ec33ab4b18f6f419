package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxSocketPath is the room for a path in sockaddr_un, without its closing zero (unix(7)).
const maxSocketPath = 107

// judge reports what can't be seen from one key alone. A key that already has a fault is left in peace.
func (c *Config) judge(r *reader) {
	j := judgement{c: c, r: r}
	j.folders()
	j.webhook()
	j.lines()
	j.profiles()
}

// judgement finds tables again by their paths, so that faults carry their values and positions.
type judgement struct {
	c *Config
	r *reader
}

func (j judgement) table(path string) *table {
	i := slices.IndexFunc(j.r.tables, func(t *table) bool { return t.path == path })
	return j.r.tables[i]
}

// sound reports whether the keys, below path, were written or have a default, and have no fault so far.
func (j judgement) sound(path string, keys ...string) bool {
	return !slices.ContainsFunc(j.r.faults, func(f Fault) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return f.Key == join(path, k) })
	})
}

func (j judgement) folders() {
	t := j.table("")
	if n := len(j.c.AdminSocket()); n > maxSocketPath {
		t.fault("runtime_dir", fmt.Sprintf("makes the path of a socket %d bytes long, and the system takes %d", n, maxSocketPath), "choose a shorter folder")
	}
	if j.sound("", "state_dir", "runtime_dir") && j.c.StateDir == j.c.RuntimeDir {
		t.fault("runtime_dir", "is the folder of state_dir too, but is emptied by a reboot", "choose another folder for one of the two")
	}
}

func (j judgement) webhook() {
	const path = "upstream.webhook"
	t, w := j.table(path), j.c.Upstream.Webhook
	if t.has("url") && j.sound(path, "url") {
		if reason, remedy := urlFault(w.URL); reason != "" {
			t.fault("url", reason, remedy)
		}
	}
	if j.sound(path, "first_retry_ms", "max_retry_s") && w.MaxRetry < w.FirstRetry {
		t.fault("max_retry_s", "is shorter than first_retry_ms", "make it longer: waits double from the first up to it")
	}
}

// urlFault says what is wrong with a webhook's address. It doesn't quote the address, which may hold a
// password.
func urlFault(raw string) (reason, remedy string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "":
		return "is not an address", "write one like https://host/path"
	case u.User != nil:
		return "has a user name or password in it", "take it out: the signature proves who sends"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "has a ? or # part, where secrets tend to be", "end the address with its path: the signature proves who sends"
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return "", ""
	case u.Scheme == "http":
		return "is plain http to another machine", "write https: http is for localhost, 127.0.0.1 and [::1] alone"
	}
	return "is neither https nor http", "write one like https://host/path"
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
