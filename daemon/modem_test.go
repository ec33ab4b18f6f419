package daemon

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// probe is what a box says whose flattone-line finds a modem, or fails.
func probe(t *testing.T, port string, found wire.Modem, script string) (control.Modem, error) {
	t.Helper()
	h := newHouse(t)
	h.cfg.Lines[1].AgentModem = &config.Modem{Port: "/dev/taken", SoundPort: "/dev/too"}
	h.finds(wire.Found{Modem: &found}, script)
	return h.daemon().backend.ProbeModem(context.Background(), port)
}

func TestModemIsAsked(t *testing.T) {
	got, err := probe(t, "/dev/a port", wire.Modem{
		Answers: []wire.ModemAnswer{{Ask: "ATI", Lines: []string{"a", "b"}, OK: true}, {Ask: "AT+VSM=?"}},
		Fits:    []wire.ModemFit{{Profile: "p", Make: "m", Port: "/d/1", SoundPort: "/d/2", NeedsSoundPort: true}}, Draft: "d",
	}, `read q; [ "$q $*" = '{"probe":"/dev/a port"} --config DIR/flattone.toml --answer' ] && cat DIR/found.json`)
	want := control.Modem{
		Answers: []control.ModemAnswer{{Ask: "ATI", Lines: []string{"a", "b"}, OK: true}, {Ask: "AT+VSM=?"}},
		Fits:    []control.ModemFit{{Profile: "p", Make: "m", Port: "/d/1", SoundPort: "/d/2", NeedsSoundPort: true}}, Draft: "d",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, %v\nwant\n%+v", got, err, want)
	}
}

func TestModemThatCantBeAsked(t *testing.T) {
	for _, test := range []struct{ port, script, says string }{
		{"/dev/other", "echo flattone-line: serial: nobody answers there >&2; exit 1", "nobody answers there"},
		{"/dev/other", "echo modem", "is it of this version?"},
		{"/dev/other", "echo '{}'", "is it of this version?"},
		{"ttyUSB2", "exit 1", "such as /dev/ttyUSB2"},
		{"/dev/taken", "exit 1", "/dev/taken is a port of line desk-2"},
		{"/dev/too", "exit 1", "/dev/too is a port of line desk-2"},
	} {
		_, err := probe(t, test.port, wire.Modem{}, test.script)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.port, err)
		}
		if e, ok := errors.AsType[*control.Error](err); ok && (e.Code != control.CodeNoModem || e.Remedy == "") {
			t.Errorf("%s: %+v", test.port, e)
		}
	}
}
