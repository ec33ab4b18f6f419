package owner_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/owner"
)

func TestADeviceHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	first, err := owner.Take(dir, "sound", "trunk / 1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = owner.Take(dir, "sound", "trunk / 1")
	if !errors.Is(err, hw.ErrBusy) || !strings.Contains(err.Error(), fmt.Sprint("by process ", os.Getpid())) {
		t.Errorf("the second owner gets %v", err)
	}
	for _, other := range [][2]string{{"serial", "trunk / 1"}, {"sound", "trunk / 2"}} {
		file, err := owner.Take(dir, other[0], other[1])
		if err != nil {
			t.Errorf("another device has no owner yet, and gets %v", err)
			continue
		}
		file.Close()
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := owner.Take(dir, "sound", "trunk / 1")
	if err != nil {
		t.Fatalf("the next owner gets %v", err)
	}
	again.Close()
}
