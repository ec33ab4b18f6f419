package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestFromAfarItTakesACode, over the real socket: what an installer does, and nothing else.
func TestFromAfarItTakesACode(t *testing.T) {
	var login atomic.Pointer[Login]
	login.Store(&Login{ID: "7", User: "anna"})
	var failed atomic.Bool
	b, socket := serve(t, func(s *Server) {
		s.login = func(_ context.Context, pid int32) (Login, error) {
			if pid != int32(os.Getpid()) {
				t.Errorf("asked for process %d", pid)
			}
			if failed.Load() {
				return Login{}, errors.New("no session")
			}
			return *login.Load(), nil
		}
	})
	b.code = "123456"
	me := self(t).Name
	code, asked := "", 0
	c := dial(t, socket)
	c.Code = func(need *Error) (string, error) {
		if asked++; need.Text != "no code of anna" && !failed.Load() {
			t.Errorf("asked for a code by %q", need.Text)
		}
		return code, nil
	}
	tune := func() error { return c.Tune(t.Context(), "one") }
	denied := func(what, want string, err error) {
		t.Helper()
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != want {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
		if len(b.asked) != 0 {
			t.Errorf("%s: the backend was asked %s", what, <-b.asked)
		}
	}
	passed := func(what string, codes int, err error) {
		t.Helper()
		if err != nil || asked != codes {
			t.Errorf("%s: %v after %d codes, want %d", what, err, asked, codes)
		}
		if len(b.asked) != 1 {
			t.Errorf("%s: the backend was asked %d times", what, len(b.asked))
		}
		<-b.asked
		asked = 0
	}
	passed("a technician's command", 0, c.Disarm(t.Context(), "one"))
	code = "000000"
	denied("a wrong code", CodeFactor, tune())
	code = "12345a"
	denied("no code at all", CodeBadRequest, tune())
	code, asked = "123456", 0
	passed("a code", 1, tune())
	passed("soon after", 0, tune())
	login.Store(&Login{ID: "8", User: "anna"})
	passed("in another session", 1, tune())
	passed("a factor that is forgotten", 0, c.ForgetFactor(t.Context(), "anna"))
	passed("after that", 1, tune())
	login.Store(&Login{ID: "9", User: "anna", Here: true})
	passed("at the box", 0, tune())
	failed.Store(true)
	passed("a session that can't be told", 1, tune())
	passed("and again, as no session can be remembered", 1, tune())
	if noted := strings.Join(b.refusals(), "\n"); !strings.Contains(noted, me+" (anna): POST /v1/lines/{line}/tune: no code of anna") || strings.Contains(noted, "123456") || strings.Contains(noted, "000000") {
		t.Errorf("noted are %s", noted)
	}
}

func TestACodeIsFreshForFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := freshness{until: map[[2]string]time.Time{}}
		f.add("anna", "1")
		f.add("anna", "")
		time.Sleep(freshTime - time.Nanosecond)
		if !f.is("anna", "1") || f.is("anna", "2") || f.is("otto", "1") || f.is("anna", "") {
			t.Error("it is another's, or none")
		}
		time.Sleep(time.Nanosecond)
		if f.is("anna", "1") {
			t.Error("it is fresh after five minutes")
		}
		if f.add("otto", "1"); len(f.until) != 1 {
			t.Errorf("%d are remembered", len(f.until))
		}
	})
}

const dialChild = "FLATTONE_CONTROL_DIAL"

// TestAPeerThatHasEnded leaves its connection to somebody else, and its number to whoever comes next: nobody vouches for it any more.
func TestAPeerThatHasEnded(t *testing.T) {
	if socket := os.Getenv(dialChild); socket != "" { // the connection is inherited by a shell that outlives us
		c, err := netDial(socket)
		if err != nil {
			t.Fatal(err)
		}
		heir := exec.Command("sh", "-c", `read go; printf 'POST /v1/lines/one/tune HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' >&3; cat <&3`)
		heir.ExtraFiles = []*os.File{c}
		heir.Stdin, heir.Stdout = os.Stdin, os.Stdout
		if err := heir.Start(); err != nil {
			t.Fatal(err)
		}
		os.Exit(0)
	}
	b, socket := serve(t, func(s *Server) {
		s.login = func(context.Context, int32) (Login, error) { return Login{ID: "1", User: "anna", Here: true}, nil }
	})
	child := exec.Command(os.Args[0], "-test.run=^TestAPeerThatHasEnded$")
	child.Env = append(os.Environ(), dialChild+"="+socket)
	in, out, err := pipes(child)
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	child.Stdin.(*os.File).Close()
	child.Stdout.(*os.File).Close()
	fmt.Fprintln(in, "go")
	in.Close()
	answer, err := io.ReadAll(out)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401") || len(b.asked) != 0 {
		t.Errorf("answered %q", answer)
	}
}

func netDial(socket string) (*os.File, error) {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn).File()
}

// pipes are a child's standard input and output, which its heirs may hold longer.
func pipes(child *exec.Cmd) (in, out *os.File, err error) {
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	out, childOut, err := os.Pipe()
	child.Stdin, child.Stdout, child.Stderr = childIn, childOut, os.Stderr
	return in, out, err
}
