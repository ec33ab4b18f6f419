package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// kind is the byte that names a message on the wire. Numbers are never used again for anything else.
type kind byte

const (
	kindHello   kind = 1
	kindWelcome kind = 2
	kindRefused kind = 3

	kindState   kind = 16
	kindMeters  kind = 17
	kindKey     kind = 18
	kindVerdict kind = 19
	kindWarning kind = 20
	kindCall    kind = 21
	kindAnswer  kind = 22
	kindCard    kind = 23
	kindCodec   kind = 24
	kindBar     kind = 25
	kindInput   kind = 26
	kindAsked   kind = 27
	kindSource  kind = 28
	kindRinging kind = 29

	kindTuning kind = 30
	kindTuned  kind = 31

	kindArm         kind = 32
	kindCancel      kind = 33
	kindMoreTime    kind = 34
	kindAcknowledge kind = 35
	kindStored      kind = 37
	kindNotStored   kind = 38
	kindCallTold    kind = 39
	kindTune        kind = 40
	kindAccepted    kind = 41
	kindPickUp      kind = 42
	kindCallOut     kind = 43
	kindHangUp      kind = 44
	kindTest        kind = 45
	kindAgain       kind = 46
	kindCover       kind = 47
	kindSpeak       kind = 48

	kindTesting   kind = 64
	kindRecording kind = 70
	kindCovered   kind = 65
)

// Side is one end of a connection.
type Side byte

// The two ends.
const (
	Line   Side = 1 // the line process, which dials
	Daemon Side = 2 // flattoned, which listens
)

func (s Side) String() string {
	if s == Line {
		return "line"
	}
	return "flattoned"
}

// entry is what there is to know of a kind.
type entry struct {
	name   string
	from   Side
	decode func([]byte) (Message, error)
}

// kinds is the protocol: encoder, decoder, tests and fuzz seeds all go by it.
var kinds = map[kind]entry{
	kindHello:   {"hello", Line, lenient[Hello]},
	kindWelcome: {"welcome", Daemon, lenient[Welcome]},
	kindRefused: {"refused", Daemon, lenient[Refused]},

	kindState:   {"state", Line, strict[State]},
	kindMeters:  {"meters", Line, strict[Meters]},
	kindKey:     {"key", Line, strict[Key]},
	kindVerdict: {"verdict", Line, strict[Verdict]},
	kindWarning: {"warning", Line, strict[Warning]},
	kindCall:    {"call", Line, strict[Call]},
	kindAnswer:  {"answer", Line, strict[Answer]},
	kindCard:    {"card", Line, strict[Card]},
	kindCodec:   {"codec", Line, strict[Codec]},
	kindBar:     {"bar", Line, strict[Bar]},
	kindInput:   {"input", Line, strict[Input]},
	kindAsked:   {"asked", Line, strict[Asked]},
	kindSource:  {"source", Line, strict[Source]},
	kindRinging: {"ringing", Line, strict[Ringing]},

	kindTuning: {"tuning", Line, strict[Tuning]},
	kindTuned:  {"tuned", Line, strict[Tuned]},

	kindTesting:   {"testing", Line, strict[Testing]},
	kindRecording: {"recording", Line, strict[Recording]},
	kindCovered:   {"covered", Line, strict[Covered]},

	kindArm:         {"arm", Daemon, strict[Arm]},
	kindCancel:      {"cancel", Daemon, strict[Cancel]},
	kindMoreTime:    {"more time", Daemon, strict[MoreTime]},
	kindAcknowledge: {"acknowledge", Daemon, strict[Acknowledge]},
	kindStored:      {"stored", Daemon, strict[Stored]},
	kindNotStored:   {"not stored", Daemon, strict[NotStored]},
	kindCallTold:    {"call told", Daemon, strict[CallTold]},
	kindTune:        {"tune", Daemon, strict[Tune]},
	kindAccepted:    {"accepted", Daemon, strict[Accepted]},
	kindPickUp:      {"pick up", Daemon, strict[PickUp]},
	kindCallOut:     {"call out", Daemon, strict[CallOut]},
	kindHangUp:      {"hang up", Daemon, strict[HangUp]},
	kindTest:        {"test", Daemon, strict[Test]},
	kindAgain:       {"again", Daemon, strict[Again]},
	kindCover:       {"cover", Daemon, strict[Cover]},
	kindSpeak:       {"speak", Daemon, strict[Speak]},
}

// since has the versions that kinds came with. All of the first version are there already.
var since = map[kind]int{}

// in reports a kind that a version doesn't have.
func (k kind) in(version int) error {
	if since[k] > version {
		return fmt.Errorf("a %s message, which came with version %d, when version %d is spoken", k, since[k], version)
	}
	return nil
}

func (Hello) kind() kind       { return kindHello }
func (Welcome) kind() kind     { return kindWelcome }
func (Refused) kind() kind     { return kindRefused }
func (State) kind() kind       { return kindState }
func (Meters) kind() kind      { return kindMeters }
func (Key) kind() kind         { return kindKey }
func (Verdict) kind() kind     { return kindVerdict }
func (Warning) kind() kind     { return kindWarning }
func (Call) kind() kind        { return kindCall }
func (Answer) kind() kind      { return kindAnswer }
func (Card) kind() kind        { return kindCard }
func (Codec) kind() kind       { return kindCodec }
func (Bar) kind() kind         { return kindBar }
func (Input) kind() kind       { return kindInput }
func (Asked) kind() kind       { return kindAsked }
func (Source) kind() kind      { return kindSource }
func (Ringing) kind() kind     { return kindRinging }
func (Arm) kind() kind         { return kindArm }
func (Cancel) kind() kind      { return kindCancel }
func (MoreTime) kind() kind    { return kindMoreTime }
func (Acknowledge) kind() kind { return kindAcknowledge }
func (Stored) kind() kind      { return kindStored }
func (NotStored) kind() kind   { return kindNotStored }
func (CallTold) kind() kind    { return kindCallTold }
func (PickUp) kind() kind      { return kindPickUp }
func (CallOut) kind() kind     { return kindCallOut }
func (HangUp) kind() kind      { return kindHangUp }
func (Tuning) kind() kind      { return kindTuning }
func (Tuned) kind() kind       { return kindTuned }
func (Tune) kind() kind        { return kindTune }
func (Test) kind() kind        { return kindTest }
func (Again) kind() kind       { return kindAgain }
func (Cover) kind() kind       { return kindCover }
func (Covered) kind() kind     { return kindCovered }
func (Speak) kind() kind       { return kindSpeak }
func (Testing) kind() kind     { return kindTesting }
func (Recording) kind() kind   { return kindRecording }
func (Accepted) kind() kind    { return kindAccepted }

func (k kind) String() string {
	if e, known := kinds[k]; known {
		return e.name
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// strict decodes a message of an agreed version: every field is known, and nothing follows it.
func strict[T Message](payload []byte) (Message, error) {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	m, err := object[T](payload, d.Decode)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON object")
	}
	return m, nil
}

// lenient decodes a message of any version.
func lenient[T Message](payload []byte) (Message, error) {
	return object[T](payload, func(m any) error { return json.Unmarshal(payload, m) })
}

func object[T Message](payload []byte, decode func(any) error) (Message, error) {
	if len(payload) == 0 || payload[0] != '{' {
		return nil, errors.New("not a JSON object") // null would pass for an empty one
	}
	var m T
	err := decode(&m)
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// The decoder's own text repeats the value.
		err = fmt.Errorf("the field %s is not of type %s", mismatch.Field, mismatch.Type)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}
