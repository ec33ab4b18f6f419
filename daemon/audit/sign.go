package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// Sign makes a statement a signed note of this log's key, in the form of its checkpoints. The text ends with a newline, and is no checkpoint.
func (l *Log) Sign(text string) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: text}, l.signer)
	if err != nil {
		return nil, fmt.Errorf("audit: sign a statement: %w", err)
	}
	return signed, nil
}
