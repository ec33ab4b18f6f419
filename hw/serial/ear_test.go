package serial

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/modem"
	"github.com/flattone/flattone/hw/serial/at"
	"github.com/flattone/flattone/hw/serial/dle"
)

// listening is an ear that keeps what it tells, and a sound that is always wanted.
func listening(p Profile, told *[]said) *ear {
	e := &ear{says: &p.Says, tell: func(s said) { *told = append(*told, s) }}
	if p.Kind == Voice {
		c := &keeper{}
		e.sound = newSound(newPort("memory", c), 160, true)
		e.sound.start(context.Background(), silence{})
		e.sound.coding.Store(int32(dle.Unsigned8))
		e.sound.want(true)
	}
	return e
}

// keeper is a port that takes everything, and silence a line on which nobody speaks.
type (
	keeper  struct{}
	silence struct{}
)

func (*keeper) Read([]byte) (int, error)    { select {} }
func (*keeper) Write(b []byte) (int, error) { return len(b), nil }
func (*keeper) Close() error                { return nil }
func (silence) Take([]int16)                {}
func (silence) Lost(int)                    {}
func (silence) Fill(out []int16)            { clear(out) }

// TestWhatIsUnderstood of what modems say, by lines and by codes.
func TestWhatIsUnderstood(t *testing.T) {
	for _, c := range []struct {
		kind modem.Kind
		says string
		want []said
	}{
		{modem.Quectel, "\r\nRING\r\n\r\n+CLIP: \"5551234\",129,,,,0\r\n", []said{{news: rings}, {news: calls, number: "5551234"}}},
		{modem.Quectel, "^DSCI: 1,1,3,0,5551234,129\r\n^DSCI: 1,1,6,0,5551234,129\r\n", []said{{news: begins}, {news: ends}}},
		{modem.Quectel, "+QTONEDET: 56\r\nOK\r\n", []said{{news: keyed}, {result: at.OK}}},
		{modem.Quectel, "+QIND: \"csq\",20,99\r\nATE0\r\nERROR\r\n+CME ERROR: 3\r\n", []said{{result: at.Error}, {result: at.Error}}},
		{modem.Quectel, "NO CARRIER\r\nBUSY\r\n", []said{{news: ends, result: at.NoCarrier}, {news: ends, result: at.Busy}}},
		{modem.SIMCom, "+CLCC: 1,1,0,0,0,\"5551234\",129\r\nVOICE CALL: END: 000003\r\n", []said{{news: exists}, {news: ends}}},
		{modem.V253, "\x10R\r\nDATE = 0101\r\nNMBR = 5551234\r\n", []said{{news: rings}, {news: calls, number: "5551234"}}},
		{modem.V253, "\x10/\x105\x105\x105\x10~\x107\x10b", []said{{news: keyed}, {news: keyed}, {news: ends}}},
		{modem.V253, "CONNECT\r\n\r\nNO CARRIER\r\n\x10\x10\x10d\x10u\x10\x03\r\nOK\r\n",
			[]said{{result: at.Connect}, {news: dials}, {news: soundEnded}, {result: at.OK}}},
	} {
		for cut := range len(c.says) {
			var told []said
			e := listening(profiles[c.kind], &told)
			e.hear([]byte(c.says[:cut]))
			e.hear([]byte(c.says[cut:]))
			if !slices.Equal(told, c.want) {
				t.Errorf("%q, cut at %d: %v, and not %v", c.says, cut, told, c.want)
			}
			if e.sound != nil {
				e.sound.port.close()
			}
		}
	}
}

// FuzzEar: whatever a modem says, nothing goes wrong, and what is told fits into what is known of it.
func FuzzEar(f *testing.F) {
	f.Add([]byte("\r\nRING\r\n+CLIP: \"5551234\",129\r\n"), uint8(3), false)
	f.Add([]byte("\x10RCONNECT\r\n\x10\x10\x1a\x10\x1aNO CARRIER\r\n\x10/\x105\x10~\x10\x03\r\nOK\r\n"), uint8(1), true)
	f.Fuzz(func(t *testing.T, b []byte, cut uint8, voice bool) {
		kind := modem.Quectel
		if voice {
			kind = modem.V253
		}
		var told []said
		e := listening(profiles[kind], &told)
		for c := range slices.Chunk(b, int(cut)+1) {
			e.hear(c)
		}
		if e.sound != nil {
			e.sound.port.close()
		}
		if len(told) > len(b) {
			t.Errorf("%d things are told of %d bytes", len(told), len(b))
		}
		for _, s := range told {
			if s.number != "" && s.news != calls || len(s.number) > longestNumber || s.news == lists != (s.format != dle.Format{}) && s.format.ID != 0 {
				t.Errorf("%v is told", s)
			}
		}
	})
}

// TestATurnAllocatesNothing, from the bytes that come to those that are sent.
func TestATurnAllocatesNothing(t *testing.T) {
	for _, kind := range []modem.Kind{modem.Quectel, modem.V253} {
		var told []said
		e := listening(profiles[kind], &told)
		s := e.sound
		if s == nil {
			s = newSound(newPort("memory", &keeper{}), 160, false)
			s.start(context.Background(), silence{})
			s.want(true)
		} else {
			e.hear([]byte("CONNECT\r\n"))
		}
		b := make([]byte, 320)
		for i := range b {
			b[i] = 0x10 // shielded, and 16 bits of something
		}
		if n := testing.AllocsPerRun(1000, func() {
			if e.sound != nil {
				e.hear(b)
			} else {
				s.bytes(b)
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations a turn", kind, n)
		}
		time.Sleep(time.Millisecond)
		s.port.close()
	}
}
