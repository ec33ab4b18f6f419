package line

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/wire"
)

// Whatever can't be found out is told to who asks, and what was found too.
func TestAnswer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flattone.toml") // there is none, as before the first setup
	for question, says := range map[string]string{
		`{"devices":true}`:      "",
		`{"probe":"/dev/null"}`: file,
		`{"probe":"/etc/x"}`:    "is no port",
		`what is there?`:        "is who asks of this version?",
	} {
		var out bytes.Buffer
		if err := Answer(strings.NewReader(question+"\n"), &out, file); err != nil {
			t.Fatal(err)
		}
		var found wire.Found
		if err := json.Unmarshal(out.Bytes(), &found); err != nil || !strings.Contains(found.Error, says) || (found.Error == "") != (says == "") {
			t.Errorf("%s: %+v, %v", question, found, err)
		}
	}
	if err := Answer(strings.NewReader(""), broken{}, file); !errors.Is(err, errBroken) {
		t.Errorf("nobody hears, and it says %v", err)
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }
