package webhook

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/upstream"
)

// postUntilKilled names the folder in which this process, started by TestKill, enqueues and posts (to the
// address in postTo) until it is killed.
const (
	postUntilKilled = "FLATTONE_TEST_OUTBOX"
	postTo          = "FLATTONE_TEST_WEBHOOK"
)

func postForever(dir, url string) {
	fail := func(err error) {
		fmt.Println("error", err)
		os.Exit(1)
	}
	db, err := open(dir)
	if err != nil {
		fail(err)
	}
	o, err := outbox(db, quick(), url, nil, upstream.Deps{Store: db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fail(err)
	}
	go func() { fail(o.Run(context.Background())) }()
	for n := 0; ; n++ {
		key := fmt.Sprintf("%d-%d", os.Getpid(), n%3)
		id := fmt.Sprintf("%s-%d", key, n)
		err := db.Write(context.Background(), func(tx *store.Tx) error {
			return o.Enqueue(tx, upstream.Event{ID: id, To: "hook", Type: "t", Key: key, Time: time.Now(), Data: []byte("1")})
		})
		if err != nil {
			fail(err)
		}
		fmt.Println(id)
	}
}

// flaky is a receiver that fails every third time, and notes what it took.
type flaky struct {
	t     *testing.T
	mu    sync.Mutex
	calls int
	took  map[string]int // id -> how often
	last  map[string]int // key -> its newest event
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls++; f.calls%3 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	id := req.Header.Get("webhook-id")
	key, number := id[:strings.LastIndexByte(id, '-')], 0
	fmt.Sscan(id[len(key)+1:], &number)
	if f.took[id]++; f.took[id] == 1 {
		if last, ok := f.last[key]; ok && number < last {
			f.t.Errorf("%s came after %d of its key", id, last)
		}
		f.last[key] = number
	}
}

// TestKill kills a process in the middle of enqueueing and posting, with the real signal, and then lets the
// rest be delivered: every event whose transaction was acknowledged must have arrived, in its key's order.
func TestKill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	receiver := &flaky{t: t, took: map[string]int{}, last: map[string]int{}}
	server := httptest.NewServer(receiver)
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "state")
	if _, err := storetest.At(dir); err != nil { // before the process that is killed asks
		t.Fatal(err)
	}
	var acknowledged []string
	for range 10 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), postUntilKilled+"="+dir, postTo+"="+server.URL)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for left := 1 + rand.N(30); left > 0 && lines.Scan(); left-- {
			acknowledged = append(acknowledged, lines.Text())
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			acknowledged = append(acknowledged, lines.Text())
		}
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
			t.Fatalf("ended by itself: %v, %q", cmd.ProcessState, acknowledged)
		}
	}
	r := &rig{t: t, dir: dir}
	r.start(quick(), server.URL, nil)
	for r.pending() > 0 {
		r.next()
	}
	r.shut()
	for _, id := range acknowledged {
		if receiver.took[id] == 0 {
			t.Errorf("%s was acknowledged and never arrived", id)
		}
	}
	if len(acknowledged) < 10 {
		t.Errorf("only %d events in 10 rounds", len(acknowledged))
	}
}
