package serial

import (
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/modem"
	"github.com/flattone/flattone/hw/owner"
)

var whatItIs = []string{"ATI", "AT+FCLASS=?", "AT+VSM=?", "AT+QPCMV=?", "AT+CPCMREG=?", "AT^CVOICE?"}

// Each family is known by what it answers, though it chatters meanwhile.
func TestProbe(t *testing.T) {
	for kind, knows := range map[modem.Kind]map[string]string{
		modem.Quectel: {"ATI": "EC25", "AT+QPCMV=?": "+QPCMV: (0,1),(0-2)"},
		modem.SIMCom:  {"ATI": "SIMCOM_SIM7600E-H", "AT+CPCMREG=?": "+CPCMREG: (0-1)"},
		modem.Huawei:  {"ATI": "E1550", "AT^CVOICE?": "^CVOICE:0,8000,16,20"},
		modem.V253:    {"ATI": "CONEXANT", "AT+FCLASS=?": "0,1,1.0,8", "AT+VSM=?": `1,"UNSIGNED PCM",8,0,8000,0,0`},
	} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := modem.New(t, modem.Spec{Kind: kind, Echo: true, Split: true})
				c, _ := m.Memory()
				p := newPort("at", c)
				began := time.Now()
				answers, err := probe(p, whatItIs)
				if err != nil || len(answers) != len(whatItIs) || time.Since(began) > time.Second {
					t.Fatalf("%v after %v, %v", answers, time.Since(began), err)
				}
				for i, a := range answers {
					line, of := knows[whatItIs[i]]
					if a.Ask != whatItIs[i] || a.OK != of || of != slices.Contains(a.Lines, line) || !of && a.Lines != nil {
						t.Errorf("%+v", a)
					}
				}
				if err := p.close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// stranger is at a port in memory: he says what he says to each line, one after the other, each in its time.
type stranger struct {
	says  func(line string) string
	takes func(line string) time.Duration // nil for none
	heard string
	busy  time.Time
	out   chan byte
}

func (s *stranger) Write(p []byte) (int, error) {
	for _, b := range p {
		if b != '\r' {
			s.heard += string(b)
			continue
		}
		said := s.says(s.heard)
		if now := time.Now(); s.busy.Before(now) {
			s.busy = now
		}
		s.busy = s.busy.Add(time.Millisecond)
		if s.takes != nil {
			s.busy = s.busy.Add(s.takes(s.heard))
		}
		time.AfterFunc(time.Until(s.busy), func() {
			for _, b := range []byte(said) {
				s.out <- b
			}
		})
		s.heard = ""
	}
	return len(p), nil
}

func (s *stranger) Read(p []byte) (int, error) {
	select {
	case p[0] = <-s.out:
		return 1, nil
	case <-time.After(readTime):
		return 0, io.EOF
	}
}

func (s *stranger) Close() error { return nil }

func TestProbeOfStrangers(t *testing.T) {
	lines := 0
	for name, test := range map[string]struct {
		says    func(line string) string
		takes   func(line string) time.Duration
		answers []Answer
		fault   string
	}{
		"nobody":              {says: func(string) string { return "" }, fault: "nobody answers there at 115200 baud"},
		"a port of positions": {says: func(string) string { return "$GPRMC,,V,,,,,,,,,,N*53\r\n" }, fault: "no answer to AT: it is another of the modem's ports"},
		"one that takes its time to wake": {
			says: func(line string) string {
				if lines++; lines == 1 {
					return "\x00\xff"
				}
				return "\r\nOK\r\n"
			}, answers: []Answer{{Ask: "ATI", OK: true}, {Ask: "AT+CGMM", OK: true}}},
		"one that doesn't know an answer": {
			says: func(line string) string {
				switch line {
				case "ATI":
					return "" // the rest goes on
				case "AT+CGMM":
					return "MODEL\r\nIMEI 123456789012345\r\n\r\nOK\r\n"
				}
				return "\r\nOK\r\n"
			}, answers: []Answer{{Ask: "ATI"}, {Ask: "AT+CGMM", Lines: []string{"MODEL", "IMEI #"}, OK: true}}},
		"one that answers too late": { // which is no answer to what was asked next
			says: func(line string) string {
				if line == "AT+CGMM" {
					return "\r\nERROR\r\n"
				}
				return line + "\r\nTHAT\r\n\r\nOK\r\n"
			}, takes: func(line string) time.Duration {
				if line == "ATI" {
					return replyTime + 200*time.Millisecond
				}
				return 50 * time.Millisecond
			}, answers: []Answer{{Ask: "ATI"}, {Ask: "AT+CGMM"}}},
		"one that has much to say": {
			says: func(line string) string {
				if line == "AT" {
					return "OK\r"
				}
				return strings.Repeat("x\r", 100) + "OK\r"
			}, answers: []Answer{{"ATI", slices.Repeat([]string{"x"}, mostLines), true}, {"AT+CGMM", slices.Repeat([]string{"x"}, mostLines), true}}},
		"one that falls silent": {
			says: func(line string) string {
				if line == "AT" && lines == 0 {
					lines++
					return "OK\r"
				}
				return ""
			}, fault: "no answer to AT"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines = 0
				p := newPort("at", &stranger{says: test.says, takes: test.takes, out: make(chan byte, 1000)})
				answers, err := probe(p, []string{"ATI", "AT+CGMM"})
				if (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) || !reflect.DeepEqual(answers, test.answers) {
					t.Errorf("got %+v, %v", answers, err)
				}
				if err := p.close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// However much a stranger has to say and to leave unsaid, it is over in time for who asked.
func TestProbeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort("at", &stranger{out: make(chan byte, 100_000), says: func(line string) string {
			if line == "AT" {
				return "OK\r"
			}
			return strings.Repeat("and so on\r", 100) // and no end
		}})
		began := time.Now()
		answers, err := probe(p, make([]string, 1000))
		if took := time.Since(began); err != nil || len(answers) != 3 || took > probeTime+replyTime {
			t.Errorf("%d answers after %v, %v", len(answers), took, err)
		}
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
}

// A real port: one that a line has is left alone, and one that is there is asked.
func TestProbeOfAPort(t *testing.T) {
	locks := t.TempDir()
	port, _ := modem.New(t, modem.Spec{Kind: modem.Huawei, Echo: true}).TTYs()
	device, err := filepath.EvalSymlinks(port) // by whatever name it is called
	if err != nil {
		t.Fatal(err)
	}
	owned, err := owner.Take(locks, "serial", device)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Probe(port, locks, whatItIs); !errors.Is(err, hw.ErrBusy) {
		t.Errorf("a line's port: %v", err)
	}
	owned.Close()
	answers, err := Probe(port, locks, whatItIs)
	if err != nil || len(answers) != len(whatItIs) || !answers[5].OK || !slices.Contains(answers[5].Lines, "^CVOICE:0,8000,16,20") {
		t.Errorf("got %+v, %v", answers, err)
	}
	if _, err := Probe("/dev/null", locks, whatItIs); err == nil || !strings.Contains(err.Error(), "/dev/null") {
		t.Errorf("no port: %v", err)
	}
}
