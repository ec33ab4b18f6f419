// Package swap knows what a machine swaps to, and whether what is written there can be read by whoever has the disk.
//
// It exists so that flattoned, which raises a condition, and flattone doctor, which examines a machine, judge the same by the same. Cards and keys are in locked
// memory, which is never swapped; tokens, numbers of callers and sound are not. It reads files below /proc and /sys and changes none; of a swap that it can't
// tell it says that it is open.
package swap

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Area is a device or file that the machine swaps to. Sealed: it is dm-crypt's, or memory itself.
type Area struct {
	Name   string
	Sealed bool
}

// Read reads the kernel's list. Where that isn't to be seen it is [fs.ErrNotExist]: the kernel knows no swap, or the process may not see it, as in flattoned's
// unit (ProcSubset=pid). root is the folder in which the machine's files are.
func Read(root string) (all []Area, err error) {
	text, err := os.ReadFile(filepath.Join(root, "proc/swaps"))
	if err != nil {
		return nil, fmt.Errorf("look for swap: %w", err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if fields := strings.Fields(line); i > 0 && len(fields) > 0 {
			all = append(all, Area{fields[0], sealed(root, fields[0])})
		}
	}
	return all, nil
}

// Of judges what systemd has units for: each device by its kernel's name, and once more by each of its links, which are left out.
func Of(root string, names []string) (all []Area) {
	for _, name := range names {
		device, is := strings.CutPrefix(name, "/dev/")
		if is {
			if _, err := os.Stat(filepath.Join(root, "sys/class/block", device)); err != nil {
				continue
			}
		}
		all = append(all, Area{name, sealed(root, name)})
	}
	return all
}

// Open are the names of those that are not sealed.
func Open(all []Area) (names []string) {
	for _, a := range all {
		if !a.Sealed {
			names = append(names, a.Name)
		}
	}
	return names
}

func sealed(root, name string) bool {
	device := strings.TrimPrefix(name, "/dev/")
	if strings.HasPrefix(device, "zram") {
		return true
	}
	id, err := os.ReadFile(filepath.Join(root, "sys/block", device, "dm/uuid"))
	return err == nil && strings.HasPrefix(string(id), "CRYPT-")
}
