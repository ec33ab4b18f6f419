package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
)

// heardWhile plays a call whose caller keys a card, and answers with what the agent heard of it. What happens to the box meanwhile is up to load, which must
// be done before the call is.
func heardWhile(t *testing.T, pace float64, load func(socket string)) []int16 {
	t.Helper()
	r := newRig(t, box.Config{Lines: []box.Line{{Name: "one", Calls: []string{filepath.Join(calls, "visa")}, Pace: pace, Gap: time.Second}}})
	r.start(t)
	r.wait(t, "the call", func(e control.Event) bool { return e.Code == control.CallBegan })
	load(filepath.Join(r.dir, "run", "admin.sock"))
	ended := func(e control.Event) bool { return e.Code == control.CallEnded }
	r.mu.Lock()
	if slices.ContainsFunc(r.events, ended) {
		t.Error("the call was over before the load was")
	}
	r.mu.Unlock()
	r.wait(t, "the end of the call", ended)
	if err := r.Stop(); err != nil {
		t.Fatalf("flattoned did not stop in order: %v", err)
	}
	n := 8000 + len(readWAV(t, filepath.Join(calls, "visa", "caller.wav"))) // the gap and the call
	heard := readWAV(t, r.Heard("one"))
	if len(heard) < n {
		t.Fatalf("the agent heard %d frames of %d", len(heard), n)
	}
	return heard[:n]
}

// TestNothingAtTheAdminSocketReachesTheSound: 10 000 malformed requests, clients that are slow, and 1 000 connections that only stand there, and the agent hears
// what he would have heard without them, bit for bit.
func TestNothingAtTheAdminSocketReachesTheSound(t *testing.T) {
	t.Parallel()
	want := heardWhile(t, 20, func(string) {})
	got := heardWhile(t, 1, func(socket string) {
		began := time.Now()
		end := make(chan struct{})
		var slow sync.WaitGroup
		defer slow.Wait()
		defer close(end)
		for range 16 {
			slow.Go(func() { dribble(t, socket, end) })
		}
		malformed(t, socket, 10_000)
		t.Logf("10 000 malformed requests took %v", time.Since(began))
		for range 1000 {
			c, err := net.Dial("unix", socket)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			io.WriteString(c, "GET /v1/sta")
		}
		t.Logf("1 000 connections stood after %v", time.Since(began))
		time.Sleep(time.Second)
	})
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("frame %d is %d with the load, and %d without", i, got[i], want[i])
		}
	}
	if distinct := len(slices.Compact(slices.Sorted(slices.Values(want)))); distinct < 1000 {
		t.Errorf("the agent heard only %d different values: there was nothing to change", distinct)
	}
}

// malformed makes n requests of many kinds, all of which must be refused.
func malformed(t *testing.T, socket string, n int) {
	t.Helper()
	kinds := []string{
		"\x16\x03\x01\x00\xff\r\n\r\n",
		"GET\r\n\r\n",
		"GET /v1/status\r\n\r\n",
		"GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n",
		"PATCH /v1/lines/one/arm HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/tokens?limit=-1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /v1/lines/one/arm HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{\"a\":[[[[",
		"POST /v1/lines/one/disarm HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST /v1/lines/%00%ff/disarm HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 32<<10) + "\r\n\r\n",
	}
	next := make(chan int)
	var askers sync.WaitGroup
	for range 16 {
		askers.Go(func() {
			for i := range next {
				if err := refused(socket, kinds[i%len(kinds)]); err != nil {
					t.Errorf("request %d: %v", i, err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	askers.Wait()
}

func refused(socket, text string) error {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	go io.WriteString(c, text)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode < 400 || resp.StatusCode >= 500 {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

// dribble asks a byte at a time, over and over, until the end: it is cut off each time.
func dribble(t *testing.T, socket string, end <-chan struct{}) {
	for {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Error(err)
			return
		}
		for _, b := range []byte("GET /v1/status HTTP/1.1\r\nHost: " + strings.Repeat("x", 4000)) {
			select {
			case <-end:
				c.Close()
				return
			case <-time.After(50 * time.Millisecond):
			}
			if _, err = c.Write([]byte{b}); err != nil {
				break
			}
		}
		c.Close()
	}
}
