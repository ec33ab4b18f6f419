package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

func (t *tool) devicesCommand() *cobra.Command {
	c := t.withJSON(&cobra.Command{
		Use: "devices", Short: "the sound cards, their names, and who uses them", Long: wordsDevicesLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				list, err := box.Devices(c.Context())
				if err != nil {
					return err
				}
				return show(t, list, printDevices)
			})
		},
	})
	c.AddCommand(t.adoptCommand(), t.forgetCommand())
	return c
}

func (t *tool) adoptCommand() *cobra.Command {
	var file string
	var replace bool
	c := &cobra.Command{
		Use: "adopt NAME PLACE", Short: "give a sound card a name that lines can use", Long: wordsAdoptLong,
		Args: two("a name and the place of a sound card"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error { return t.adopt(c.Context(), box, file, args[0], args[1], replace) })
		},
	}
	configFlag(c, &file)
	c.Flags().BoolVar(&replace, "replace", false, "take the name from the card that has it")
	return c
}

// adopt writes down which card is in a place now.
func (t *tool) adopt(ctx context.Context, box *control.Client, file, name, place string, replace bool) error {
	adopted, err := adoptedBeside(file)
	if err != nil {
		return err
	}
	list, err := box.Devices(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(d control.Device) bool { return placeOf(d) == place && plugged(d) })
	if at < 0 {
		return fail(exitRefused, "flattone devices lists the places that have one", "there is no sound card in %s", place)
	}
	d := list[at]
	want := cardOf(d)
	had, again := adopted[name]
	switch owner := ownerOf(adopted, d); {
	case owner != "" && owner != name:
		return fail(exitRefused, "flattone devices forget "+owner+" first, if that is no longer so", "%s is the place of %s", place, owner)
	case again && !sameCard(had, want) && !replace:
		return fail(exitRefused, "--replace takes the name from it", "%s is %s (%s) in %s", name, had.Card, had.IDs, had.Place)
	case d.Free && (d.In == 0 || d.Out == 0):
		return fail(exitRefused, "name a card that captures and plays", "%s (%s) carries sound one way only", d.Card, place)
	}
	adopted[name] = want
	if err := adopted.Write(config.DevicesFile(file)); err != nil {
		return notWritten(err)
	}
	_, err = fmt.Fprintf(t.out, wordsAdopted+"\n", name, clean(d.Card), place)
	return err
}

func (t *tool) forgetCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "forget NAME", Short: "take a sound card's name away", Long: wordsForgetLong, Args: one("the name of a sound card"),
		RunE: func(_ *cobra.Command, args []string) error {
			adopted, err := adoptedBeside(file)
			if err != nil {
				return err
			}
			if _, known := adopted[args[0]]; !known {
				return fail(exitRefused, "the names are: "+strings.Join(slices.Sorted(maps.Keys(adopted)), ", "), "no sound card is called %s", args[0])
			}
			delete(adopted, args[0])
			if err := adopted.Write(config.DevicesFile(file)); err != nil {
				return notWritten(err)
			}
			_, err = fmt.Fprintf(t.out, wordsForgotten+"\n", args[0])
			return err
		},
	}
	configFlag(c, &file)
	return c
}

func configFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "config", defaultConfig, "the configuration, beside which the names are kept")
}

// adoptedBeside is what has been adopted beside a configuration, which must be there: else the names would be where nobody looks for them.
func adoptedBeside(file string) (config.Devices, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fail(exitFailed, "name the one that flattoned runs with: --config FILE", "there is no configuration: %w", err)
	}
	return config.LoadDevices(config.DevicesFile(file))
}

func notWritten(err error) error {
	hint := ""
	if errors.Is(err, fs.ErrPermission) {
		hint = "ask as root"
	}
	return fail(exitFailed, hint, "the name was not written down: %w", err)
}

// cardOf is what a card is known by from now on.
func cardOf(d control.Device) config.Device {
	return config.Device{Place: d.Place, IDs: d.IDs, Serial: d.Serial, PCM: d.PCM, Card: d.Card, Plugging: d.Plugging}
}

// placeOf is how a person names a device of a card: by the card's place, and the device's number if it isn't 0.
func placeOf(d control.Device) string {
	if d.PCM == 0 {
		return d.Place
	}
	return d.Place + "," + strconv.Itoa(d.PCM)
}

// plugged reports whether a card is there, rather than remembered.
func plugged(d control.Device) bool {
	return d.Place != "" && (d.Trouble == "" || d.Trouble == control.DeviceSwapped)
}

// ownerOf is the name that a place was given already, to whatever card.
func ownerOf(adopted config.Devices, d control.Device) string {
	for name, a := range adopted {
		if a.Place == d.Place && a.PCM == d.PCM {
			return name
		}
	}
	return ""
}

func sameCard(a, b config.Device) bool {
	a.Card, a.Plugging = b.Card, b.Plugging
	return a == b
}
