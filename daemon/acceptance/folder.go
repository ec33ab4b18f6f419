package acceptance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flattone/flattone/daemon/private"
)

// Folder is where flattoned keeps the last report of each line: a file LINE.json, of mode 0600.
type Folder struct{ path string }

// kind is what such a file looks like.
var kind = private.Kind{Shortest: 2, Longest: 1 << 16, Missing: "make one with: flattone tune LINE",
	Exposed: "chmod 600 it, and tune the line again: others could have written it"}

// In is the folder of a state folder. It is made with the first report.
func In(stateDir string) Folder { return Folder{filepath.Join(stateDir, "acceptance")} }

// file is a line's. Names of lines are plain: see daemon/config.
func (f Folder) file(line string) string { return filepath.Join(f.path, line+".json") }

// Keep replaces a line's report. It is whole and durable when Keep returns, or the one before is still there.
func (f Folder) Keep(r Report) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("keep a line's acceptance: %w", err)
	}
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return fmt.Errorf("keep a line's acceptance: %w", err)
	}
	if err := private.Replace(f.file(r.Line), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep a line's acceptance: %w", err)
	}
	return nil
}

// Last is a line's report. ErrNone if it has none; a file that others could have written, or that is damaged, is an error too.
func (f Folder) Last(line string) (r Report, err error) {
	text, err := kind.Read(f.file(line))
	if errors.Is(err, fs.ErrNotExist) {
		return r, ErrNone
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err == nil && r.Line != line {
		err = fmt.Errorf("it is of line %q", r.Line)
	}
	if err != nil {
		return Report{}, fmt.Errorf("read the acceptance of line %s: %w", line, err)
	}
	return r, nil
}

// ErrNone: the line was never tuned.
var ErrNone = errors.New("the line was never tuned")
