package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/secret"
)

// messages is one message of every kind, with its bytes: what encoder, decoder and fuzzer are held to. A
// change here is a change of the protocol, and needs a new version.
var messages = []struct {
	m       Message
	kind    byte
	payload string
}{
	{Hello{Line: "one", PID: 7, Min: 1, Max: 2}, 1, `{"Line":"one","PID":7,"Min":1,"Max":2}`},
	{Welcome{Version: 1}, 2, `{"Version":1}`},
	{Refused{Reason: ReasonUser, Detail: "why"}, 3, `{"Reason":"user","Detail":"why"}`},
	{State{State: "held", Capture: "c", Reason: "mark"}, 16, `{"State":"held","Capture":"c","Reason":"mark"}`},
	{Meters{CallerDBm0: -19.5, AgentDBm0: -90, MaskedPermille: 12, CallerFloorDBm0: -61, AgentFloorDBm0: -70, CallerClipped: 1, AgentClipped: 2,
		ToAgentClipped: 3, ToCallerClipped: 4}, 17, `{"CallerDBm0":-19.5,"AgentDBm0":-90,"MaskedPermille":12,"CallerFloorDBm0":-61,` +
		`"AgentFloorDBm0":-70,"CallerClipped":1,"AgentClipped":2,"ToAgentClipped":3,"ToCallerClipped":4}`},
	{Key{Capture: "c", Field: "pan", Stars: 3}, 18, `{"Capture":"c","Field":"pan","Stars":3}`},
	{Verdict{Capture: "c", Field: "pan", Code: "ok", Brand: "visa", Last4: "4242", Length: 16, Tries: 1}, 19,
		`{"Capture":"c","Field":"pan","Code":"ok","Brand":"visa","Last4":"4242","Length":16,"Tries":1}`},
	{Warning{Capture: "c", Code: "slow"}, 20, `{"Capture":"c","Code":"slow"}`},
	{Call{Edge: "call_began"}, 21, `{"Edge":"call_began"}`},
	{Answer{ID: 9, Error: "not armed"}, 22, `{"ID":9,"Error":"not armed"}`},
	{Card{Capture: "c", Profile: "card", Brand: "visa", Last4: "4242", ExpiryMonth: 1, ExpiryYear: 2031}, 23,
		`{"Capture":"c","Profile":"card","Brand":"visa","Last4":"4242","ExpiryMonth":1,"ExpiryYear":2031}`},
	{Codec{Code: "codec_poor", NeedsLookAheadMS: 40}, 24, `{"Code":"codec_poor","NeedsLookAheadMS":40}`},
	{Bar{Code: "untuned", On: true}, 25, `{"Code":"untuned","On":true}`},
	{Input{Leg: "caller", Code: "input_dead"}, 26, `{"Leg":"caller","Code":"input_dead"}`},
	{Asked{For: AskAnswer, Error: "no call"}, 27, `{"For":"answer","Error":"no call"}`},
	{Source{Code: "source_lost"}, 28, `{"Code":"source_lost"}`},
	{Recording{Code: "recorder_full"}, 70, `{"Code":"recorder_full"}`},
	{Ringing{On: true, Number: "+15550100"}, 29, `{"On":true,"Number":"+15550100"}`},
	{Arm{ID: 1, Capture: "c", Profile: "card"}, 32, `{"ID":1,"Capture":"c","Profile":"card"}`},
	{Cancel{ID: 2, Reason: "shutdown", Test: true}, 33, `{"ID":2,"Reason":"shutdown","Test":true}`},
	{MoreTime{ID: 3}, 34, `{"ID":3}`},
	{Again{ID: 10, Field: "pan"}, 46, `{"ID":10,"Field":"pan"}`},
	{Cover{ID: 11, On: true}, 47, `{"ID":11,"On":true}`},
	{Covered{On: true}, 65, `{"On":true}`},
	{Speak{ID: 11, Language: "fr", Words: [2]string{"lune", "tigre"}}, 48, `{"ID":11,"Language":"fr","Words":["lune","tigre"]}`},
	{Acknowledge{ID: 4}, 35, `{"ID":4}`},
	{Stored{Capture: "c", Token: "tok_x"}, 37, `{"Capture":"c","Token":"tok_x"}`},
	{Tuning{Step: "echo", Done: 1, Of: 2}, 30, `{"Step":"echo","Done":1,"Of":2}`},
	{Tuned{Code: "tune_timeout", Step: "loop", Report: report}, 31, `{"Code":"tune_timeout","Step":"loop","Report":` + reportText + `}`},
	{Tune{ID: 5}, 40, `{"ID":5}`},
	{Accepted{Report: report}, 41, `{"Report":` + reportText + `}`},
	{NotStored{Capture: "c", Reason: "full", Final: true}, 38, `{"Capture":"c","Reason":"full","Final":true}`},
	{CallTold{ID: 5, Edge: "call_ended"}, 39, `{"ID":5,"Edge":"call_ended"}`},
	{PickUp{ID: 6}, 42, `{"ID":6}`},
	{CallOut{ID: 7, Number: "+15550100"}, 43, `{"ID":7,"Number":"+15550100"}`},
	{HangUp{ID: 8}, 44, `{"ID":8}`},
	{Test{ID: 9, What: TestTone, Leg: "agent", Hz: 1020, DBm0: -10, Seconds: 5}, 45, `{"ID":9,"What":"tone","Leg":"agent","Hz":1020,"DBm0":-10,"Seconds":5}`},
	{Testing{What: TestLoopback, Leg: "caller", Step: "loopback", Done: 1, Of: 5, CallerDBm0: -20.5, AgentDBm0: -70, ReturnDB: -18.5, ReturnMS: 40, Code: TestCut}, 64,
		`{"What":"loopback","Leg":"caller","Step":"loopback","Done":1,"Of":5,"CallerDBm0":-20.5,"AgentDBm0":-70,"ReturnDB":-18.5,"ReturnMS":40,"Code":"test_cut"}`},
}

