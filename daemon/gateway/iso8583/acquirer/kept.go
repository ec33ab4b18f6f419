package acquirer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Keep has what he is asked for be written to a file before he books it, a line each: for an acquirer in a process of its own, where a kill is an answer lost, or a
// question unheard. Call it before he serves anybody.
func (a *Acquirer) Keep(to io.Writer) { a.journal = to }

// Recall books what a file has, of whole lines, for who goes on with it or only looks.
func (a *Acquirer) Recall(kept []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for line := range bytes.Lines(kept) {
		var q request
		if err := json.Unmarshal(line, &q); err != nil {
			return fmt.Errorf("acquirer: the books: %w", err)
		}
		a.book(q)
	}
	return nil
}

// keep writes what is to be booked. The caller holds mu.
func (a *Acquirer) keep(q request) {
	if a.journal == nil {
		return
	}
	b, err := json.Marshal(q)
	if err == nil {
		_, err = a.journal.Write(append(b, '\n'))
	}
	if err != nil {
		panic(fmt.Sprintf("acquirer: the books can't be kept: %v", err))
	}
}
