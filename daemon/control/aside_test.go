package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/locked"
)

// TestASecretIsSaidWhenAskedFor, and not looked at otherwise.
func TestASecretIsSaidWhenAskedFor(t *testing.T) {
	b, socket := serve(t, nil)
	for name, tc := range map[string]struct{ text, status, says string }{
		"not waiting": {"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nwords", "400", "sent before the box was ready"},
		"not asking":  {"Content-Length: 5\r\n\r\nwords", "400", "Expect: 100-continue"},
		"nothing":     {"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", "400", "Expect: 100-continue"},
		"too much":    {"Expect: 100-continue\r\nContent-Length: 257\r\n\r\n", "400", "at most 256 bytes"},
		"any length":  {"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", "400", "Content-Length"},
	} {
		t.Run(name, func(t *testing.T) {
			first, all := raw(t, socket, "POST /v1/custody/c/give HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+tc.text)
			if !strings.HasPrefix(first, "HTTP/1.1 "+tc.status) || !strings.Contains(all, tc.says) {
				t.Errorf("answered %q, want %s and %q", all, tc.status, tc.says)
			}
		})
	}
	if first, all := raw(t, socket, "POST /v1/custody/enrolment/take HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"); !strings.HasPrefix(first, "HTTP/1.1 400") || !strings.Contains(all, "acknowledges") {
		t.Errorf("a share without a duty: %q", all)
	}
	if len(b.asked) != 0 {
		t.Errorf("the backend was asked %s", <-b.asked)
	}
	b.fail = &Error{CodeShare, "that is not the share", "look again"}
	c := dial(t, socket)
	for name, err := range map[string]error{"taking a share": second(c.TakeShare(t.Context(), make([]byte, 100))), "giving a share": second(c.GiveShare(t.Context(), "c", []byte("x")))} {
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeShare || err.Error() != name+": that is not the share" || e.Remedy != "look again" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ int, err error) error { return err }

// TestWhoSaysNothingHoldsNothing: somebody who asks to say a secret, and doesn't, is left after a while.
func TestWhoSaysNothingHoldsNothing(t *testing.T) {
	_, socket := serve(t, nil)
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /v1/custody/c/give HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	conn.SetReadDeadline(time.Now().Add(10 * readTime))
	all, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(all), "the share didn't come whole") {
		t.Errorf("answered %q, %v", all, err)
	}
}

// TestFromAfarASecretTakesACode: which is asked for before the secret is.
func TestFromAfarASecretTakesACode(t *testing.T) {
	b, socket := serve(t, func(s *Server) {
		s.login = func(context.Context, int32) (Login, error) { return Login{ID: "7", User: "anna"}, nil }
	})
	b.code = "123456"
	c := dial(t, socket)
	if _, err := c.GiveShare(t.Context(), "c", []byte("x")); err == nil || !strings.Contains(err.Error(), "no code of anna") {
		t.Errorf("without a code: %v", err)
	}
	c.Code = func(*Error) (string, error) { return "123456", nil }
	if n, err := c.GiveShare(t.Context(), "c", []byte("x")); n != 2 || err != nil {
		t.Errorf("with one: %d, %v", n, err)
	}
}

// silent is a backend that keeps nothing of what it is told.
type silent struct{ *scripted }

func (silent) GiveShare(context.Context, Actor, string, []byte) (int, error) { return 1, nil }

func (silent) TakeShare(_ context.Context, _ Actor, page []byte) (int, error) {
	fill(page[:64])
	return 64, nil
}

// fill makes the text of which nothing may be left. No literal: that would be in the program.
func fill(page []byte) {
	for i := range page {
		page[i] = 'a' + byte(i*7%26)
	}
}

// TestNothingOfASecretIsLeft: of what went through the server, neither way, does its heap have a part. In this process it is the client's as well.
func TestNothingOfASecretIsLeft(t *testing.T) {
	debug.SetGCPercent(-1) // what is left is left
	defer debug.SetGCPercent(100)
	_, socket := serve(t, func(s *Server) { s.backend = silent{s.backend.(*scripted)} })
	c := dial(t, socket)
	page, err := locked.Bytes(64)
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Free(page)
	for range 20 {
		fill(page[:64])
		if _, err := c.GiveShare(t.Context(), "c", page[:64]); err != nil {
			t.Fatal(err)
		}
		if n, err := c.TakeShare(t.Context(), page); err != nil || n != 64 {
			t.Fatal(n, err)
		}
	}
	looked := bytes.Clone(page[20:36])
	for i := range looked {
		looked[i] ^= 0x55 // so that the pattern itself isn't found
	}
	clear(page)
	runtime.KeepAlive(c)
	if n := inHeap(t, looked); n != 0 {
		t.Errorf("%d copies of a part of the secret are on the heap", n)
	}
	control := make([]byte, 64)
	fill(control)
	if n := inHeap(t, looked); n == 0 {
		t.Error("one that is there isn't found: this looks at the wrong thing")
	}
	runtime.KeepAlive(control)
}

// inHeap counts what is in the Go heap of this process, given with each byte changed by 0x55.
func inHeap(t *testing.T, changed []byte) (found int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	buf := make([]byte, 1<<20)
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var rights string
		if n, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); n != 3 || err != nil || !strings.HasPrefix(rights, "rw") || strings.Contains(line, "[stack]") {
			continue
		}
		for at := from; at < to; at += int64(len(buf)) - 64 {
			clear(buf)
			n, err := mem.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
			if err != nil && n == 0 {
				break
			}
			found += count(buf[:n], changed)
		}
	}
	clear(buf)
	return found
}

func count(in, changed []byte) (n int) {
	for i := range len(in) - len(changed) + 1 {
		same := true
		for j, c := range changed {
			if in[i+j] != c^0x55 {
				same = false
				break
			}
		}
		if same {
			n++
		}
	}
	return n
}
