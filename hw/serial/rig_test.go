package serial

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/modem"
)

// profiles are those of the makes that hwtest has.
var profiles = map[modem.Kind]Profile{
	modem.Quectel: {
		Make: "Quectel", Kind: PCM,
		Init: []string{"ATE0", "AT+CLIP=1", "AT^DSCI=1", "AT+QTONEDET=1"}, Optional: []string{"AT+QTONEDET=1", "AT+QPCMV=0"},
		Before: []string{"AT+QPCMV=0", "AT+QPCMV=1,0"}, Answer: []string{"ATA"}, Dial: "ATD%s;", HangUp: []string{"AT+CHUP"}, AudioTries: 1, Calls: "AT+CLCC",
		Says: Says{Ring: []string{"RING"}, CallerID: []string{"+CLIP: {number}"}, Began: []string{"^DSCI: *,*,3,0"}, Ended: []string{"^DSCI: *,*,6", "NO CARRIER"},
			Key: []string{"+QTONEDET: *"}, Active: []string{"+CLCC: *,*,0,0"}},
	},
	modem.SIMCom: {
		Make: "SIMCom", Kind: PCM,
		Init: []string{"ATE0", "AT+CLIP=1", "AT+CLCC=1", "AT+CPCMREG=0,1", "AT+CPCMFRM=0", "AT+DDET=1"}, Optional: []string{"AT+CPCMREG=0,1", "AT+DDET=1"},
		Answer: []string{"ATA"}, Dial: "ATD%s;", HangUp: []string{"AT+CHUP"}, AudioOn: []string{"AT+CPCMREG=1"}, AudioOff: []string{"AT+CPCMREG=0,1"},
		AudioTries: 2, Calls: "AT+CLCC", Reset: "AT+CRESET",
		Says: Says{Ring: []string{"RING"}, CallerID: []string{"+CLIP: {number}"}, Began: []string{"VOICE CALL: BEGIN"}, Ended: []string{"VOICE CALL: END", "NO CARRIER"},
			Key: []string{"+RXDTMF: *", "+DTMF: *", "+DDET: *"}, Active: []string{"+CLCC: *,*,0,0"}},
	},
	modem.Huawei: {
		Make: "Huawei", Kind: PCM,
		Init: []string{"ATZ", "ATE0", "AT+CMEE=0", "AT^U2DIAG=0", "AT^CVOICE?", "AT+CLIP=1"}, Optional: []string{"AT^U2DIAG=0"},
		Answer: []string{"ATA"}, Dial: "ATD%s;", HangUp: []string{"AT+CHUP"}, AudioOn: []string{"AT^DDSETEX=2"}, AudioTries: 1, Calls: "AT+CLCC",
		Says: Says{Ring: []string{"RING"}, CallerID: []string{"+CLIP: {number}"}, Began: []string{"^CONN: *,0"}, Ended: []string{"^CEND: *"}, Active: []string{"+CLCC: *,*,0,0"}},
	},
	modem.V253: {
		Make: "V.253", Kind: Voice,
		Init:     []string{"AT&F", "ATE0", "ATV1", "AT+VCID=1"},
		Before:   []string{"AT+FCLASS=8", "AT+VSM=?", "AT+VSM=%s,8000,0,0", "AT+VSD=128,0", "AT+VIT=0", "AT+VGR=128", "AT+VGT=128"},
		Optional: []string{"AT+VCID=1", "AT+VSD=128,0", "AT+VIT=0", "AT+VGR=128", "AT+VGT=128"},
		Answer:   []string{"AT+VLS=1"}, Dial: "ATDT%s", AudioOn: []string{"AT+VTR"}, AudioOff: []string{"<DLE>^"}, HangUp: []string{"AT+VLS=0", "ATH"},
		Says: Says{Ring: []string{"RING"}, CallerID: []string{"NMBR = {number}"}},
	},
}

var kinds = []modem.Kind{modem.Quectel, modem.SIMCom, modem.Huawei, modem.V253}

// rig is a modem of hwtest's, led by a Modem whose turns are counted: what it hears is kept, and what it says is a count.
type rig struct {
	t    *testing.T
	far  *modem.Modem
	cfg  Config
	m    *Modem
	said []int16 // what the far party says: of a voice modem as many bits as it has
	stop context.CancelFunc
	err  chan error

	mu     sync.Mutex
	heard  []int16
	lost   int
	told   []Event
	turns  int
	blamed bool    // as can't be helped
	turn   hw.Turn // nil for the rig itself
}

// bubble runs a test on every kind of modem, in virtual time.
func bubble(t *testing.T, spec modem.Spec, test func(t *testing.T, r *rig)) {
	t.Helper()
	for _, kind := range kinds {
		if spec.Kind != 0 && spec.Kind != kind {
			continue
		}
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spec := spec
				spec.Kind = kind
				if kind == modem.V253 && spec.Formats == nil {
					spec.In = coarse(spec.In)
				}
				r := newRig(t, modem.New(t, spec), kind)
				r.said = spec.In
				t.Cleanup(r.end)
				test(t, r)
			})
		})
	}
}

