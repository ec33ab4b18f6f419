// Package wires is what modems put on the wire, byte for byte, and what it means: one table, which the packages that read these bytes and the simulator
// that writes them are both held to, so that they can't be wrong in the same way.
//
// It is data of the makers' manuals and of recordings of devices, not of our code, and imports none of it. Its callers' number is [Number]; its keys are
// nobody's.
package wires

import "iter"

// Number is who calls.
const Number = "5551234"

// What lines mean.
const (
	Ring     = "ring"
	CallerID = "caller_id" // the line has the Number
	Began    = "began"
	Ended    = "ended"
	Active   = "active" // of an answer to AT+CLCC: there is a call
	Key      = "key"
	Other    = "other"
)

// Results of commands.
const (
	OK         = "OK"
	Error      = "ERROR"
	Connect    = "CONNECT"
	NoCarrier  = "NO CARRIER"
	Busy       = "BUSY"
	NoAnswer   = "NO ANSWER"
	NoDialtone = "NO DIALTONE"
	NoResult   = "no result"
)

// Results are lines with the result that each of them is.
var Results = []struct{ Line, Result string }{
	{"OK", OK},
	{"ERROR", Error},
	{"+CME ERROR: 30", Error},
	{"+CME ERROR: no network service", Error},
	{"+CMS ERROR: 500", Error},
	{"COMMAND NOT SUPPORT", Error},
	{"CONNECT", Connect},
	{"CONNECT 115200", Connect},
	{"NO CARRIER", NoCarrier},
	{"BUSY", Busy},
	{"NO ANSWER", NoAnswer},
	{"NO DIALTONE", NoDialtone},
	{"NO DIAL TONE", NoDialtone},

	{"OKAY", NoResult},
	{"ok", NoResult},
	{"OK OK", NoResult},
	{"ERRORS: 0", NoResult},
	{"+CME ERRORS", NoResult},
	{"CONNECTED", NoResult},
	{"NO", NoResult},
	{"NOCARRIER", NoResult},
	{"BUSY LINE", NoResult},
	{"RING", NoResult},
	{"VOICE CALL: BEGIN", NoResult},
	{`+CLIP: "ERROR",129`, NoResult},
	{"AT+CMEE=1", NoResult},
}

// Makes of modems.
const (
	Quectel = "quectel"
	SIMCom  = "simcom"
	Huawei  = "huawei"
	V253    = "v253"
)

// Unasked are lines that modems say unasked, or in answer to AT+CLCC.
var Unasked = []struct{ Make, Means, Line string }{
	{Quectel, Ring, `RING`},
	{Quectel, CallerID, `+CLIP: "5551234",129,,,,0`},
	{Quectel, Other, `^DSCI: 1,1,4,0,5551234,129`}, // comes in
	{Quectel, Other, `^DSCI: 1,0,2,0,5551234,129`}, // goes out
	{Quectel, Began, `^DSCI: 1,1,3,0,5551234,129`},
	{Quectel, Began, `^DSCI: 1,0,3,0,5551234,129`},
	{Quectel, Ended, `^DSCI: 1,1,6,0,5551234,129`},
	{Quectel, Ended, `^DSCI: 2,0,6,0,"",128`},
	{Quectel, Ended, `NO CARRIER`},
	{Quectel, Key, `+QTONEDET: 56`}, // in ASCII
	{Quectel, Active, `+CLCC: 1,1,0,0,0,"5551234",129`},
	{Quectel, Other, `+CLCC: 1,1,4,0,0,"5551234",129`}, // comes in
	{Quectel, Other, `+CLCC: 1,0,0,1,0,"",128`},        // LTE's own: data
	{Quectel, Other, `+QIND: "csq",31,99`},
	{Quectel, Other, `RDY`},

	{SIMCom, Ring, `RING`},
	{SIMCom, CallerID, `+CLIP: "5551234",129,,,,0`},
	{SIMCom, Began, `VOICE CALL: BEGIN`},
	{SIMCom, Ended, `VOICE CALL: END`},
	{SIMCom, Ended, `VOICE CALL: END: 000003`},
	{SIMCom, Ended, `NO CARRIER`},
	{SIMCom, Key, `+RXDTMF: 8`},
	{SIMCom, Active, `+CLCC: 1,1,0,0,0,"5551234",129`},
	{SIMCom, Other, `+CLCC: 1,1,4,0,0,"5551234",129`},
	{SIMCom, Other, `+CLCC: 1,1,6,0,0,"5551234",129`}, // is over
	{SIMCom, Other, `MISSED_CALL: 08:48AM 5551234`},
	{SIMCom, Other, `PB DONE`},
	{SIMCom, Other, `+CNSMOD: 8`}, // another network

	{Huawei, Ring, `RING`},
	{Huawei, CallerID, `+CLIP: "5551234",129,,,,0`},
	{Huawei, CallerID, `+CLIP:"5551234",129,,,,0`},
	{Huawei, Other, `^ORIG:1,0`},
	{Huawei, Other, `^CONF:1`},
	{Huawei, Began, `^CONN:1,0`},
	{Huawei, Ended, `^CEND:1,3,29,16`},
	{Huawei, Ended, `NO CARRIER`},
	{Huawei, Active, `+CLCC: 1,1,0,0,0,"5551234",129`},
	{Huawei, Other, `+CLCC: 1,1,4,0,0,"5551234",129`},
	{Huawei, Other, `^RSSI:18`},
	{Huawei, Other, `^BOOT:12345678,0,0,0,73`},

	{V253, Ring, `RING`},
	{V253, Other, `DATE = 0101`},
	{V253, Other, `TIME = 1200`},
	{V253, CallerID, `NMBR = 5551234`},
	{V253, CallerID, `NMBR=5551234`},
	{V253, Other, `NAME = A CALLER`},
	{V253, Other, `DRON=20`},
}

// Cuts are the ways in which some bytes may come: all at once, each alone, and in two pieces, cut at every place.
func Cuts(wire string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		alone := make([]string, len(wire))
		for i := range alone {
			alone[i] = wire[i : i+1]
		}
		if !yield([]string{wire}) || !yield(alone) {
			return
		}
		for i := range len(wire) + 1 {
			if !yield([]string{wire[:i], wire[i:]}) {
				return
			}
		}
	}
}
