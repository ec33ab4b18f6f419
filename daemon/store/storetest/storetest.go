// Package storetest starts PostgreSQL for tests, as Debian ships it.
//
// It exists so that what keeps rows is tested on both databases that it may be kept in. It promises a server of the test binary's own, on a unix socket
// and on no network, that is as durable as one in use, and that is gone with the test binary whatever ends that. It must never touch a server that runs
// already.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// Postgres is the connection string of a new, empty database. The server is started by the first who asks, which takes some two seconds.
func Postgres(t testing.TB) string {
	t.Helper()
	return Shared(t).DSN(t)
}

// Shared is the server that [Postgres] makes databases on.
func Shared(t testing.TB) *Server {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	start     = sync.OnceValues(func() (*Server, error) { return run("") })
	databases atomic.Int64
)

// Server is a PostgreSQL server of a test's own, which may do to it what it likes.
type Server struct {
	dir  string
	bin  string
	as   *syscall.Credential // nil: whoever runs the test
	end  io.Writer           // see [serving]
	cmd  *exec.Cmd
	more string
}

// New starts a server with more settings, such as "-c fsync=off", and stops it with the test.
func New(t testing.TB, more string) *Server {
	t.Helper()
	s, err := run(more)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		os.RemoveAll(s.dir)
	})
	return s
}

// DSN is the connection string of a new, empty database.
func (s *Server) DSN(t testing.TB) string {
	t.Helper()
	where, err := s.database()
	if err != nil {
		t.Fatal(err)
	}
	return where
}

func (s *Server) database() (where string, err error) {
	name := fmt.Sprintf("test_%d", databases.Add(1))
	_, err = s.ask("postgres", "CREATE DATABASE "+name)
	return fmt.Sprintf("host=%s user=flattone dbname=%s", s.dir, name), err
}

// SQL runs statements, as an administrator would, in a database that is given by its name or its connection string.
func (s *Server) SQL(t testing.TB, database, statements string) {
	t.Helper()
	if _, err := s.ask(database, statements); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) ask(database, statements string) (answer string, err error) {
	out, err := s.command("psql", "-XqAt", "-h", s.dir, "-U", "flattone", "-d", database, "-c", statements).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w\n%s", err, out)
	}
	return string(bytes.TrimSpace(out)), nil
}

// Stop ends the server as an immediate shutdown does: nothing is written any more, connections are cut.
func (s *Server) Stop() {
	io.WriteString(s.end, "\n")
	s.cmd.Wait()
}

// Start starts it again, with what it has.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.serve(); err != nil {
		t.Fatal(err)
	}
}

func run(more string) (*Server, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return nil, errors.New("there is no PostgreSQL server here: apt-get install postgresql-15, as make rig does")
	}
	dir, err := os.MkdirTemp("", "flattone-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: filepath.Dir(found[len(found)-1]), more: more}
	if os.Geteuid() == 0 { // as whom it refuses to run
		if s.as, err = nobody(); err == nil {
			err = os.Chown(dir, int(s.as.Uid), int(s.as.Gid))
		}
		if err != nil {
			return nil, err
		}
	}
	// --no-sync is for what initdb writes; the server flushes.
	if out, err := s.command("initdb", "-D", filepath.Join(dir, "data"), "-U", "flattone", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s, s.serve()
}

func nobody() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, errors.New("neither user postgres nor nobody is known here")
}

// serving starts the server, says so once it is up, and stops it when it reads a line. Its standard input ends with the test binary, even with one that is
// killed; then the folder goes, too.
const serving = `"$1"/postgres -D "$2"/data -k "$2" -c listen_addresses= -c logging_collector=off -c max_connections=50 $3 >>"$2"/log 2>&1 &
server=$!
until "$1"/pg_isready -q -h "$2" -U flattone; do
  kill -0 $server 2>/dev/null || { tail -n 20 "$2"/log; exit 1; }
  sleep 0.02
done
echo up
read -r stop || gone=1
kill -QUIT $server
wait $server
[ -z "$gone" ] || rm -rf "$2"`

func (s *Server) serve() error {
	s.cmd = s.command("sh", "-c", serving, "postgres", s.bin, s.dir, s.more)
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.end = in
	said := make([]byte, 4096)
	n, err := out.Read(said)
	if !bytes.Equal(said[:n], []byte("up\n")) {
		return fmt.Errorf("the server didn't start: %s (%w)", said[:n], err)
	}
	return nil
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	if name != "sh" {
		name = filepath.Join(s.bin, name)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	if s.as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	}
	return cmd
}
