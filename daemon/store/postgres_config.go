package store

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/daemon/private"
)

// Postgres says which database of PostgreSQL the store is, if it is one.
type Postgres struct {
	// Where is a connection string of host, port, dbname, user and target_session_attrs, with neither password nor sslmode in it. Empty: the store is a file.
	Where string
	// Box is the box's name in the database, 1 to 64 bytes, which no other box has.
	Box string
	// PasswordFile has the password, if one is asked for; it is read for each connection.
	PasswordFile string
	// CAFile vouches for the server; empty: the system's. CertFile and KeyFile are what the box proves itself by, if the server asks.
	CAFile, CertFile, KeyFile string

	dial func(ctx context.Context, network, address string) (net.Conn, error) // tests: what may be cut
}

// Time bounds of a connection. A server that has gone without a word is noticed within silence; it notices a box that has, and lets others write, after the
// same time.
const (
	connectTime = 3 * time.Second
	silence     = 10 * time.Second
)

// settings are those of each session. Flushed means flushed: synchronous_commit is on whatever the server's default is.
var settings = map[string]string{
	"application_name":                    "flattone",
	"synchronous_commit":                  "on",
	"lock_timeout":                        "15s",
	"idle_in_transaction_session_timeout": "10s",
	"tcp_keepalives_idle":                 "4",
	"tcp_keepalives_interval":             "2",
	"tcp_keepalives_count":                "3",
	"tcp_user_timeout":                    "10000",
}

// parse turns it into what pgx connects by. Nothing goes in plain text over a network: to another machine it is TLS, and the server proves that it is the
// one that was named (sslmode verify-full).
func (p Postgres) parse() (*pgx.ConnConfig, error) {
	where := p.Where
	if p.plain() {
		where += " sslmode=disable"
	} else {
		where += " sslmode=verify-full"
		for key, file := range map[string]string{"sslrootcert": p.CAFile, "sslcert": p.CertFile, "sslkey": p.KeyFile} {
			if file != "" {
				where += " " + key + "='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(file) + "'"
			}
		}
	}
	c, err := pgx.ParseConfig(where)
	if err != nil {
		return nil, err
	}
	for _, host := range append([]string{c.Host}, hosts(c)...) {
		if c.TLSConfig == nil && !local(host) {
			return nil, fmt.Errorf("%s is another machine, and is not spoken to in plain text", host)
		}
	}
	c.ConnectTimeout, c.DialFunc = connectTime, dial
	if p.dial != nil {
		c.DialFunc = p.dial
	}
	for key, value := range settings {
		c.RuntimeParams[key] = value
	}
	return c, nil
}

func hosts(c *pgx.ConnConfig) (all []string) {
	for _, f := range c.Fallbacks {
		all = append(all, f.Host)
	}
	return all
}

// plain reports whether every host is this machine, and nobody asked for TLS to it.
func (p Postgres) plain() bool {
	if p.CAFile != "" || p.CertFile != "" {
		return false
	}
	named := false
	for field := range strings.FieldsSeq(p.Where) {
		if list, ok := strings.CutPrefix(field, "host="); ok {
			named = true
			for host := range strings.SplitSeq(list, ",") {
				if !local(host) {
					return false
				}
			}
		}
	}
	return named
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return filepath.IsAbs(host) || host == "localhost" || ip != nil && ip.IsLoopback()
}

// secret reads the password, which may have been changed since.
func (p Postgres) secret(_ context.Context, c *pgx.ConnConfig) error {
	c.Password = "" // of the environment
	if p.PasswordFile == "" {
		return nil
	}
	text, err := private.StorePassword.Read(p.PasswordFile)
	if err != nil {
		return fmt.Errorf("the password of the database: %w", err)
	}
	c.Password = string(bytes.TrimSpace(text))
	return nil
}

// dial has the kernel give up a server that doesn't take what it is sent: what is asked of it would hang for a quarter of an hour.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 2, Interval: silence / 4, Count: 2}}
	c, err := d.DialContext(ctx, network, address)
	tcp, ok := c.(*net.TCPConn)
	if err != nil || !ok {
		return c, err
	}
	raw, err := tcp.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silence.Milliseconds()))
		})
	}
	return c, err
}
