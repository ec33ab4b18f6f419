package box

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/e2e/shell"
)

// period is the least that a line of recordings can fail to give; noise, too, is 0 for a frame or three.
const period = 20 * time.Millisecond

// TestLineRestarted: somebody has a line restarted in the middle of a call. How long its agent hears nothing is told; the agent of the
// other line hears on.
func TestLineRestarted(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1}, line{"b", "visa", 1})
	other := b.PID(shell.Unit("b"))
	b.keying("b")
	b.keying("a")
	b.Run("systemctl", "restart", shell.Unit("a"))
	soon(t, "the line is up", func() bool { return b.Line("a").Up })
	b.same("b", other)
	time.Sleep(2 * time.Second)
	restarted, beside := b.silence("a"), b.silence("b")
	t.Logf("measured: where a line is restarted its agent hears nothing for %v, and the other line's for %v", restarted, beside)
	if restarted < period || beside >= period {
		t.Error("the one must have heard nothing for a while, the other not for a moment")
	}
}

// silence is the longest time for which the agent of a line was given nothing since its call began. The recordings have none.
func (b *installed) silence(line string) time.Duration {
	b.T.Helper()
	b.Run("systemctl", "stop", shell.Unit(line))
	file, err := os.Open(filepath.Join("/proc", b.pid, "root/var/lib/flattone-line", line+".agent.wav"))
	if err != nil {
		b.T.Fatal(err)
	}
	defer file.Close()
	heard, rate, err := wav.ReadAll(file)
	if err != nil {
		b.T.Fatal(err)
	}
	begun, longest, now := false, 0, 0
	for _, frame := range heard {
		begun = begun || frame != 0
		if now++; frame != 0 || !begun {
			now = 0
		}
		longest = max(longest, now)
	}
	return rate.Duration(int64(longest))
}
