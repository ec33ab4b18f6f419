// Package export is the file by which the audit log leaves the box, and its check: JSON lines, a header first, then every entry with the signature it bears, and
// the newest checkpoint last.
//
//	{"flattone_audit":1,"origin":"flattone-audit/box","key":"flattone-audit/box+1f2e…","size":2,"exported":"…"}
//	{"entry":{"seq":0,…},"sig":"…"}
//	{"entry":{"seq":1,…},"sig":"…"}
//	{"checkpoint":"flattone-audit/box\n2\n…"}
//
// It exists so that an assessor checks a log where the box can't help and can't hinder: [Verify] needs the file and, to be worth more than the file's own
// word, the log's public key and a checkpoint that were kept elsewhere. It promises constant memory whatever the file's size. It reaches no box and no store.
package export

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"time"
)

// format is the number of this format.
const format = 1

// Header is a file's first line. Nothing vouches for it but what follows.
type Header struct {
	Format int `json:"flattone_audit"`
	// Origin names the log, Key is its public key, as the box says.
	Origin string `json:"origin"`
	Key    string `json:"key"`
	// Size is how many entries follow.
	Size     int64     `json:"size"`
	Exported time.Time `json:"exported"`
}

// Writer writes a file.
type Writer struct{ to *bufio.Writer }

// NewWriter begins a file.
func NewWriter(to io.Writer, h Header) (*Writer, error) {
	w := &Writer{bufio.NewWriterSize(to, 1<<16)}
	h.Format = format
	return w, w.line(h)
}

// Entry adds an entry as the log has it, byte for byte: one that was altered is for whoever checks to find.
func (w *Writer) Entry(body, sig []byte) error {
	line := append([]byte(`{"entry":`), body...)
	line = append(line, `,"sig":"`...)
	line = base64.StdEncoding.AppendEncode(line, sig)
	_, err := w.to.Write(append(line, '"', '}', '\n'))
	return err
}

// last is the last line.
type last struct {
	Checkpoint string `json:"checkpoint"`
}

// Close ends a file with the checkpoint of all of it. A log that is empty has none.
func (w *Writer) Close(checkpoint []byte) error {
	if err := w.line(last{string(checkpoint)}); err != nil {
		return err
	}
	return w.to.Flush()
}

func (w *Writer) line(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = w.to.Write(append(b, '\n'))
	}
	return err
}
