package pty

import (
	"fmt"
	"io"
	"strings"
)

// Turn is a prompt, or a part of one, and what a person types at it.
type Turn [2]string

// Converse is a person at a terminal who types each thing once its prompt has come: a line without an end that ends with ": " or "] ". At any other prompt
// he is lost, and whoever made the terminal is told so. When the program has closed its end, Converse answers with all that was shown, and with what was
// never asked for.
func Converse(person io.ReadWriter, script []Turn, lost func()) (shown string, unasked []Turn) {
	var all strings.Builder
	typed, buf := 0, make([]byte, 4096)
	for {
		n, err := person.Read(buf)
		all.Write(buf[:n])
		if err != nil { // EIO
			return strings.ReplaceAll(all.String(), "\r\n", "\n"), script
		}
		prompt := all.String()[typed:]
		if prompt = prompt[strings.LastIndexByte(prompt, '\n')+1:]; !strings.HasSuffix(prompt, ": ") && !strings.HasSuffix(prompt, "] ") {
			continue
		}
		if len(script) == 0 || !strings.Contains(prompt, script[0][0]) {
			lost()
			continue
		}
		typed = all.Len()
		fmt.Fprintln(person, script[0][1])
		script = script[1:]
	}
}
