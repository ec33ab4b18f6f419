package line

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/flattone/flattone/hw/sound"
)

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
