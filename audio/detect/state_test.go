package detect

import (
	"testing"

	"github.com/flattone/flattone/audio/locked"
)

func TestStateHoldsNoPointers(t *testing.T) {
	if locked.HasPointers[state]() {
		t.Error("the state can't lie in locked memory: it holds pointers")
	}
}
