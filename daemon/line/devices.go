package line

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"text/tabwriter"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/hw/sound"
)

// Await returns once the devices of a sound line are there, or ctx ends. A device that isn't, because it was pulled out, is no reason for a process to
// begin and end over and over.
func Await(ctx context.Context, l config.Line, log *slog.Logger) error {
	for told := ""; ctx.Err() == nil; sound.Change(ctx) {
		list, err := sound.Devices()
		if err != nil {
			return err
		}
		missing := slices.DeleteFunc([]string{l.Sound.Caller, l.Sound.Agent}, func(name string) bool {
			return slices.ContainsFunc(list, func(d sound.Device) bool { return d.Name == name })
		})
		if len(missing) == 0 {
			return nil
		}
		if missing[0] != told {
			told = missing[0]
			log.Warn("the line waits for a sound device: plug it in, or end the program that plays on it", "device", told)
		}
	}
	return nil
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