// report is of a tuning, and what it looks like.
var report = acceptance.Report{Line: "one", Time: time.Unix(0, 0).UTC(), Version: "v", Fingerprint: "f", Accepted: true,
	Figures: []acceptance.Figure{{Name: acceptance.Leak, What: "w", Value: -91.5, Unit: "dBm0", Most: new(float64), Good: true}}}

const reportText = `{"line":"one","time":"1970-01-01T00:00:00Z","version":"v","fingerprint":"f","devices":"","settings":"","accepted":true,` +
	`"figures":[{"name":"leak","what":"w","value":-91.5,"unit":"dBm0","most":0,"good":true}],"recorder":{"file":"","judged_by":"","verdict":""}}`

// frame is a frame by the book: the header and whatever follows.
func frame(kind byte, payload []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), kind), payload...)
}

// cardPayload is what follows a card's header.
func cardPayload(meta string, card []byte) []byte {
	return append(append(binary.BigEndian.AppendUint16(nil, uint16(len(meta))), meta...), card...)
}

// testCard is a card of public test digits, and what it looks like on the wire.
func testCard(t testing.TB) (*secret.Card, []byte) {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(card.Destroy)
	for text, digits := range map[*secret.Text]string{card.PAN: "4242424242424242", card.Expiry: "0131", card.CVV.Text: "123"} {
		for i := range len(digits) {
			if err := text.Append(digits[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	encoded := make([]byte, secret.CardSize)
	if err := card.MarshalTo(encoded); err != nil {
		t.Fatal(err)
	}
	return card, encoded
}

func sameCard(t *testing.T, a, b *secret.Card) bool {
	t.Helper()
	var x, y [secret.CardSize]byte
	return a.MarshalTo(x[:]) == nil && b.MarshalTo(y[:]) == nil && x == y
}

// pipe is a connection within the process, and both its ends.
func pipe(t *testing.T) (line, daemon *Conn) {
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	return NewConn(a, Line), NewConn(b, Daemon)
}

func TestTableCoversEveryKind(t *testing.T) {
	if len(messages) != len(kinds) {
		t.Errorf("%d messages in the test's table, %d kinds", len(messages), len(kinds))
	}
	for _, e := range messages {
		if byte(e.m.kind()) != e.kind {
			t.Errorf("%s has the number %d, want %d", e.m.kind(), byte(e.m.kind()), e.kind)
		}
	}
}

func TestEveryMessageCrosses(t *testing.T) {
	card, encoded := testCard(t)
	for _, e := range messages {
		t.Run(kind(e.kind).String(), func(t *testing.T) {
			line, daemon := pipe(t)
			from, to := line, daemon
			if kinds[kind(e.kind)].from == Daemon {
				from, to = daemon, line
			}
			_, isCard := e.m.(Card)
			want := frame(e.kind, []byte(e.payload))
			if isCard {
				want = frame(e.kind, cardPayload(e.payload, encoded))
			}
			var wire bytes.Buffer
			sent := make(chan error, 1)
			to.nc = &tee{Conn: to.nc, to: &wire}
			go func() {
				if isCard {
					sent <- from.SendCard(e.m.(Card), card)
				} else {
					sent <- from.Send(e.m)
				}
			}()
			got, gotCard, err := to.Receive()
			if refused, ok := e.m.(Refused); ok {
				if err != refused {
					t.Errorf("got %v, want the refusal as the error", err)
				}
			} else if err != nil || !reflect.DeepEqual(got, e.m) {
				t.Errorf("got %+v and %v, want %+v", got, err, e.m)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
			if (gotCard != nil) != isCard {
				t.Errorf("a card came: %v, want %v", gotCard != nil, isCard)
			}
			if gotCard != nil {
				if !sameCard(t, gotCard, card) {
					t.Error("card differs")
				}
				gotCard.Destroy()
			}
			if !bytes.Equal(wire.Bytes(), want) {
				t.Error("the bytes on the wire are not those of the table")
			}
		})
	}
}

// tee keeps what was read.
type tee struct {
	net.Conn
	to io.Writer
}

func (c *tee) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.to.Write(p[:n])
	return n, err
}

func TestWhatOneSideMayNotSend(t *testing.T) {
	line, daemon := pipe(t)
	if err := line.Send(Stored{}); err == nil {
		t.Error("a line sends stored")
	}
	if err := daemon.Send(State{}); err == nil {
		t.Error("flattoned sends state")
	}
	if err := line.Send(Card{}); err == nil {
		t.Error("a card went without its digits")
	}
	card, _ := testCard(t)
	if err := daemon.SendCard(Card{}, card); err == nil {
		t.Error("flattoned sends a card")
	}
	if err := line.Send(State{Reason: strings.Repeat("x", MaxPayload)}); err == nil {
		t.Error("a message longer than a frame went")
	}
	card.Destroy()
	if err := line.SendCard(Card{}, card); !errors.Is(err, secret.ErrDestroyed) {
		t.Errorf("a destroyed card: %v", err)
	}
	// None of these is the connection's fault: it is still good.
	go line.Send(Call{Edge: "call_began"})
	if m, _, err := daemon.Receive(); m != (Call{Edge: "call_began"}) {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestReceiveRefuses(t *testing.T) {
	_, encoded := testCard(t)
	meta := `{"Capture":"c","Profile":"card","Brand":"visa","Last4":"4242","ExpiryMonth":1,"ExpiryYear":2031}`
	notDigits := append([]byte(nil), encoded...)
	notDigits[1] = 'x'
	for name, test := range map[string]struct {
		bytes []byte
		err   error
	}{
		"nothing":                 {nil, io.EOF},
		"half a header":           {[]byte{0, 0, 0}, io.ErrUnexpectedEOF},
		"half a message":          {frame(21, []byte(`{"Edge":""}`))[:9], io.ErrUnexpectedEOF},
		"no payload":              {frame(21, nil), ErrProtocol},
		"an unknown kind":         {frame(99, nil), ErrProtocol},
		"kind zero":               {frame(0, []byte(`{}`)), ErrProtocol},
		"the wrong side's":        {frame(37, []byte(`{}`)), ErrProtocol},
		"a frame too long":        {append([]byte{0, 1, 0, 1, 21}, make([]byte, MaxPayload+1)...), ErrProtocol},
		"an endless frame":        {[]byte{255, 255, 255, 255, 21}, ErrProtocol},
		"an unknown field":        {frame(21, []byte(`{"Edge":"","Digit":1}`)), ErrProtocol},
		"a field of another type": {frame(21, []byte(`{"Edge":4242424242424242}`)), ErrProtocol},
		"two objects":             {frame(21, []byte(`{"Edge":""}{}`)), ErrProtocol},
		"null":                    {frame(21, []byte(`null`)), ErrProtocol},
		"a list":                  {frame(21, []byte(`[]`)), ErrProtocol},
		"a card without digits":   {frame(23, cardPayload(meta, nil)), ErrProtocol},
		"a card with more":        {frame(23, cardPayload(meta, append(encoded, 0))), ErrProtocol},
		"a card of letters":       {frame(23, cardPayload(meta, notDigits)), ErrProtocol},
		"a card of another kind":  {frame(23, cardPayload(`{"CVV":"1"}`, encoded)), ErrProtocol},
		"half a card":             {frame(23, cardPayload(meta, encoded))[:len(meta)+20], io.ErrUnexpectedEOF},
		"a card cut at its size":  {frame(23, cardPayload(meta, encoded))[:6], io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			m, card, err := readFrame(bytes.NewReader(test.bytes), Line)
			if m != nil || card != nil || !errors.Is(err, test.err) {
				t.Errorf("got a message %v, a card %v, error %v, want %v", m != nil, card != nil, err, test.err)
			}
			if err != nil && strings.Contains(err.Error(), "42424242") {
				t.Error("the error repeats what was sent")
			}
		})
	}
}

func TestGreetingIsReadLeniently(t *testing.T) {
	m, _, err := readFrame(bytes.NewReader(frame(1, []byte(`{"Line":"one","Min":1,"Max":9,"Colour":"red"}`))), Line)
	if want := (Hello{Line: "one", Min: 1, Max: 9}); err != nil || m != want {
		t.Errorf("got %+v, %v, want %+v", m, err, want)
	}
}

// exact fails the test if a reader that is offered a card's bytes has room for more than the card, which is what
// a buffered reader would have.
type exact struct {
	t    *testing.T
	r    *bytes.Reader
	size int64
}

func (e exact) Read(p []byte) (int, error) {
	rest := int64(e.r.Len())
	if at := e.size - rest; at < e.size-secret.CardSize && at+int64(len(p)) > e.size-secret.CardSize {
		e.t.Error("a read that began before the card would take digits with it")
	}
	return e.r.Read(p)
}

func TestDigitsAreReadByThemselves(t *testing.T) {
	_, encoded := testCard(t)
	f := frame(23, cardPayload(`{"Capture":"c"}`, encoded))
	_, card, err := readFrame(exact{t, bytes.NewReader(f), int64(len(f))}, Line)
	if err != nil {
		t.Fatal(err)
	}
	card.Destroy()
}

func TestConcurrentSendersKeepFramesWhole(t *testing.T) {
	line, daemon := pipe(t)
	card, _ := testCard(t)
	const senders, each = 8, 25
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				var err error
				if s == 0 {
					err = line.SendCard(Card{ExpiryMonth: i}, card)
				} else {
					err = line.Send(Answer{ID: uint64(s), Error: strings.Repeat("x", i)})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := [senders]int{}
	for range senders * each {
		m, got, err := daemon.Receive()
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case Card:
			if m.ExpiryMonth != next[0] || !sameCard(t, got, card) {
				t.Error("cards arrive out of order, or differ")
			}
			got.Destroy()
			next[0]++
		case Answer:
			if len(m.Error) != next[m.ID] {
				t.Errorf("sender %d: message %d arrives when %d is due", m.ID, len(m.Error), next[m.ID])
			}
			next[m.ID]++
		}
	}
	wg.Wait()
}

// TestStuckPeer: a peer who stops reading costs its senders WriteTimeout once, not once each.
func TestStuckPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, daemon := pipe(t)
		start := time.Now()
		for range 3 {
			if err := line.Send(Call{}); err == nil {
				t.Error("sent to a peer who doesn't read")
			}
			if waited := time.Since(start); waited != WriteTimeout {
				t.Errorf("waited %v in all, want %v", waited, WriteTimeout)
			}
		}
		if _, _, err := daemon.Receive(); err != io.EOF {
			t.Errorf("the peer sees %v, want the end", err)
		}
	})
}

func FuzzReceive(f *testing.F) {
	_, encoded := testCard(f)
	for _, e := range messages {
		payload := []byte(e.payload)
		if e.kind == byte(kindCard) {
			payload = cardPayload(e.payload, encoded)
		}
		f.Add(frame(e.kind, payload), true)
		f.Add(frame(e.kind, payload), false)
	}
	f.Fuzz(func(t *testing.T, stream []byte, fromLine bool) {
		from := Daemon
		if fromLine {
			from = Line
		}
		r := bytes.NewReader(stream)
		for {
			before := r.Len()
			m, card, err := readFrame(r, from)
			if err != nil {
				if m != nil || card != nil {
					t.Error("an error, and something beside it")
				}
				return
			}
			if _, isCard := m.(Card); isCard != (card != nil) {
				t.Error("cards and card messages belong together")
			}
			// What was understood says the same again.
			again, err := appendFrame(nil, m, from)
			if err != nil {
				t.Fatalf("%s can't be sent again: %v", m.kind(), err)
			}
			skip := headerSize
			if card != nil {
				skip += metaSize
				card.Destroy()
			}
			back, err := kinds[m.kind()].decode(again[skip:])
			if err != nil || !reflect.DeepEqual(back, m) {
				t.Errorf("%s differs when sent again: %v", m.kind(), err)
			}
			if took := before - r.Len(); took < headerSize || took > headerSize+MaxPayload {
				t.Errorf("a frame took %d bytes", took)
			}
			if !json.Valid(again[skip:]) {
				t.Error("what is sent is not JSON")
			}
		}
	})
}

// Whoever answers commands without knowing them must not overlook one.
func TestCommandsAreKnown(t *testing.T) {
	for _, message := range messages {
		id, is := CommandID(message.m)
		if want := strings.HasPrefix(message.payload, `{"ID":`) && kinds[message.m.kind()].from == Daemon; is != want || is && id == 0 {
			t.Errorf("%T is a command: %v, of ID %d", message.m, is, id)
		}
	}
}
