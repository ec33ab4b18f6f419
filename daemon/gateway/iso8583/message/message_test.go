package message

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// vectors are messages written by hand by the rules of ISO 8583:1987: part 4.4 for the bitmaps, where field n is bit n from the left; numbers are right-justified
// with zeros, letters left-justified with spaces, lengths in front of what varies.
var vectors = map[string]struct {
	form   Form
	mti    string
	fields []Field
	wire   string // hexadecimal; characters in quotes
}{
	"a sign-on in characters": {Form{}, "0800", []Field{{Number: 7, Text: "1127184102"}, {Number: 11, Text: "1"}, {Number: 41, Text: "TERM0001"}, {Number: 70, Text: "001"}},
		"003F '0800' '8220000000800000' '0400000000000000' '1127184102' '000001' 'TERM0001' '001'"},
	"a sign-on, packed": {Form{Packed: true}, "0800", []Field{{Number: 7, Text: "1127184102"}, {Number: 11, Text: "1"}, {Number: 41, Text: "TERM0001"}, {Number: 70, Text: "001"}},
		"0024 0800 8220000000800000 0400000000000000 1127184102 000001 'TERM0001' 0001"},
	"a sign-on, packed, by way of a TPDU": {Form{Packed: true, TPDU: "\x60\x00\x03\x00\x00"}, "0800", []Field{{Number: 7, Text: "1127184102"}, {Number: 11, Text: "1"}, {Number: 70, Text: "001"}},
		"0021 6000030000 0800 8220000000000000 0400000000000000 1127184102 000001 0001"},
	"a payment in characters": {Form{}, "0100", []Field{{Number: 2, Secret: []byte("4242424242424242")}, {Number: 3, Text: "000000"}, {Number: 4, Text: "1234"},
		{Number: 11, Text: "123456"}, {Number: 14, Secret: []byte("2912")}, {Number: 37, Text: "REF1"}, {Number: 48, Secret: []byte("9203123")}, {Number: 49, Text: "978"}},
		"005B '0100' '7024000008018000' '16' '4242424242424242' '000000' '000000001234' '123456' '2912' 'REF1        ' '007' '9203123' '978'"},
	"a payment, packed, with a number of 15 digits": {Form{Packed: true}, "0100", []Field{{Number: 2, Secret: []byte("378282246310005")}, {Number: 3, Text: "000000"},
		{Number: 4, Text: "1234"}, {Number: 14, Secret: []byte("2912")}, {Number: 22, Text: "012"}, {Number: 48, Secret: []byte("92041234")}, {Number: 49, Text: "978"}},
		"002C 0100 7004040000018000 15 0378282246310005 000000 000000001234 2912 0012 0008 '92041234' 0978"},
}

// wire reads the notation of [vectors].
func wire(t *testing.T, notation string) (b []byte) {
	t.Helper()
	for i, part := range strings.Split(notation, "'") {
		if i%2 == 1 {
			b = append(b, part...)
			continue
		}
		h, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, h...)
	}
	return b
}

