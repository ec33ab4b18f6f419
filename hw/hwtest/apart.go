package hwtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// apart is set in a process that Apart has started.
const apart = "FLATTONE_TEST_APART"

// IsApart reports whether this process was started by [Apart].
func IsApart() bool { return os.Getenv(apart) != "" }

// beginning keeps what is written first.
type beginning []byte

func (b *beginning) Write(p []byte) (int, error) {
	if room := 4096 - len(*b); room > 0 {
		*b = append(*b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

// Apart runs a test, by its name with its parents', in a process of its own. A line that is lost wants that: PortAudio is then of no more use to the
// process it is in, and writes to standard error without an end. So does a line that waits for a device, which would wait for
// ever where a line was lost before. It answers the beginning of what the process wrote to standard error.
func Apart(t *testing.T, test string) []byte {
	t.Helper()
	test = strings.ReplaceAll(test, " ", "_")
	child := exec.Command(os.Args[0], "-test.v", "-test.timeout=2m", "-test.run=^"+strings.ReplaceAll(test, "/", "$/^")+"$")
	child.Env = append(os.Environ(), apart+"=1")
	var said beginning
	child.Stderr = &said
	if out, err := child.Output(); err != nil || !strings.Contains(string(out), "--- PASS: "+test+" ") {
		t.Errorf("%v\n%s%s", err, out, said)
	}
	return said
}
