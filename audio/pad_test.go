package audio

import (
	"strings"
	"testing"
)

// Under a pad that equals a key, that key would be none: once in sixteen starts or so.
func TestPadIsNoKey(t *testing.T) {
	if pad < 0x80 || strings.IndexByte(keys, pad) >= 0 {
		t.Error("the pad could be a key")
	}
}
