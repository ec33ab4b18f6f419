package syslog

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/flattone/flattone/daemon/health"
)

// facility is daemon's (RFC 5424, 6.2.1).
const facility = 3

// severity is RFC 5424's of a change.
func severity(c health.Change) int {
	switch {
	case !c.Raised:
		return 6 // informational
	case c.Severity == health.Fault:
		return 3 // error
	case c.Severity == health.Warning:
		return 4
	}
	return 5 // notice
}

// longestText of a message bounds it far below what every receiver takes: 2048 bytes in all (RFC 5425, 4.3.1).
const longestText = 1024

// frame is a change as the receiver gets it: MSGID is its code. Of structured data there is only what the RFC itself defines, for other names take a
// number of the IANA's; all else is in the text, as words and then name="value".
func frame(c health.Change, host, version string, synced bool) []byte {
	if host == "" {
		host = "-"
	}
	isSynced := 0
	if synced {
		isSynced = 1
	}
	text := c.Words
	if !c.Raised {
		text = "over: " + text
	}
	for _, f := range [][2]string{{"severity", c.Severity.String()}, {"line", c.Line}, {"detail", c.Detail}, {"remedy", c.Remedy}} {
		if f[1] != "" {
			text += " " + f[0] + "=" + strconv.Quote(f[1])
		}
	}
	if len(text) > longestText {
		text = strings.ToValidUTF8(text[:longestText], "")
	}
	message := fmt.Sprintf(`<%d>1 %s %s flattoned %d %s [origin software="flattone" swVersion="%s"][timeQuality tzKnown="1" isSynced="%d"] %s`,
		facility*8+severity(c), c.Time.UTC().Format("2006-01-02T15:04:05.000000Z07:00"), name(host, 255), os.Getpid(), name(string(c.Code), 32),
		paramEscapes.Replace(clean(version)), isSynced, clean(text))
	return fmt.Appendf(nil, "%d %s", len(message), message)
}

// name is what may stand in a message's head: visible ASCII, so many bytes.
func name(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}

// paramEscapes are those of a value of structured data (RFC 5424, 6.3.3).
var paramEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`, `]`, `\]`)

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
