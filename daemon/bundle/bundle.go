// Package bundle writes what a supporter is to be sent: texts in one archive, of which every one was scrubbed of what could be a card.
//
// It exists so that a bundle can be sent by mail without a thought. It promises that nothing gets into the archive but through [Scrub], names
// of files included: [Bundle.Add] is the only way in; and that what was taken out is counted, so that a reader knows of it. It errs on the side of taking out.
//
// It must never open a file that holds a secret: whoever adds to a bundle names texts, not files.
package bundle

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"github.com/flattone/flattone/daemon/private"
)

// Entry is what is in a bundle.
type Entry struct {
	Name string `json:"name"`
	What string `json:"what"`
	Size int    `json:"size"`
	// Taken counts what was taken out.
	Taken int `json:"taken"`
}

// Bundle is an archive that is being written. It isn't there until [Bundle.Close].
type Bundle struct {
	path    string
	now     time.Time
	entries []Entry
	texts   [][]byte
}

// New begins a bundle. A file that is there is left as it is: Close says so.
func New(path string, now time.Time) *Bundle { return &Bundle{path: path, now: now} }

// Add adds a text.
func (b *Bundle) Add(name, what string, text []byte) {
	clean, taken := Scrub(text)
	scrubbed, _ := Scrub([]byte(name))
	b.entries = append(b.entries, Entry{path.Clean("/" + string(scrubbed))[1:], what, len(clean), taken})
	b.texts = append(b.texts, clean)
}

// Entries are what there is so far.
func (b *Bundle) Entries() []Entry { return b.entries }

// Close writes the archive, whole or not at all.
func (b *Bundle) Close() error {
	var archive sink
	zip := gzip.NewWriter(&archive)
	tape := tar.NewWriter(zip)
	for i, e := range b.entries {
		if clean, taken := Scrub(b.texts[i]); taken > 0 || string(clean) != string(b.texts[i]) {
			return fmt.Errorf("%s can't be scrubbed: it is not written, and neither is the bundle", e.Name)
		}
		err := tape.WriteHeader(&tar.Header{Name: "flattone-support/" + e.Name, Mode: 0o600, Size: int64(len(b.texts[i])), ModTime: b.now, Format: tar.FormatPAX})
		if err == nil {
			_, err = tape.Write(b.texts[i])
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", e.Name, err)
		}
	}
	if err := errors.Join(tape.Close(), zip.Close()); err != nil {
		return err
	}
	if err := private.Create(b.path, archive); err != nil {
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%s is there already, and is left as it is: %w", b.path, err)
		}
		return fmt.Errorf("write the bundle: %w", err)
	}
	return nil
}

// sink is memory that is written to.
type sink []byte

// Write never fails.
func (s *sink) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}
