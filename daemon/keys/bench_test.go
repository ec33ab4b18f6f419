package keys_test

import (
	"testing"

	"github.com/flattone/flattone/daemon/keys"
)

// BenchmarkSeal is what it costs to seal a key under another, as a record's is.
func BenchmarkSeal(b *testing.B) {
	kek, err := keys.Random()
	if err != nil {
		b.Fatal(err)
	}
	defer kek.Destroy()
	dek, aad := make([]byte, keys.Size), keys.Bind("dek").Number(1).Text("tok_")
	for b.Loop() {
		if _, err := kek.Seal(dek, aad); err != nil {
			b.Fatal(err)
		}
	}
}
