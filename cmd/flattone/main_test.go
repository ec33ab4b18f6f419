package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/keys/tpm/tpmtest"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the pictures in testdata/screen anew")
	time.Local = time.UTC
	testscript.Main(m, map[string]func(){"flattone": main})
}

// boxKey finds a script's box again.
type boxKey struct{}

// TestScripts uses the tool as a person would, against a real admin socket.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			socket := filepath.Join(env.WorkDir, "admin.sock")
			env.Setenv("FLATTONE_SOCKET", socket)
			env.Setenv("TZ", "UTC")
			env.Setenv("TERM", "xterm-256color")
			env.Setenv("LANG", "C.UTF-8")
			calls, err := filepath.Abs("../../data/calls")
			if err != nil {
				return err
			}
			env.Setenv("CALLS", calls)
			b := newBox()
			env.Values[boxKey{}] = b
			ctx, stop := context.WithCancel(context.Background())
			ended, err := b.serve(ctx, socket)
			env.Defer(func() {
				stop()
				if err := <-ended; err != nil {
					t.Errorf("the box ended with %v", err)
				}
			})
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// watched waits until N watchers have come.
			"watched": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.Atoi(args[0])
				ts.Check(err)
				for range n {
					<-boxOf(ts).watchers
				}
			},
			// armed waits until a line has been armed.
			"armed": func(ts *testscript.TestScript, _ bool, args []string) {
				if got := <-boxOf(ts).armed; got != args[0] {
					ts.Fatalf("%s was armed, not %s", got, args[0])
				}
			},
			// afar has whoever asks from now on not be at the box.
			"afar": func(ts *testscript.TestScript, _ bool, _ []string) { boxOf(ts).afar.Store(true) },
			// tunes HOW says how the next tuning ends.
			"tunes": func(ts *testscript.TestScript, _ bool, args []string) { boxOf(ts).tuning = args[0] },
			// tests HOW says how the next tests of a side end.
			"tests": func(ts *testscript.TestScript, _ bool, args []string) { boxOf(ts).testing = args[0] },
			// left N looks how many of them were left.
			"left": func(ts *testscript.TestScript, _ bool, args []string) {
				if got := strconv.Itoa(int(boxOf(ts).left.Load())); got != args[0] {
					ts.Fatalf("%s tests were left", got)
				}
			},
			// publish FILE tells the events in it, one JSON object a line; publish capture LINE ID a whole capture.
			"publish": func(ts *testscript.TestScript, _ bool, args []string) {
				if args[0] == "capture" {
					for _, e := range aCapture(args[1], args[2]) {
						boxOf(ts).Publish(e)
					}
					return
				}
				for line := range strings.Lines(ts.ReadFile(args[0])) {
					e := control.Event{Time: then}
					ts.Check(json.Unmarshal([]byte(line), &e))
					boxOf(ts).Publish(e)
				}
			},
			// bytes FILE SIZE MODE looks at a file from outside.
			// tpm starts one, at the socket $TPM.
			"tpm": func(ts *testscript.TestScript, _ bool, _ []string) { ts.Setenv("TPM", tpmtest.Start(t)) },
			"bytes": func(ts *testscript.TestScript, _ bool, args []string) {
				info, err := os.Stat(ts.MkAbs(args[0]))
				ts.Check(err)
				if got := fmt.Sprintf("%d %#o", info.Size(), info.Mode().Perm()); got != args[1]+" "+args[2] {
					ts.Fatalf("%s: size and mode are %s", args[0], got)
				}
			},
			// exits CODE VERB... runs flattone and looks at its exit code.
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				err = ts.Exec("flattone", args[1:]...)
				got := 0
				if err != nil {
					got = exitStatus(err)
				}
				if got != want {
					ts.Fatalf("exit code %d, want %d: %v", got, want, err)
				}
			},
		},
	})
}

func boxOf(ts *testscript.TestScript) *aBox { return ts.Value(boxKey{}).(*aBox) }

func exitStatus(err error) int {
	type coder interface{ ExitCode() int }
	if c, ok := err.(coder); ok {
		return c.ExitCode()
	}
	return -1
}
