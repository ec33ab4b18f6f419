package mask

import (
	"slices"
	"testing"
)

// A sample of the fill is a function of its position: a tick of 48 kHz has the same as the six of 8 kHz in its place.
func TestFillDependsOnPosition(t *testing.T) {
	var f fill
	f.start()
	whole, parts := make([]int16, 48), make([]int16, 48)
	for at := int64(0); at < 4800; at += 48 {
		f.replace(whole, at)
		for i := 0; i < 48; i += 8 {
			f.replace(parts[i:i+8], at+int64(i))
		}
		if !slices.Equal(whole, parts) {
			t.Fatalf("the fill at %d depends on how it is cut", at)
		}
	}
}
