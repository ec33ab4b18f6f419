package path

import (
	"testing"

	"github.com/flattone/flattone/audio/locked"
)

func TestWhatIsLockedHoldsNoPointers(t *testing.T) {
	if locked.HasPointers[queue]() {
		t.Error("the queue can't lie in locked memory: it holds pointers")
	}
	if locked.HasPointers[agentState]() {
		t.Error("the agent's state can't lie in locked memory: it holds pointers")
	}
}
