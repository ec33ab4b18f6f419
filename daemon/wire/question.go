package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
)

// Question is what `flattone-line --answer` is asked on its standard input, one line of JSON, and answers on its standard output with [Found]. It is no
// message. It asks for exactly one thing.
type Question struct {
	// Devices asks for the sound devices.
	Devices bool `json:"devices,omitempty"`
	// Probe is the port of the modem that is to be asked what it is.
	Probe string `json:"probe,omitempty"`
}

// Found is the answer: one of them.
type Found struct {
	Devices []Device `json:"devices,omitempty"`
	Modem   *Modem   `json:"modem,omitempty"`
	// Error is why it could not be found out.
	Error string `json:"error,omitempty"`
}

// mostQuestion bounds a question, in bytes; the longest path of a port is far shorter.
const mostQuestion = 512

// ReadQuestion reads one line, and nothing after it is looked at.
func ReadQuestion(r io.Reader) (Question, error) {
	var q Question
	line, err := readLine(r)
	if err != nil {
		return q, fmt.Errorf("read the question: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return Question{}, fmt.Errorf("read the question: %w; is who asks of this version?", err)
	}
	if d.More() {
		return Question{}, errors.New("read the question: there is more than one on its line")
	}
	if err := q.Judge(); err != nil {
		return Question{}, err
	}
	return q, nil
}

// readLine reads byte by byte, as a line has no end in sight: what follows it is somebody else's.
func readLine(r io.Reader) ([]byte, error) {
	var line []byte
	for one := make([]byte, 1); len(line) < mostQuestion; {
		if _, err := io.ReadFull(r, one); err != nil {
			return nil, err
		}
		if one[0] == '\n' {
			return line, nil
		}
		line = append(line, one[0])
	}
	return nil, fmt.Errorf("it is longer than %d bytes", mostQuestion)
}

// Judge says what is wrong with a question.
func (q Question) Judge() error {
	switch {
	case q.Devices == (q.Probe != ""):
		return errors.New("a question asks for one thing: the devices, or the modem at a port")
	case q.Devices:
		return nil
	case !strings.HasPrefix(q.Probe, "/dev/") || path.Clean(q.Probe) != q.Probe || strings.ContainsFunc(q.Probe, unicode.IsControl):
		return fmt.Errorf("%q is no port: write the path of a device, such as /dev/ttyUSB2", q.Probe)
	}
	return nil
}
