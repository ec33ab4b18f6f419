package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/hw/sound"
)

// NewOnceThere is New, which waits for sound devices that aren't there, until ctx ends: it is then nil, without an error. A device that was pulled
// out is no reason for a process to begin and end over and over.
func NewOnceThere(ctx context.Context, cfg *config.Config, name string, deps Deps) (*Line, error) {
	for told := ""; ctx.Err() == nil; sound.Change(ctx) {
		l, err := New(cfg, name, deps)
		if !errors.Is(err, sound.ErrAbsent) {
			return l, err
		}
		if err.Error() != told {
			told = err.Error()
			deps.Log.Warn("the line waits for a sound device", "error", err)
		}
	}
	return nil, nil
}

// Devices lists the sound devices of this machine, by the names that a config uses. One that a line or another program plays on is not
// among them.
func Devices(to io.Writer) error {
	list, err := sound.Devices()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("there is no sound device: plug one in, end the program that plays on it, or look who may open /dev/snd")
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tCHANNELS IN\tOUT\tUSUAL RATE")
	for _, d := range list {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d Hz\n", d.Name, d.In, d.Out, d.Rate)
	}
	return w.Flush()
}
