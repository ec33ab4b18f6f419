package channels

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flattone/flattone/proof/corpus"
)

// A script that delays by 40 frames stands in for the codecs, which needn't be built for this.
func TestThrough(t *testing.T) {
	probe := corpus.Probe()
	program := filepath.Join(t.TempDir(), "codecs")
	write := func(script string) {
		if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("#!/bin/sh\n{ head -c 80 /dev/zero; cat; } > $0.all\nhead -c -80 $0.all\n")
	c, err := Open(program, []Channel{"late"})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.delays["late"]; got != 40 {
		t.Errorf("a delay of 40 frames is found to be %d", got)
	}
	r := corpus.Sent(1, nil, 1)[0]
	was, err := r.Make()
	if err != nil {
		t.Fatal(err)
	}
	u, err := c.Through("late", r).Make()
	if err != nil {
		t.Fatal(err)
	}
	if u.Category != "keys late" || u.Events[0].Start != was.Events[0].Start+40 || u.PCM[1040] != was.PCM[1000] {
		t.Error("the unit isn't what was sent, 40 frames later")
	}

	write("#!/bin/sh\ncat >/dev/null\necho no stage >&2\nexit 2\n")
	if _, err := c.code("odd", probe); err == nil || !strings.Contains(err.Error(), "no stage") {
		t.Errorf("a refusal says %v", err)
	}
	write("#!/bin/sh\ncat >/dev/null\n")
	if _, err := c.code("mute", probe); err == nil || !strings.Contains(err.Error(), "gave 0 bytes") {
		t.Errorf("a short answer says %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), []Channel{"late"}); err == nil || !strings.Contains(err.Error(), "make codecs") {
		t.Errorf("without codecs: %v", err)
	}
}
