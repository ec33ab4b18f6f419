package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/control"
)

func printDevices(w io.Writer, list []control.Device) {
	if len(list) == 0 {
		fmt.Fprintln(w, "there is no sound device: plug one in, or look who may open /dev/snd")
		return
	}
	table(w, []string{"NAME", "CARD", "IDS", "IN", "OUT", "KHZ", "LINE"}, list, func(d control.Device) (row []string, below string) {
		in, out := "-", "-"
		if d.Free {
			in, out = strconv.Itoa(d.In), strconv.Itoa(d.Out)
		}
		var rates, lines []string
		for _, r := range d.Rates {
			rates = append(rates, strconv.FormatFloat(float64(r)/1000, 'f', -1, 64))
		}
		for _, u := range d.Uses {
			lines = append(lines, u.Line+" "+u.Side)
		}
		row = []string{d.Name, d.Card, d.IDs, in, out, strings.Join(rates, " "), strings.Join(lines, ", ")}
		for i := range row {
			row[i] = cmp.Or(row[i], "-")
		}
		return row, deviceNow(d)
	})
}

// deviceNow is where a device is, and what is to be done about it.
func deviceNow(d control.Device) string {
	where := placeOf(d)
	if d.Serial != "" {
		where += ", serial number " + d.Serial
	}
	plays := slices.IndexFunc(d.Uses, func(u control.Use) bool { return u.Plays })
	now := ""
	switch {
	case d.Trouble != "":
		now = reason(d.Trouble) + deviceRemedy(d)
	case !d.Free && plays >= 0:
		now = "in use by line " + d.Uses[plays].Line
	case !d.Free:
		now = "another program plays on it, or it can't be opened"
	case d.Place == "":
		now = "no card: what ALSA or JACK call so"
	case d.In == 0 || d.Out == 0:
		now = "carries sound one way only"
	}
	if d.Name == "" && d.Place != "" && now != "carries sound one way only" {
		now = strings.Join(words(now, "not adopted yet: flattone devices adopt NAME PLACE"), "; ")
	}
	return strings.Join(words(where, now), ": ")
}

// deviceRemedy is what to do about a device's trouble.
func deviceRemedy(d control.Device) string {
	switch {
	case d.Trouble == control.DeviceSwapped:
		return "; follow its cable, and say that it is right: flattone devices adopt " + d.Name + " PLACE"
	case d.Place == "":
		return "; give the name to a card: flattone devices adopt " + d.Name + " PLACE"
	}
	return "; plug the card in here, or flattone devices adopt " + d.Name + " PLACE --replace"
}
