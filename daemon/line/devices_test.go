package line

import (
	"reflect"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
	"github.com/flattone/flattone/hw/sound/cards"
)

func TestDevicesOfAMachine(t *testing.T) {
	sys := card.NewSys(t)
	sys.Plug(card.USB{Number: 1, Port: "1", IDs: "08bb:2912", Product: "CODEC"})
	sys.Plug(card.USB{Number: 2, Port: "2", IDs: "08bb:2912", Product: "CODEC"})
	sys.Plug(card.USB{Number: 3, Port: "3", IDs: "1235:8211", Serial: "S", Product: "Solo"})
	plugged, err := cards.Kernel{Sys: sys.Root}.List()
	if err != nil {
		t.Fatal(err)
	}
	const usb = "pci-0000:00:14.0-usb-"
	adopted := config.Devices{
		"trunk":   {Place: usb + "1", IDs: "08bb:2912", Plugging: "another"},
		"headset": {Place: usb + "2", IDs: "08bb:2912", Plugging: plugged[2].Plugging},
		"moved":   {Place: usb + "4", IDs: "1235:8211", Serial: "S", PCM: 0, Card: "Solo, as it was"},
		"hdmi":    {Place: "pci-0000:00:1f.3", IDs: "8086:a348", PCM: 3},
	}
	// Both twins were opened, and plugged in since; one of them was adopted again.
	notes := cards.Notes(t.TempDir())
	for _, name := range []string{"trunk", "headset"} {
		if err := notes.Write(name, plugged[1].Plugging[:37]+"99"); err != nil {
			t.Fatal(err)
		}
	}
	got := devices(adopted, notes, plugged, []sound.Device{
		{Name: "HDA Intel PCH: ALC (hw:0,0)", In: 2, Out: 2, Rates: []int{48000}}, {Name: "CODEC: USB Audio (hw:2,0)", In: 1, Out: 2, Rates: []int{8000}},
		{Name: "system", In: 2, Out: 2}, {Name: "Gone: USB Audio (hw:9,0)", In: 1, Out: 1},
	})
	want := []wire.Device{
		{Card: "PCH", Place: "pci-0000:00:1f.3", IDs: "8086:a348", Free: true, In: 2, Out: 2, Rates: []int{48000}},
		{Name: "hdmi", Card: "PCH", Place: "pci-0000:00:1f.3", IDs: "8086:a348", PCM: 3},
		{Name: "trunk", Card: "CODEC", Place: usb + "1", IDs: "08bb:2912", Trouble: "device_swapped"},
		{Name: "headset", Card: "CODEC", Place: usb + "2", IDs: "08bb:2912", Free: true, In: 1, Out: 2, Rates: []int{8000}},
		{Card: "Solo", Place: usb + "3", IDs: "1235:8211", Serial: "S"},
		{Name: "moved", Card: "Solo, as it was", Place: usb + "4", IDs: "1235:8211", Serial: "S", Trouble: "device_moved"},
		{Name: "system", Free: true, In: 2, Out: 2},
	}
	for i, c := range []int{2: 1, 3: 2, 4: 3} { // each has the plugging of its card
		want[i].Plugging = plugged[c].Plugging
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}
