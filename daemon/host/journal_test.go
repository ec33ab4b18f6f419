package host_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/secret"
	"golang.org/x/sys/unix"
)

// inJournal says that this process is the one that speaks to the journal under test.
const inJournal = "FLATTONE_TEST_JOURNAL"

// underJournal starts a journal of its own in folders that nobody else sees, runs this test's process with its standard error there, and prints what
// the journal then has, as JSON.
const underJournal = `set -e
mount --make-rprivate /
mount -t tmpfs none /run
mount -t tmpfs none /var/log
mkdir -p /run/systemd/journal /run/log/journal
echo 0123456789abcdef0123456789abcdef > /run/machine-id
[ ! -e /etc/machine-id ] || mount --bind /run/machine-id /etc/machine-id
/lib/systemd/systemd-journald 2> /run/journald.log & journald=$!
for try in $(seq 300); do [ -S /run/systemd/journal/io.systemd.journal ] && break; sleep 0.1; done
systemd-cat sh -c 'exec "$@" > /run/out' sh "$@" || { cat /run/out /run/journald.log >&2; exit 1; }
journalctl --sync
journalctl -D /run/log/journal --output json --all --no-pager _TRANSPORT=journal + _TRANSPORT=stdout
kill $journald
wait $journald || true
`

// curt says something else of itself to a log, and to nobody else.
type curt struct{ in string }

func (curt) LogValue() slog.Value { return slog.StringValue("[so]") }

// speaks logs what a log may be given. Not every systemd-cat says that it led standard error to the journal, as systemd does to a unit.
func speaks() {
	var stream unix.Stat_t
	if err := unix.Fstat(2, &stream); err != nil {
		panic(err)
	}
	os.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", stream.Dev, stream.Ino))
	log := slog.New(host.Journal(slog.NewTextHandler(os.Stderr, nil)))
	log.Debug("too small")
	log.Info("a card is sealed", "line", "desk-1", "message_id", "cc9d136a17b8463a8e3a37bc6c9a03a7")
	log.With("line", "desk-2").WithGroup("call").Warn("of a call", "began", true, "why not", "it's \"so\"\nand so")
	log.Error("failed", "error", errors.New("no space left on device"), "after", 1500*time.Millisecond, slog.Group("at", "x", 1))
	digits, err := secret.NewCard()
	if err != nil {
		panic(err)
	}
	defer digits.Destroy()
	for _, d := range "4242424242424242" {
		if err := digits.PAN.Append(byte(d)); err != nil {
			panic(err)
		}
	}
	digit, _ := audio.NewDigit('4')
	log.Info("digits", "card", digits, "pan", digits.PAN, "digit", digit, "group", slog.GroupValue(slog.Any("digit", digit)))
	slog.New(host.Journal(slog.NewTextHandler(os.Stderr, nil), slog.String("line", "desk-3"))).With("a", curt{"4242"}).Info("of its own")
	log.Info("much", "text", strings.Repeat("long ", 100_000))
}

// TestTheJournalGetsFields looks at what a real journald makes of a log.
func TestTheJournalGetsFields(t *testing.T) {
	if os.Getenv(inJournal) != "" {
		speaks()
		return
	}
	for _, needs := range []string{"/lib/systemd/systemd-journald", "/usr/bin/systemd-cat", "/usr/bin/unshare"} {
		if _, err := os.Stat(needs); err != nil {
			t.Fatalf("%v: install the package systemd", err)
		}
	}
	unshare := []string{"--mount"}
	if os.Getuid() != 0 {
		unshare = []string{"--user", "--map-root-user", "--mount"}
	}
	cmd := exec.Command("unshare", append(unshare, "sh", "-c", underJournal, "sh", os.Args[0], "-test.run", "^TestTheJournalGetsFields$")...)
	cmd.Env = append(os.Environ(), inJournal+"=1")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	if strings.Contains(string(out), "4242") {
		t.Error("digits reach the journal")
	}
	var records []map[string]any
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var r map[string]any
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		records = append(records, r)
	}
	want := []map[string]string{
		{"MESSAGE": "a card is sealed line=desk-1", "PRIORITY": "6", "FLATTONE_LINE": "desk-1", "MESSAGE_ID": "cc9d136a17b8463a8e3a37bc6c9a03a7"},
		{"MESSAGE": `of a call line=desk-2 call.began=true call.why not="it's \"so\"\nand so"`, "PRIORITY": "4", "FLATTONE_LINE": "desk-2",
			"FLATTONE_CALL_BEGAN": "true", "FLATTONE_CALL_WHY_NOT": "it's \"so\"\nand so"},
		{"MESSAGE": `failed error="no space left on device" after=1.5s at.x=1`, "PRIORITY": "3", "FLATTONE_ERROR": "no space left on device",
			"FLATTONE_AFTER": "1.5s", "FLATTONE_AT_X": "1"},
		{"MESSAGE": "digits card=" + secret.Redacted + " pan=" + secret.Redacted + " digit=• group.digit=•", "PRIORITY": "6", "FLATTONE_CARD": secret.Redacted,
			"FLATTONE_PAN": secret.Redacted, "FLATTONE_DIGIT": "•", "FLATTONE_GROUP_DIGIT": "•"},
		{"MESSAGE": "of its own a=[so]", "FLATTONE_LINE": "desk-3", "FLATTONE_A": "[so]"},
		{"PRIORITY": "6", "FLATTONE_TEXT": strings.Repeat("long ", 100_000)},
	}
	if len(records) != len(want) {
		t.Fatalf("the journal has %d records, want %d:\n%.5000s", len(records), len(want), out)
	}
	for i, r := range records {
		for name, value := range r {
			if strings.HasPrefix(name, "FLATTONE_") || name == "MESSAGE_ID" {
				if _, wanted := want[i][name]; !wanted {
					t.Errorf("record %d has %s=%v", i, name, value)
				}
			}
		}
		for name, value := range want[i] {
			if r[name] != value {
				t.Errorf("record %d has %s=%.200q, want %.200q", i, name, r[name], value)
			}
		}
	}
}

// Whoever only inherits the variable, as a line's process does from flattoned, writes text.
func TestNoJournalIsText(t *testing.T) {
	text := slog.NewTextHandler(io.Discard, nil)
	for _, stream := range []string{"", "1:2", "nonsense"} {
		t.Setenv("JOURNAL_STREAM", stream)
		if got := host.Journal(text); got != slog.Handler(text) {
			t.Errorf("with JOURNAL_STREAM=%q it is a %T", stream, got)
		}
	}
}
