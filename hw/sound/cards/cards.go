// Package cards tells sound cards apart by what stays: the port a card is plugged into, its maker's and product's numbers, and its serial number
// if it has one. The kernel's own number of a card, the N of hw:N, is another one after each plugging.
//
// It exists so that a line opens the card that its owner adopted, or none. It promises that an adopted card is found wherever the kernel puts it, and
// that anything else in its place, or itself anywhere else, is an error with a name and a remedy. It reads what the kernel shows under /sys, and
// keeps a small file for each card that was opened. It opens no device and asks nobody: that is package sound's business.
package cards

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Identity is what stays of a card.
type Identity struct {
	// Place is the port of a USB card as its controller counts it (pci-0000:00:14.0-usb-1.4), or where else the card is (pci-0000:00:1f.3). The number of
	// the USB bus is not in it: controllers take theirs in the order in which they are found.
	Place string
	// IDs are the numbers of maker and product, such as 08bb:2912; empty for a card that is part of the board.
	IDs string
	// Serial is empty for most cards, and the same for all of its kind with some.
	Serial string
}

// alike reports whether two cards can't be told apart but by their places.
func (i Identity) alike(other Identity) bool { return i.IDs == other.IDs && i.Serial == other.Serial }

// kind is the card without its place, in words.
func (i Identity) kind() string {
	switch {
	case i.IDs == "":
		return "a card without numbers"
	case i.Serial == "":
		return i.IDs
	}
	return i.IDs + " with serial number " + strconv.Quote(i.Serial)
}

// Card is one of the kernel's.
type Card struct {
	Identity
	// Number is the N of hw:N.
	Number int
	// Name is what the card calls itself.
	Name string
	// Plugging is another one each time the card is plugged in; empty for a card that is built in.
	Plugging string
	// PCMs are its devices that carry sound: the D of hw:N,D, in order.
	PCMs []int
}

// Ending is how PortAudio's name of one of the card's devices ends.
func (c Card) Ending(pcm int) string { return fmt.Sprintf(" (hw:%d,%d)", c.Number, pcm) }

// Kernel is where the kernel shows itself.
type Kernel struct {
	// Sys is /sys, or empty for that.
	Sys string
}

// List is all cards, by number. A card that comes or goes meanwhile may be left out.
func (k Kernel) List() ([]Card, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, fmt.Errorf("tell one boot of the machine from the next: %w", err)
	}
	folder := filepath.Join(cmp.Or(k.Sys, "/sys"), "class/sound")
	names, err := filepath.Glob(filepath.Join(folder, "card[0-9]*"))
	if err != nil {
		return nil, fmt.Errorf("list the sound cards: %w", err)
	}
	var list []Card
	for _, name := range names {
		c, err := read(name, strings.TrimSpace(string(id)))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENODEV): // it has just gone
		case err != nil:
			return nil, fmt.Errorf("look at the sound card %s: %w", filepath.Base(name), err)
		default:
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b Card) int { return a.Number - b.Number })
	return list, nil
}

// read reads one card's folder.
func read(folder, boot string) (Card, error) {
	var c Card
	number, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(folder), "card"))
	if err != nil {
		return c, err
	}
	c.Number = number
	if c.Name, err = word(folder, "id"); err != nil {
		return c, err
	}
	device, err := filepath.EvalSymlinks(filepath.Join(folder, "device"))
	if err != nil {
		return c, err
	}
	if err := c.locate(device, boot); err != nil {
		return c, err
	}
	pcms, err := filepath.Glob(filepath.Join(folder, "pcmC*D*[cp]"))
	for _, pcm := range pcms {
		_, d, _ := strings.Cut(filepath.Base(pcm), "D")
		if n, err := strconv.Atoi(d[:len(d)-1]); err == nil && !slices.Contains(c.PCMs, n) {
			c.PCMs = append(c.PCMs, n)
		}
	}
	slices.Sort(c.PCMs)
	return c, err
}

// word is what a file of a folder says; an attribute that must not be there is an [fs.ErrNotExist].
func word(folder, file string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, file))
	return strings.TrimSpace(string(text)), err
}

// maybe is what a file says that need not be there.
func maybe(folder, file string) string {
	text, _ := word(folder, file)
	return text
}