// coarse is sound of 8 bits, of which none is lost by a linear coding of as many.
func coarse(x []int16) []int16 {
	x = slices.Clone(x)
	for i := range x {
		x[i] &^= 0xff
	}
	return x
}

func newRig(t *testing.T, far *modem.Modem, kind modem.Kind) *rig {
	t.Helper()
	p := profiles[kind]
	p.Baud, p.Frame = 115200, 20*time.Millisecond
	r := &rig{t: t, far: far, cfg: Config{Profile: p, Port: modem.AT, Sound: modem.Sound, LockDir: t.TempDir()}}
	r.open()
	return r
}

func (r *rig) opened() (*Modem, error) {
	return open(r.cfg, func(name string, _ int) (conn, error) { return r.far.Open(name) })
}

func (r *rig) open() {
	r.t.Helper()
	var err error
	if r.m, err = r.opened(); err != nil {
		r.t.Fatal(err)
	}
}

// again is a process that begins anew, after one that was lost.
func (r *rig) again() {
	r.t.Helper()
	if err := r.m.Close(); err != nil {
		r.t.Error(err)
	}
	r.stop()
	r.stop, r.told = nil, nil
	r.open()
}

// run starts the modem.
func (r *rig) run() {
	ctx, stop := context.WithCancel(r.t.Context())
	r.stop, r.err = stop, make(chan error, 1)
	turn := r.turn
	if turn == nil {
		turn = r
	}
	go func() { r.err <- r.m.Run(ctx, turn) }()
}

// end stops it, unless it is lost.
func (r *rig) end() {
	r.t.Helper()
	if r.stop != nil {
		r.stop()
		if err := <-r.err; err != nil {
			r.t.Error(err)
		}
	}
	if err := r.m.Close(); err != nil {
		r.t.Error(err)
	}
	if blames := r.far.Blames(); len(blames) > 0 && !r.blamed {
		r.t.Errorf("the modem was treated badly: %q", blames)
	}
}

func (r *rig) Take(in []int16) { r.take(in, false) }
func (r *rig) Lost(frames int) { r.take(make([]int16, frames), true) }

func (r *rig) take(in []int16, lost bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turns++
	r.heard = append(r.heard, in...)
	if lost {
		r.lost += len(in)
	}
}

func (r *rig) Fill(out []int16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := len(r.heard) - len(out)
	for i := range out {
		out[i] = count(at + i)
	}
}

// count is what is said at a position: never 0, coarse enough for 8 bits to be told apart from the next ones, and not the same again for some seconds.
func count(at int) int16 { return int16(uint16(at*40503)|1) | 1 }

// expect waits for events, in order, and passes over no other.
func (r *rig) expect(kinds ...EventKind) Event {
	r.t.Helper()
	var last Event
	for _, want := range kinds {
		last = r.next(10 * time.Second)
		if last.Kind != want {
			r.t.Fatalf("%v came for %v; before: %v; it was told %q", last, want, r.told, r.far.Log())
		}
	}
	return last
}

func (r *rig) next(within time.Duration) Event {
	r.t.Helper()
	select {
	case e := <-r.m.Events():
		r.told = append(r.told, e)
		return e
	case err := <-r.err:
		r.t.Fatalf("it ended: %v", err)
	case <-time.After(within):
		r.t.Fatalf("nothing was told for %v; before: %v; it was told %q", within, r.told, r.far.Log())
	}
	return Event{}
}

// quiet holds it to telling nothing for a while.
func (r *rig) quiet(d time.Duration) {
	r.t.Helper()
	select {
	case e := <-r.m.Events():
		r.t.Errorf("%v came unasked for", e)
	case <-time.After(d):
	}
}

// talk has a call come, and answers it.
func (r *rig) talk() {
	r.t.Helper()
	r.far.Ring("5551234")
	r.expect(Ringing, Ringing)
	if err := r.m.Answer(); err != nil {
		r.t.Fatal(err)
	}
	r.expect(Began)
}

// up runs it until it is.
func (r *rig) up() {
	r.t.Helper()
	r.run()
	for range 100 {
		if time.Sleep(100 * time.Millisecond); r.m.control.now() == ready {
			return
		}
	}
	r.t.Fatalf("it isn't up: %v; it was told %q", r.told, r.far.Log())
}

func (r *rig) hears() []int16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heard)
}

// lacks is whether something was taken for lost.
func (r *rig) lacks() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost > 0
}

func (k EventKind) String() string {
	return [...]string{"nothing", "ringing", "began", "joined", "ended", "key heard", "broken", "mended"}[k]
}

func (e Event) String() string {
	return strings.TrimSpace(fmt.Sprint(e.Kind.String(), " ", e.Code, " ", e.Err))
}
