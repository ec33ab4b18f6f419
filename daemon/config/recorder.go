package config

import (
	"path/filepath"
	"time"
)

// Recorder is where a line's calls are recorded as the agent's side hears and says them.
type Recorder struct {
	Folder string
	// Most is how long a file may be.
	Most time.Duration
}

// usualRecorder is what an empty table stands for. The folder lies where the package lets a line's process write.
func usualRecorder() *Recorder {
	return &Recorder{Folder: "/var/lib/flattone-line/recordings", Most: time.Hour}
}

func (t *table) recorder(r *Recorder) {
	t.file("folder", &r.Folder)
	t.period("most_minutes", &r.Most, time.Minute, 1, 300) // at 48 kHz, 4 GiB are reached after 372
}

// recorder judges where a line's recordings go: not where the box keeps what is its own.
func (j judgement) recorder(path string, r *Recorder) {
	if r == nil || !j.sound(path, "folder") {
		return
	}
	folder := filepath.Clean(r.Folder)
	if folder == filepath.Clean(j.c.StateDir) || folder == filepath.Clean(j.c.RuntimeDir) {
		j.table(path).fault("folder", "is the folder that the box itself works in", "name another, which flattone-line may write to")
	}
}
