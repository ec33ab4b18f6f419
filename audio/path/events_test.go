package path

import (
	"testing"

	"github.com/flattone/flattone/audio/locked"
)

func TestQueueHoldsNoPointers(t *testing.T) {
	if locked.HasPointers[queue]() {
		t.Error("the queue can't lie in locked memory: it holds pointers")
	}
}
