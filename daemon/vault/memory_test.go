package vault

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/daemon/secret"
)

// mask keeps what is searched for from being found in the searcher.
const mask = 0x55

// copies counts how often each of masked, unmasked, lies in this process's writable memory.
func copies(t *testing.T, masked ...[]byte) []int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	present, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer present.Close()
	counts := make([]int, len(masked))
	scanned := 0
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(mode, "rw") {
			continue
		}
		for _, run := range runs(present, from, to) {
			scanned += scan(t, mem, run, masked, counts)
		}
	}
	if scanned < 1<<20 {
		t.Fatalf("only %d bytes of memory were searched", scanned)
	}
	return counts
}

// runs are the parts of a mapping that have memory behind them: the race detector maps terabytes.
func runs(pagemap *os.File, from, to uint64) (all [][2]uint64) {
	page := uint64(os.Getpagesize())
	entries := make([]byte, 8<<12)
	for from < to {
		n, _ := pagemap.ReadAt(entries[:min(uint64(len(entries)), (to-from)/page*8)], int64(from/page*8))
		if n < 8 {
			return all
		}
		for i := 0; i+8 <= n; i, from = i+8, from+page {
			if binary.LittleEndian.Uint64(entries[i:])>>62 == 0 { // neither present nor swapped
				continue
			}
			if last := len(all) - 1; last >= 0 && all[last][1] == from {
				all[last][1] += page
			} else {
				all = append(all, [2]uint64{from, from + page})
			}
		}
	}
	return all
}

// scan searches a run of memory by way of a buffer that is wiped, and that is not in what is searched: it
// is mapped after the list of mappings was read.
func scan(t *testing.T, mem *os.File, run [2]uint64, masked [][]byte, counts []int) int {
	t.Helper()
	b, err := unix.Mmap(-1, 0, int(run[1]-run[0]), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(b)
	n, _ := mem.ReadAt(b, int64(run[0])) // a page may have gone since
	for i, m := range masked {
		counts[i] += count(b[:n], m)
	}
	return n
}

func count(b, masked []byte) (n int) {
	for {
		i := bytes.IndexByte(b, masked[0]^mask)
		if i < 0 || i+len(masked) > len(b) {
			return n
		}
		j := 1
		for j < len(masked) && b[i+j] == masked[j]^mask {
			j++
		}
		if j == len(masked) {
			n++
		}
		b = b[i+1:]
	}
}

// randomCard fills a card with random digits that exist nowhere else, and returns the PAN's first twelve
// and the CVV, masked.
func randomCard(t *testing.T) (card *secret.Card, c Capture, pan, cvv []byte) {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	digit := func(to *secret.Text) byte {
		var b [1]byte
		rand.Read(b[:])
		d := '0' + b[0]%10
		if err := to.Append(d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	c = visa("memory").Capture
	c.Last4 = ""
	for i := range 16 {
		if d := digit(card.PAN); i < 12 {
			pan = append(pan, d^mask)
		} else {
			c.Last4 += string(rune(d))
		}
	}
	for range 12 {
		cvv = append(cvv, digit(card.CVV)^mask)
	}
	for _, d := range []byte("1131") {
		if err := card.Expiry.Append(d); err != nil {
			t.Fatal(err)
		}
	}
	return card, c, pan, cvv
}

// TestNothingStaysInMemory seals and reveals a card of random digits, then searches the whole process, with
// no garbage collection to help: the key must lie in its locked page alone, the card nowhere.
func TestNothingStaysInMemory(t *testing.T) {
	r := newRig(t)
	key := make([]byte, keySize)
	for i, b := range r.kek.key[:keySize] {
		key[i] = b ^ mask
	}
	card, c, pan, cvv := randomCard(t)
	if got := copies(t, pan)[0]; got != 1 {
		t.Fatalf("%d copies of a PAN that is in use, want 1: the search is blind, or the card leaks already", got)
	}
	token, err := r.vault.Seal(context.Background(), c, card)
	if err != nil {
		t.Fatal(err)
	}
	card.Destroy()
	inUse := 0
	err = r.vault.Reveal(context.Background(), token, func(*secret.Card) error { inUse = copies(t, pan)[0]; return nil })
	if err != nil || inUse != 1 {
		t.Errorf("%d copies of the PAN while it is revealed, want the card's own (%v)", inUse, err)
	}
	got := copies(t, pan, cvv, key)
	for i, want := range []struct {
		what string
		n    int
	}{{"PAN", 0}, {"CVV", 0}, {"vault key", 1}} {
		if got[i] != want.n {
			t.Errorf("%d copies of the %s in memory, want %d", got[i], want.what, want.n)
		}
	}
}
