package wavline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/flattone/flattone/audio"
)

// clock is a line's clock: at Began it stood at Frame. It is what the clock file holds.
type clock struct {
	Began time.Time `json:"began"`
	Frame int64     `json:"frame"`
	// Released counts the recordings that were let go, where they wait for it.
	Released int `json:"released"`
	// PID is the process that owns the line.
	PID int `json:"pid"`
}

// at is the frame that the clock shows at a moment: less than Frame before Began, where a machine's clock that
// was set back may be.
func (c clock) at(now time.Time, rate audio.Rate, pace float64) int64 {
	return c.Frame + int64(now.Sub(c.Began).Seconds()*pace*float64(rate))
}

// due is the moment when the clock shows frame. It is always reckoned from Began, so that no rounding adds up.
func (c clock) due(frame int64, rate audio.Rate, pace float64) time.Time {
	return c.Began.Add(time.Duration(float64(rate.Duration(frame-c.Frame)) / pace))
}

// steady is the same clock, reckoned from a moment with a monotonic reading, so that from now on it isn't moved
// when somebody sets the machine's clock.
func (c clock) steady(now time.Time) clock {
	c.Began = now.Add(-now.Sub(c.Began))
	return c
}

// clockFile is where a clock outlives its process. No path, no memory.
type clockFile struct{ path string }

// load gives the zero clock if none was saved.
func (f *clockFile) load() (clock, error) {
	var c clock
	if f.path == "" {
		return c, nil
	}
	b, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("wavline: read the line's clock: %w", err)
	}
	if err := json.Unmarshal(b, &c); err != nil || c.Frame < 0 || c.Released < 0 {
		return clock{}, fmt.Errorf("wavline: %s is not a line's clock: remove it, and the line goes on where its output stopped", f.path)
	}
	return c, nil
}

// save replaces the file in one step: a reader finds the old clock or the new one, whole.
func (f *clockFile) save(c clock) error {
	if f.path == "" {
		return nil
	}
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("wavline: save the line's clock: %w", err)
	}
	if err := replace(f.path, append(b, '\n')); err != nil {
		return fmt.Errorf("wavline: save the line's clock: %w", err)
	}
	return nil
}

// replace writes a file beside path and puts it in its place.
func replace(path string, b []byte) (err error) {
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
