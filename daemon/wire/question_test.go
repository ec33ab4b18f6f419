package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadQuestion(t *testing.T) {
	for text, want := range map[string]Question{
		`{"devices":true}` + "\n":                  {Devices: true},
		`{"probe":"/dev/ttyUSB2"}` + "\nmore":      {Probe: "/dev/ttyUSB2"},
		`{"probe":"/dev/serial/by-id/x"}  ` + "\n": {Probe: "/dev/serial/by-id/x"},
	} {
		if got, err := ReadQuestion(iotest.OneByteReader(strings.NewReader(text))); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"":                 "EOF",
		`{"devices":true}`: "EOF",
		"\n":               "EOF",
		"devices\n":        "invalid",
		`{}` + "\n":        "one thing",
		`{"devices":true,"probe":"/dev/x"}` + "\n":  "one thing",
		`{"devices":true} {"devices":true}` + "\n":  "more than one",
		`{"devices":true,"config":"/etc/x"}` + "\n": "unknown field",
		`{"probe":"/etc/shadow"}` + "\n":            "is no port",
		`{"probe":"/dev/../etc/shadow"}` + "\n":     "is no port",
		`{"probe":"/dev/"}` + "\n":                  "is no port",
		`{"probe":"ttyUSB2"}` + "\n":                "such as /dev/ttyUSB2",
		`{"probe":"/dev/a\u0000b"}` + "\n":          "is no port",
		strings.Repeat(" ", 600) + "\n":             "longer than 512",
	} {
		if got, err := ReadQuestion(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) || got != (Question{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// Whatever comes, nothing is asked but for the devices, or a port below /dev; and what was understood says the same again.
func FuzzReadQuestion(f *testing.F) {
	f.Add(`{"devices":true}` + "\n")
	f.Add(`{"probe":"/dev/ttyUSB2"}` + "\n")
	f.Add(`{"probe":"/dev/../etc"}` + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ReadQuestion(strings.NewReader(text))
		if err != nil {
			if q != (Question{}) {
				t.Errorf("an error, and %+v beside it", q)
			}
			return
		}
		if q.Devices == (q.Probe != "") || !q.Devices && (!strings.HasPrefix(q.Probe, "/dev/") || strings.Contains(q.Probe, "/../")) {
			t.Errorf("%q asks for %+v", text, q)
		}
		again, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := ReadQuestion(strings.NewReader(string(again) + "\n")); err != nil && len(again) < mostQuestion || err == nil && same != q {
			t.Errorf("%+v again is %+v, %v", q, same, err)
		}
	})
}
