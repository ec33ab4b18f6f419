package upstream

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// TestLongOverIsTakenOut: what was told goes after thirty days, and what wasn't stays, before it or behind it.
func TestLongOverIsTakenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{MaxWait: time.Hour}, newFake(statuses(422)))
		there := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			var ids []string
			err := r.db.Read(t.Context(), func(tx *store.Tx) error {
				ids = nil
				return tx.Each(func(scan func(...any) error) error {
					var id string
					err := scan(&id)
					ids = append(ids, id)
					return err
				}, "SELECT id FROM outbox ORDER BY seq")
			})
			if err != nil || !slices.Equal(ids, want) {
				t.Errorf("%s: %v, want %v; %v", when, ids, want, err)
			}
		}
		r.enqueue("a", "evt_dead")
		r.next()
		r.enqueue("b", "evt_old")
		r.next()
		r.enqueue("a", "evt_behind")
		time.Sleep(Kept - time.Hour)
		r.enqueue("c", "evt_new")
		r.next()
		there("before its time", "evt_dead", "evt_old", "evt_behind", "evt_new")
		time.Sleep(2*time.Hour + time.Minute)
		there("after it", "evt_dead", "evt_behind", "evt_new")
		r.enqueue("b", "evt_next")
		r.next()
		there("once there is more", "evt_dead", "evt_behind", "evt_new", "evt_next")
	})
}

// TestManyAreTakenOut, more than are looked at in one go.
func TestManyAreTakenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Destination{}, newFake(statuses()))
		r.stop()
		long, now := time.Now().Add(-Kept-time.Hour).UnixMicro(), time.Now().UnixMicro()
		err := r.db.Write(t.Context(), func(tx *store.Tx) error {
			for seq := range int64(3*sweepMost + 1) {
				ended := long
				if seq%500 == 0 {
					ended = 0
				}
				if _, err := tx.Exec(`INSERT INTO outbox (seq, id, destination, stream, kind, media, body, queued, state, due, lease, holder, tries, begun, status, reason, ended)
					VALUES ($1, $2, 'other', 's', 'k', 'm', CAST('' AS blob), $3, 'dead', 0, 0, '', 0, 0, 0, '', $4)`, seq+1, fmt.Sprint("evt_", seq), now, ended); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for after, more := int64(0), true; more; {
			if after, more, err = r.outbox.sweepAfter(t.Context(), after); err != nil {
				t.Fatal(err)
			}
		}
		var left int
		if err := r.db.One(t.Context(), []any{&left}, "SELECT COUNT(*) FROM outbox"); err != nil || left != 7 {
			t.Errorf("%d rows are left, want the 7 that nobody was told; %v", left, err)
		}
	})
}
