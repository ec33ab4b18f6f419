package dle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Format is one in which a modem can carry sound at 8 kHz, by its number for AT+VSM.
type Format struct {
	ID int
	Coding
}

// rate is the only one in which a line is worked.
const rate = 8000

// ParseFormat reads a line of the answer to AT+VSM=?, which is a number, a name, by V.253 then the bits of a sample and the distance of marks in time, and
// the rates:
//
//	1,"UNSIGNED PCM",8,0,(7200,8000),0,0
//	129,"16-BIT LINEAR",(7200,8000,11025)
//
// Numbers from 128 up are the maker's. So what the format is is known by its name.
func ParseFormat(line []byte) (Format, error) {
	fields := split(strings.TrimPrefix(string(line), "+VSM:"))
	fault := func(reason string) (Format, error) {
		return Format{}, fmt.Errorf("format %q: %s", line, reason)
	}
	if len(fields) < 3 {
		return fault("it isn't a number, a name and rates, with commas between")
	}
	id, err := strconv.ParseUint(strings.TrimSpace(fields[0]), 10, 16)
	if err != nil {
		return fault("it doesn't begin with a number")
	}
	bits, rates := 0, fields[2]
	if len(fields) >= 5 {
		if bits, err = strconv.Atoi(strings.TrimSpace(fields[2])); err != nil {
			return fault("the bits of a sample aren't a number")
		}
		rates = fields[4]
	}
	f := Format{ID: int(id)}
	if has(rates, rate) {
		f.Coding = coding(fields[1], bits)
	}
	return f, nil
}

// split cuts at the commas that are between neither parentheses nor quotes.
func split(text string) (fields []string) {
	from, inside, quoted := 0, false, false
	for i, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '(' || r == ')':
			inside = r == '('
		case r == ',' && !inside && !quoted:
			fields = append(fields, text[from:i])
			from = i + 1
		}
	}
	return append(fields, text[from:])
}

// has reports whether a list of values and ranges, such as (7200,8000-11025), has one.
func has(list string, value int) bool {
	for item := range strings.SplitSeq(strings.Trim(list, " ()"), ",") {
		low, high, isRange := strings.Cut(item, "-")
		if !isRange {
			high = low
		}
		least, err := strconv.Atoi(strings.TrimSpace(low))
		most, err2 := strconv.Atoi(strings.TrimSpace(high))
		if err == nil && err2 == nil && least <= value && value <= most {
			return true
		}
	}
	return false
}

// coding is what a format's name stands for; bits is 0 if only the name may say how many.
func coding(name string, bits int) Coding {
	name = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(name))
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
	}
	if bits == 0 {
		bits = 8
		if says("16") {
			bits = 16
		}
	}
	switch {
	case says("ADPCM", "CELP"):
		return Unusable
	case bits == 8 && says("ULAW", "G711U"):
		return Mu
	case bits == 8 && says("ALAW", "G711A"):
		return A
	case !says("LINEAR", "PCM"):
		return Unusable
	case bits == 8 && says("SIGNED") && !says("UNSIGNED"):
		return Signed8
	case bits == 8: // unsigned if it isn't said: Lucent's and US Robotics' are
		return Unsigned8
	case bits == 16 && !says("UNSIGNED"):
		return Signed16
	}
	return Unusable
}

// Best is the format that is heard best; of two that are the same, the first. It doesn't know the port: 16 bits want 230400 baud, where the baud is real.
func Best(formats []Format) (Format, bool) {
	var best Format
	for _, f := range formats {
		if f.Coding > best.Coding {
			best = f
		}
	}
	return best, best.Coding != Unusable
}
