package upstream

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// TestManyChangesWhatIsNamed, and no row else, however many they are.
func TestManyChangesWhatIsNamed(t *testing.T) {
	r := newRig(t, Destination{}, newFake(hang))
	if err := r.stop(); err != nil { // nobody else changes them
		t.Fatal(err)
	}
	r.fill(300, 1)
	for _, n := range []int{0, 1, 2, 8, 9, 63, 64, 65, 129} {
		var seqs []int64
		for i := range n {
			seqs = append(seqs, int64(2*i+1))
		}
		var changed []int64
		undo := fmt.Errorf("changes nothing")
		err := r.db.Write(context.Background(), func(tx *store.Tx) error {
			changed = nil
			if err := markDelivered.run(tx, seqs, 204, time.Now().UnixMicro()); err != nil {
				return err
			}
			err := tx.Each(func(scan func(...any) error) error {
				var seq int64
				err := scan(&seq)
				changed = append(changed, seq)
				return err
			}, "SELECT seq FROM outbox WHERE state = 'delivered' AND status = 204 ORDER BY seq")
			if err != nil {
				return err
			}
			return undo
		})
		if err != undo {
			t.Fatal(err)
		}
		equal(t, fmt.Sprint(n, " named"), changed, seqs)
	}
}
