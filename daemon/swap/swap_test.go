package swap

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func lay(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// aMachine swaps to an encrypted device, an open one, memory, a volume and a file.
func aMachine(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	lay(t, root, "proc/swaps", "Filename\t\tType\tSize\n/dev/dm-0 partition 1\n/dev/sda2\tpartition\t1\n/dev/zram0 partition 1\n/dev/dm-1 partition 1\n/swapfile file 1\n")
	lay(t, root, "sys/block/dm-0/dm/uuid", "CRYPT-PLAIN-swap\n")
	lay(t, root, "sys/block/dm-1/dm/uuid", "LVM-x\n")
	for _, device := range []string{"dm-0", "dm-1", "sda2", "zram0"} {
		lay(t, root, "sys/class/block/"+device, "")
	}
	return root
}

var areas = []Area{{"/dev/dm-0", true}, {"/dev/sda2", false}, {"/dev/zram0", true}, {"/dev/dm-1", false}, {"/swapfile", false}}

func TestRead(t *testing.T) {
	root := aMachine(t)
	all, err := Read(root)
	if err != nil || !slices.Equal(all, areas) {
		t.Errorf("%v, %v", all, err)
	}
	if open := Open(all); !slices.Equal(open, []string{"/dev/sda2", "/dev/dm-1", "/swapfile"}) {
		t.Errorf("open are %v", open)
	}
	lay(t, root, "proc/swaps", "Filename\t\tType\tSize\n")
	if all, err := Read(root); err != nil || len(all) != 0 {
		t.Errorf("without any: %v, %v", all, err)
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the kernel's list: %v", err)
	}
}

// systemd has a unit for each link of a device, too.
func TestOf(t *testing.T) {
	names := []string{"/dev/disk/by-uuid/a", "/dev/dm-0", "/dev/mapper/swap", "/dev/sda2", "/dev/zram0", "/dev/dm-1", "/swapfile"}
	if all := Of(aMachine(t), names); !slices.Equal(all, areas) {
		t.Errorf("%v", all)
	}
}
