package capture

import (
	"testing"

	"github.com/flattone/flattone/audio/locked"
)

func TestTheGuardHoldsNoPointers(t *testing.T) {
	if locked.HasPointers[guard]() {
		t.Error("it can't lie in locked memory")
	}
}