// body takes a frame's length and TPDU off.
func body(t testing.TB, form Form, frame []byte) []byte {
	t.Helper()
	n, err := form.Length(frame[:LengthBytes])
	if err != nil || n != len(frame)-LengthBytes {
		t.Fatalf("a frame of %d bytes says it has %d behind its length: %v", len(frame), n, err)
	}
	b, err := form.Body(frame[LengthBytes:])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectors(t *testing.T) {
	for name, v := range vectors {
		want, page := wire(t, v.wire), make([]byte, 512)
		size, secrets, err := Encode(page, v.form, v.mti, v.fields...)
		if err != nil || !bytes.Equal(page[:size], want) {
			t.Errorf("%s: %x, %v\nwant %x", name, page[:size], err, want)
			continue
		}
		for _, f := range v.fields {
			if f.Secret == nil {
				continue
			}
			alone := make([]byte, 512) // its field ends a message of nothing else
			n, _, err := Encode(alone, v.form, v.mti, f)
			if err != nil || len(secrets) == 0 || !bytes.HasSuffix(alone[:n], page[secrets[0][0]:secrets[0][1]]) {
				t.Errorf("%s: field %d isn't where the secrets are said to be (%v)", name, f.Number, err)
				break
			}
			secrets = secrets[1:]
		}
		if len(secrets) > 0 {
			t.Errorf("%s: more is said to be secret", name)
		}
		m, err := Decode(v.form, body(t, v.form, want))
		if err != nil || m.Type != v.mti || len(m.values) != len(v.fields) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
		for _, f := range v.fields {
			room := make([]byte, 999)
			secret := room[:m.CopySecret(room, f.Number)]
			if f.Secret != nil && (!bytes.Equal(secret, f.Secret) || m.Text(f.Number) != "") {
				t.Errorf("%s: field %d is another one, or told", name, f.Number)
			}
			if f.Secret == nil && !strings.HasSuffix(m.Text(f.Number), f.Text) {
				t.Errorf("%s: field %d says %q, want %q", name, f.Number, m.Text(f.Number), f.Text)
			}
		}
	}
}

// TestWhatIsNoMessage: each is refused, for the reason it has, and the reason quotes nothing.
func TestWhatIsNoMessage(t *testing.T) {
	for name, c := range map[string]struct {
		packed       bool
		wire, reason string
	}{
		"nothing":                          {false, "", "its type ends beyond the message"},
		"a type of letters":                {false, "'08XX'", "its type has a character"},
		"a type that there isn't":          {false, "'0300' '0000000000000000'", "no message type"},
		"a version that isn't spoken":      {true, "1100 0000000000000000", "no message type"},
		"no bitmap":                        {false, "'0810'", "its bitmap ends beyond the message"},
		"half a bitmap":                    {true, "0810 22200000", "its bitmap ends beyond the message"},
		"a bitmap that isn't hexadecimal":  {false, "'0810' '22200000000000XX'", "its bitmap has a character"},
		"a bitmap in small letters":        {false, "'0810' '000000000a000000'", "its bitmap has a character"},
		"a second bitmap of nothing":       {true, "0810 8000000000000000 0000000000000000", "its bitmap is empty"},
		"a second bitmap that isn't there": {true, "0810 8000000000000000", "its bitmap ends beyond the message"},
		"an unknown field":                 {true, "0810 0000000000001000", "field 52 isn't in the table"},
		"a third bitmap":                   {true, "0810 8000000000000000 8000000000000000", "field 65 isn't in the table"},
		"a field that is cut off":          {false, "'0810' '0020000000000000' '12345'", "field 11 (systems trace audit number) ends beyond the message"},
		"a number with letters":            {false, "'0810' '0020000000000000' '12345X'", "field 11 (systems trace audit number) has a character"},
		"a packed number with letters":     {true, "0810 0020000000000000 12345A", "field 11 (systems trace audit number) has a character"},
		"one digit too many":               {true, "0810 0000000000008000 1978", "field 49 (currency of the amount) has a character"},
		"a PAN that is too long":           {false, "'0110' '4000000000000000' '20' '42424242424242424242'", "field 2 (primary account number) says it is longer"},
		"a PAN that is empty":              {false, "'0110' '4000000000000000' '00'", "field 2 (primary account number) is empty"},
		"a PAN that is cut off":            {true, "0110 4000000000000000 16 424242", "field 2 (primary account number) ends beyond the message"},
		"a length of letters":              {false, "'0110' '4000000000000000' 'A1' '4'", "field 2 (primary account number) has a character"},
		"a length that is cut off":         {true, "0110 0000000000010000 00", "field 48 (additional data, private) ends beyond the message"},
		"a bell in a text":                 {true, "0110 0000000000800000 '1234567' 07", "field 41 (terminal) has a character"},
		"more than its fields":             {true, "0810 0020000000000000 123456 42", "goes on for 1 bytes"},
	} {
		_, err := Decode(Form{Packed: c.packed}, wire(t, c.wire))
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.reason) || strings.Contains(err.Error(), "4242") {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
	}
}

func TestWhatCantBeSaid(t *testing.T) {
	for name, c := range map[string]struct {
		mti    string
		fields []Field
		reason string
	}{
		"a type that there isn't": {"0300", nil, "no message type"},
		"an unknown field":        {"0100", []Field{{Number: 35, Text: "1"}}, "field 35 isn't in the table"},
		"another order":           {"0100", []Field{{Number: 11, Text: "1"}, {Number: 3, Text: "1"}}, "field 3 comes after field 11"},
		"a field twice":           {"0100", []Field{{Number: 11, Text: "1"}, {Number: 11, Text: "1"}}, "field 11 comes after field 11"},
		"a PAN as a string":       {"0100", []Field{{Number: 2, Text: "4242424242424242"}}, "field 2 (primary account number) is secret"},
		"a secret where none is":  {"0100", []Field{{Number: 41, Secret: []byte("4242")}}, "field 41 (terminal) is secret"},
		"an empty field":          {"0100", []Field{{Number: 41}}, "field 41 (terminal) is empty"},
		"one that is too long":    {"0100", []Field{{Number: 11, Text: "1234567"}}, "field 11 (systems trace audit number) has room for 6"},
		"letters in a number":     {"0100", []Field{{Number: 4, Text: "12.34"}}, "field 4 (amount) has a character"},
		"more than there is room": {"0100", []Field{{Number: 120, Secret: nil, Text: strings.Repeat("x", 600)}}, "with room for 512"},
	} {
		if _, _, err := Encode(make([]byte, 512), Form{}, c.mti, c.fields...); !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
	}
}

func TestFrames(t *testing.T) {
	tpdu := Form{TPDU: "\x60\x00\x03\x00\x00"}
	for name, c := range map[string]struct {
		form Form
		head []byte
		good bool
	}{
		"no length":             {Form{}, nil, false},
		"half a length":         {Form{}, []byte{1}, false},
		"nothing":               {Form{}, []byte{0, 0}, false},
		"something":             {Form{}, []byte{0, 1}, true},
		"a TPDU and no message": {tpdu, []byte{0, 5}, false},
		"the longest":           {Form{}, []byte{0x0f, 0xfe}, true},
		"one more":              {Form{}, []byte{0x0f, 0xff}, false},
		"the longest there is":  {Form{}, []byte{0xff, 0xff}, false},
	} {
		if _, err := c.form.Length(c.head); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, rest := range []string{"", "\x60\x00\x00", "\x61\x00\x00\x00\x00\x08"} {
		if _, err := tpdu.Body([]byte(rest)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q as a TPDU: %v", rest, err)
		}
	}
	for _, form := range []Form{{TPDU: "\x60\x00"}, {TPDU: "\x61\x00\x00\x00\x00"}} {
		if form.Check() == nil {
			t.Errorf("%q is taken as a TPDU", form.TPDU)
		}
	}
	if err := errors.Join(tpdu.Check(), Form{}.Check()); err != nil {
		t.Error(err)
	}
}

// said are the fields of a message as Encode is told them.
func said(m Message) (fields []Field) {
	for number := range 129 {
		v, there := m.values[number]
		if !there {
			continue
		}
		c := m.characters(v, table[number].kind)
		if table[number].secret {
			fields = append(fields, Field{Number: number, Secret: c})
		} else {
			fields = append(fields, Field{Number: number, Text: string(c)})
		}
	}
	return fields
}

// TestWhatIsSaidIsRead: any message that can be written is read as what it says, in both forms.
func TestWhatIsSaidIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := Form{Packed: rapid.Bool().Draw(t, "packed")}
		var fields []Field
		for number := range 129 {
			s, known := table[number]
			if !known || !rapid.Bool().Draw(t, "there") {
				continue
			}
			from := map[kind]string{n: "[0-9]", an: "[0-9A-Za-z ]", ans: "[ -~]"}[s.kind]
			most := min(s.most, 40)
			least := 1
			if s.prefix == 0 {
				least, most = s.most, s.most
			}
			text := ""
			for range rapid.IntRange(least, most).Draw(t, "length") {
				text += rapid.StringMatching(from).Draw(t, "character")
			}
			if f := (Field{Number: number, Text: text}); s.secret {
				fields = append(fields, Field{Number: number, Secret: []byte(text)})
			} else {
				fields = append(fields, f)
			}
		}
		page := make([]byte, MostBytes)
		size, _, err := Encode(page, form, "0110", fields...)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Decode(form, page[LengthBytes:size])
		if err != nil {
			t.Fatal(err)
		}
		got := said(m)
		if len(got) != len(fields) {
			t.Fatalf("%d fields are read of %d", len(got), len(fields))
		}
		for i, f := range fields {
			if got[i].Number != f.Number || got[i].Text != f.Text || !bytes.Equal(got[i].Secret, f.Secret) {
				t.Errorf("field %d is another one", f.Number)
			}
		}
	})
}

// FuzzDecode: whatever comes is refused, or is what Encode writes, byte for byte.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors {
		page := make([]byte, 512)
		size, _, err := Encode(page, v.form, v.mti, v.fields...)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(v.form.Packed, body(f, v.form, page[:size]))
	}
	f.Fuzz(func(t *testing.T, packed bool, b []byte) {
		form := Form{Packed: packed}
		m, err := Decode(form, b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("refused for another reason: %v", err)
			}
			return
		}
		if len(b) > MostBytes-LengthBytes {
			return // no frame has so much
		}
		page := make([]byte, MostBytes)
		size, _, err := Encode(page, form, m.Type, said(m)...)
		if err != nil || !bytes.Equal(page[LengthBytes:size], b) {
			t.Errorf("it is written as %x (%v), and was %x", page[:size], err, b)
		}
	})
}
