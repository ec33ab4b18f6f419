package merkle

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is what a signature speaks of: the first Size entries of the log Origin have the tree hash Root.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// Checkpoint is the tree's, as origin's log.
func (t *Tree) Checkpoint(origin string) (Checkpoint, error) {
	root, err := t.Root()
	return Checkpoint{origin, t.size, root}, err
}

// Text is what is signed: a C2SP tlog-checkpoint.
func (c Checkpoint) Text() []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// Note is the checkpoint with its signature, which by made: a signed note, as [Open] reads it.
func (c Checkpoint) Note(by note.Verifier, sig []byte) []byte {
	id := binary.BigEndian.AppendUint32(nil, by.KeyHash())
	return fmt.Appendf(c.Text(), "\n— %s %s\n", by.Name(), base64.StdEncoding.EncodeToString(append(id, sig...)))
}

// Errors of a note.
var (
	errForeign      = errors.New("a checkpoint isn't signed by this log's key")
	errNoCheckpoint = errors.New("a signed note is no checkpoint of this log")
)

// Open reads a signed checkpoint of the log of by's name, whose signature must be by's.
func Open(signed []byte, by note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(by))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", errForeign, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 3 || lines[0] != by.Name() {
		return Checkpoint{}, errNoCheckpoint
	}
	c := Checkpoint{Origin: lines[0]}
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 1 {
		return Checkpoint{}, errNoCheckpoint
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil || n.Text != string(c.Text()) {
		return Checkpoint{}, errNoCheckpoint
	}
	return c, nil
}

// maxNotes bounds a file of checkpoints: one every minute for three years.
const maxNotes = 512 << 20

// ReadNotes reads signed notes that stand one after another, as a file of checkpoints has them.
func ReadNotes(r io.Reader) (notes [][]byte, err error) {
	var one bytes.Buffer
	lines := bufio.NewScanner(io.LimitReader(r, maxNotes))
	for lines.Scan() {
		if one.Len() == 0 && len(lines.Bytes()) == 0 {
			continue
		}
		one.Write(lines.Bytes())
		one.WriteByte('\n')
		if bytes.HasPrefix(lines.Bytes(), []byte("— ")) {
			notes = append(notes, bytes.Clone(one.Bytes()))
			one.Reset()
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if one.Len() > 0 {
		return nil, errors.New("the last checkpoint has no signature: it was cut off")
	}
	return notes, nil
}
