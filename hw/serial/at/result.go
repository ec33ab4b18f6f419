package at

// Result is how a command ended.
type Result uint8

// The results. NoCarrier and those behind it are also said unasked, of a call.
const (
	None Result = iota // the line is no result
	OK
	Error
	Connect // from here on the port carries sound
	NoCarrier
	Busy
	NoAnswer
	NoDialtone
)

// results are the lines that say so, each alone.
var results = [...]string{OK: "OK", Error: "ERROR", Connect: "CONNECT", NoCarrier: "NO CARRIER", Busy: "BUSY", NoAnswer: "NO ANSWER",
	NoDialtone: "NO DIALTONE"}

// others are lines that say the same, with more behind it or in another way.
var others = [...]struct {
	pattern string
	Result
}{
	{"+CME ERROR", Error}, // TS 27.007, with a number or in words
	{"+CMS ERROR", Error},
	{"COMMAND NOT SUPPORT", Error}, // Huawei's dongles, of commands they don't know
	{"CONNECT", Connect},           // with a rate
	{"NO DIAL TONE", NoDialtone},
}

// Parse tells which result a line is.
func Parse(line []byte) Result {
	for r := OK; int(r) < len(results); r++ {
		if string(line) == results[r] {
			return r
		}
	}
	for _, o := range others {
		if Match(line, o.pattern) {
			return o.Result
		}
	}
	return None
}

func (r Result) String() string {
	if r == None || int(r) >= len(results) {
		return "no result"
	}
	return results[r]
}
