package audit

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/flattone/flattone/daemon/store"
)

// origin names the log in its checkpoints and its key.
const origin = "flattone-audit"

// storedHashes reads the tree's hashes from the table, at tlog's stored positions.
type storedHashes struct{ tx *store.Tx }

// ReadHashes implements tlog.HashReader.
func (s storedHashes) ReadHashes(positions []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(positions))
	for i, p := range positions {
		var h []byte
		err := s.tx.One([]any{&h}, "SELECT hash FROM audit_hash WHERE position = $1", p)
		if errors.Is(err, store.ErrNoRow) || err == nil && len(h) != tlog.HashSize {
			return nil, fmt.Errorf("%w: hash %d is missing", ErrTampered, p)
		}
		if err != nil {
			return nil, err
		}
		out[i] = tlog.Hash(h)
	}
	return out, nil
}

// memoryHashes are the tree's hashes recomputed from the entries.
type memoryHashes []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (m memoryHashes) ReadHashes(positions []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(positions))
	for i, p := range positions {
		if p < 0 || p >= int64(len(m)) {
			return nil, fmt.Errorf("hash %d lies beyond the tree", p)
		}
		out[i] = m[p]
	}
	return out, nil
}

// checkpointText is a C2SP tlog-checkpoint: origin, size, root.
func checkpointText(size int64, root tlog.Hash) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root[:]))
}

// openCheckpoint checks a checkpoint's signature and form.
func openCheckpoint(signed []byte, by note.Verifier) (tlog.Tree, error) {
	n, err := note.Open(signed, note.VerifierList(by))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("a checkpoint isn't signed by this log's key: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 3 {
		return tlog.Tree{}, errNoCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 {
		return tlog.Tree{}, errNoCheckpoint
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || n.Text != checkpointText(size, root) {
		return tlog.Tree{}, errNoCheckpoint
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

var errNoCheckpoint = errors.New("a signed note is no checkpoint of this kind of log")
