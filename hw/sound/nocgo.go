//go:build !cgo

package sound

import (
	"context"
	"errors"

	"github.com/flattone/flattone/hw"
)

// errWithout is all that a program without C can do: the demonstration is built so, to need no library and no compiler.
var errWithout = errors.New("sound: this program was built without sound devices: use one that make build made")

// Open fails.
func Open(cfg Config) (*hw.Line, error) { return nil, errors.Join(cfg.validate(), errWithout) }

// Devices fails.
func Devices() ([]Device, error) { return nil, errWithout }

// Monitors fails.
func Monitors([]string) ([]Monitor, error) { return nil, errWithout }

// WatchMonitors tells that it can't.
func WatchMonitors(_ context.Context, _ []string, tell func([]Monitor, error)) { tell(nil, errWithout) }
