package config

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
)

// maxSocketPath is the room for a path in sockaddr_un, without its closing zero (unix(7)).
const maxSocketPath = 107

// judge reports what can't be seen from one key alone. A key that already has a fault is left in peace.
func (c *Config) judge(r *reader) {
	j := judgement{c: c, r: r}
	j.folders()
	j.upstream()
	j.metrics()
	j.syslog()
	j.store()
	j.recipients()
	j.gateways()
	j.clients()
	j.recorderHook()
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

// metrics names lines and what goes wrong, so nobody but this machine gets them.
func (j judgement) metrics() {
	const remedy = `write "unix:/run/flattone/metrics/metrics.sock", or an address and a port of this machine, such as "127.0.0.1:9469"`
	t := j.table("metrics")
	if !t.has("listen") || !j.sound("metrics", "listen") {
		return
	}
	network, address := j.c.Metrics.Address()
	host, port, err := net.SplitHostPort(address)
	switch {
	case network == "unix" && !filepath.IsAbs(address):
		t.fault("listen", "is a socket without a whole path", remedy)
	case network == "unix" && len(address) > maxSocketPath:
		t.fault("listen", fmt.Sprintf("is a path of %d bytes, and the system takes %d", len(address), maxSocketPath), "choose a shorter one")
	case network == "unix" && slices.Contains([]string{j.c.AdminSocket(), j.c.LineSocket()}, filepath.Clean(address)):
		t.fault("listen", "is a socket of flattoned's already", "choose another name")
	case network == "unix":
	case err != nil || port == "" || !isPort(port):
		t.fault("listen", "is neither a socket nor an address and a port", remedy)
	case !loopback(host):
		t.fault("listen", "is not this machine's loopback: others could ask", remedy)
	}
}

func (j judgement) syslog() {
	t := j.table("syslog")
	switch host, port, err := net.SplitHostPort(j.c.Syslog.Address); {
	case t.has("ca_file") && !t.has("address"):
		t.need("address", `write the receiver's host and port, such as "siem.example.com:6514"`)
	case !t.has("address") || !j.sound("syslog", "address"):
	case err != nil || host == "" || port == "" || !isPort(port):
		t.fault("address", "is no host and port", `write them like "siem.example.com:6514"; it is spoken to in TLS`)
	}
}
