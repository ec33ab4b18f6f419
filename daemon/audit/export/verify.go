package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/flattone/flattone/daemon/audit/merkle"
)

// maxLine bounds a line: far more than any entry has.
const maxLine = 4 << 20

// Report is what is known of a file.
type Report struct {
	Origin string `json:"origin"`
	Key    string `json:"key"`
	// Entries are good, from the first on; First and Last are the times of the first and the last of them.
	Entries int64     `json:"entries"`
	First   time.Time `json:"first,omitzero"`
	Last    time.Time `json:"last,omitzero"`
	// Held are vouched for by checkpoints that were kept elsewhere.
	Held int64 `json:"held"`
}

// errForm: a file isn't even the beginning of an export.
var errForm = errors.New("this is no export of an audit log: it doesn't begin with a header that can be read")

// Verify checks a file by a log's public key, or by the file's own if key is empty, and against checkpoints that were kept elsewhere. The first entry that isn't
// what was written is a [*merkle.Bad]; the report then says what is known of those before it.
func Verify(file io.Reader, key string, kept ...[]byte) (r Report, err error) {
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	var h Header
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &h) != nil || h.Format == 0 {
		return r, errors.Join(errForm, lines.Err())
	}
	if h.Format != format {
		return r, fmt.Errorf("the export has format %d, and this program reads %d: take one of the box's version", h.Format, format)
	}
	if key == "" {
		key = h.Key
	}
	by, err := note.NewVerifier(key)
	if err != nil {
		return r, fmt.Errorf("the log's public key can't be read: %w", err)
	}
	r.Origin, r.Key = by.Name(), key
	if h.Origin != by.Name() {
		return r, fmt.Errorf("the export is of the log %q, and the key of the log %q: take the key of that box", h.Origin, by.Name())
	}
	check, err := merkle.NewCheck(by, kept...)
	if err != nil {
		return r, err
	}
	err = r.entries(lines, h, check, by)
	r.Entries, r.Held = check.Good(), check.Held()
	return r, err
}

// line is one of an entry, or the last.
type line struct {
	Entry      json.RawMessage `json:"entry"`
	Sig        []byte          `json:"sig"`
	Checkpoint *string         `json:"checkpoint"`
}

// entries checks all lines after the header.
func (r *Report) entries(lines *bufio.Scanner, h Header, check *merkle.Check, by note.Verifier) error {
	for lines.Scan() {
		var l line
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil || d.InputOffset() != int64(len(lines.Bytes())) {
			return &merkle.Bad{Seq: check.Good(), Why: "isn't readable"}
		}
		if l.Checkpoint != nil {
			if lines.Scan() {
				return &merkle.Bad{Seq: check.Good(), Why: "was added after the last checkpoint"}
			}
			return end(*l.Checkpoint, h, check, by)
		}
		if err := check.Add(l.Entry, l.Sig); err != nil {
			return err
		}
		r.seen(l.Entry)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return &merkle.Bad{Seq: check.Good(), Why: "isn't readable: it is longer than any entry"}
	} else if err != nil {
		return err
	}
	return &merkle.Bad{Seq: check.Good(), Why: fmt.Sprintf("is missing, or the checkpoint at the end: the file is cut off, and was to have %d entries", h.Size)}
}

// seen keeps an entry's time.
func (r *Report) seen(entry []byte) {
	var e struct{ Time time.Time }
	if json.Unmarshal(entry, &e) != nil {
		return // it is signed, so whoever wrote it knew
	}
	if r.First.IsZero() {
		r.First = e.Time
	}
	r.Last = e.Time
}

// end checks the checkpoint at the file's end, and that none that was kept lies beyond it.
func end(checkpoint string, h Header, check *merkle.Check, by note.Verifier) error {
	if err := check.End(); err != nil {
		return err
	}
	if checkpoint == "" && check.Good() == 0 && h.Size == 0 {
		return nil
	}
	last, err := merkle.Open([]byte(checkpoint), by)
	is, rootErr := check.Tree().Checkpoint(by.Name())
	switch {
	case rootErr != nil:
		return rootErr
	case err == nil && last.Size > check.Good():
		return &merkle.Bad{Seq: check.Good(), Why: fmt.Sprintf("is missing: the checkpoint at the end counts %d entries", last.Size)}
	case h.Size > check.Good():
		return &merkle.Bad{Seq: check.Good(), Why: fmt.Sprintf("is missing: the box counted %d entries", h.Size)}
	case err != nil || last != is:
		return &merkle.Bad{Seq: check.Good(), Why: "would be next, and the checkpoint before it isn't that of the entries: it was changed"}
	}
	return nil
}
