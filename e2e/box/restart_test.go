package box

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/flattone/flattone/e2e/shell"
)

// TestCardOutlivesDaemon: flattoned is restarted while a caller keys, and is down when his card is complete. The line keeps the card, and hands it over once
// flattoned is back: it is stored and told of once.
func TestCardOutlivesDaemon(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	was := b.PID(shell.Unit("a"))
	from := b.played("a")
	b.keying("a")
	b.Run("systemctl", "restart", "flattoned.service")
	b.same("a", was)
	b.Run("systemctl", "stop", "flattoned.service", "flattoned.socket")
	soon(t, "the last key is past", func() bool { return b.played("a")-from > lastKey(t, "visa")+2*recordedRate })
	b.Run("systemctl", "start", "flattoned.socket", "flattoned.service")
	token := b.arrives("a")
	b.same("a", was)
	b.Run("systemctl", "restart", "flattoned.service")
	b.same("a", was)
	if again := b.arrives("a"); again != token {
		t.Errorf("after another restart the token is %s, and was %s", again, token)
	}
}

// recordedRate is that of the recordings, in frames a second.
const recordedRate = 8000

// played is how many frames the agent of a line was given.
func (b *installed) played(line string) int64 {
	b.T.Helper()
	info, err := os.Stat(filepath.Join("/proc", b.pid, "root/var/lib/flattone-line", line+".agent.wav"))
	if err != nil {
		b.T.Fatal(err)
	}
	return info.Size() / 2
}

// lastKey is where the last key of a recorded call ends.
func lastKey(t *testing.T, call string) int64 {
	t.Helper()
	var truth struct{ Keys []struct{ End int64 } }
	if err := json.Unmarshal(shell.Read(t, recordings, call, "truth.json"), &truth); err != nil || len(truth.Keys) == 0 {
		t.Fatalf("%v, and %d keys", err, len(truth.Keys))
	}
	return truth.Keys[len(truth.Keys)-1].End
}
