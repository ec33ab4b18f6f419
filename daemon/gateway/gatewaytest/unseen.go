package gatewaytest

import (
	"crypto/rand"
	"testing"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/secret"
)

// Unseen fills a field with random digits that are nowhere else, and returns each run of eight of them, masked, to search memory for. The last one is such that a card
// number is right (ISO/IEC 7812-1).
func Unseen(t testing.TB, to *secret.Text, digits int) (runs [][]byte) {
	t.Helper()
	to.Clear()
	var masked []byte
	sum := 0
	for i := range digits {
		var b [1]byte
		rand.Read(b[:])
		d := b[0] % 10
		if i == digits-1 {
			d = byte((10 - sum%10) % 10)
		}
		if err := to.Append('0' + d); err != nil {
			t.Fatal(err)
		}
		if n := int(d); (digits-i)%2 == 0 {
			sum += 2*n - 9*(n/5)
		} else {
			sum += n
		}
		if masked = append(masked, lockedtest.Masked([]byte{'0' + d})...); i >= 7 {
			runs = append(runs, masked[i-7:i+1])
		}
	}
	return runs
}
