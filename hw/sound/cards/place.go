package cards

import (
	"os"
	"path/filepath"
	"strings"
)

// locate finds out where a card is, of what kind it is, and when it was plugged in, from the folder of its device in the kernel's tree:
//
//	…/0000:00:14.0/usb1/1-1/1-1.4/1-1.4:1.0    a USB card: its interface, below the card, below hubs, below the bus, below the controller
//	…/0000:00:1f.3                             any other
func (c *Card) locate(device, boot string) error {
	usb := filepath.Dir(device)
	if ids, err := word(usb, "idVendor"); err == nil {
		c.IDs = ids + ":" + maybe(usb, "idProduct")
		c.Serial = maybe(usb, "serial")
		if name := maybe(usb, "product"); name != "" {
			c.Name = name
		}
		number, err := word(usb, "devnum")
		if err != nil {
			return err
		}
		c.Plugging = boot + "/" + number
		_, ports, _ := strings.Cut(filepath.Base(usb), "-")
		bus := usb
		for !strings.HasPrefix(filepath.Base(bus), "usb") && bus != "/" {
			bus = filepath.Dir(bus)
		}
		controller, err := spot(filepath.Dir(bus))
		c.Place = controller + "-usb-" + ports
		return err
	}
	if maker := maybe(device, "vendor"); maker != "" {
		c.IDs = strings.TrimPrefix(maker, "0x") + ":" + strings.TrimPrefix(maybe(device, "device"), "0x")
	}
	var err error
	c.Place, err = spot(device)
	return err
}

// spot is a device's bus and what it is called there.
func spot(device string) (string, error) {
	bus, err := os.Readlink(filepath.Join(device, "subsystem"))
	return filepath.Base(bus) + "-" + filepath.Base(device), err
}
