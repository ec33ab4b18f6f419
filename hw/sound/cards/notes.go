package cards

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Notes is a folder with a note for each adopted card that was opened: on which plugging, and whether it had a twin.
//
// Two cards that are alike are known by their ports alone. When one of them is pulled out and plugged in while the machine runs, a cable is in
// somebody's hand: the other may have been pulled out too, and put in the wrong port. So a twin is good for the plugging on which it was first
// opened, and for one on which its owner adopted it; on any other it counts as swapped.
//
//	opened ──same plugging──▶ good
//	   │                       ▲
//	another plugging           │ adopted on this plugging, or no twin known
//	   └───────────────────────┴──── else ──▶ ErrSwapped
//
// What was plugged in while the machine was off can't be known: a note of another boot counts for nothing.
type Notes string

// twinned is the word in a note that there was a twin.
const twinned = "twin"

// Judge says whether an adopted card that was found may have been swapped with its twin. If it hasn't, the note is what to write once it is open.
func (n Notes) Judge(known Known, name string, c Card, list []Card) (note string, err error) {
	text, err := os.ReadFile(n.file(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("look whether %s was swapped: %w", name, err)
	}
	before, had, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	twin := known.twin(c.Identity, list)
	if boot(before) == boot(c.Plugging) {
		twin = twin || had == twinned
		if twin && before != c.Plugging && known[name].Plugging != c.Plugging {
			return "", fmt.Errorf("%w: %s (%s) was plugged in anew, and another card like it may be in its place now: follow the cable of each, "+
				"and say that they are right with flattone devices adopt %s %s", ErrSwapped, name, c.kind(), name, c.Place)
		}
	}
	if twin {
		return c.Plugging + " " + twinned, nil
	}
	return c.Plugging, nil
}

// boot is the part of a plugging that tells one boot of the machine from the next.
func boot(plugging string) string {
	id, _, _ := strings.Cut(plugging, "/")
	return id
}

// Write writes the note of a card that is open now.
func (n Notes) Write(name, note string) error {
	file := n.file(name)
	err := os.WriteFile(file+".new", []byte(note+"\n"), 0o600)
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return fmt.Errorf("note which card %s is: %w", name, err)
	}
	return nil
}

func (n Notes) file(name string) string { return filepath.Join(string(n), name+".plugged") }
