package upstream

import (
	"fmt"
	"strings"

	"github.com/flattone/flattone/daemon/store"
)

// many is a statement that is run for many values at once: what it costs to run one is most of what it costs to change a row.
type many[T any] struct{ texts map[int]string }

// sizes are for how many values a statement is written: few, as the store keeps each text parsed.
var sizes = []int{1, 8, 64}

// newMany writes a statement of which before ends where the list of values begins. In each, $0 is a value; in before, fixed arguments are $1 and so on.
func newMany[T any](fixed int, before, each string) many[T] {
	m := many[T]{map[int]string{}}
	for _, size := range sizes {
		list := make([]string, size)
		for i := range list {
			list[i] = strings.ReplaceAll(each, "$0", fmt.Sprint("$", fixed+i+1))
		}
		m.texts[size] = before + "(" + strings.Join(list, ", ") + ")"
	}
	return m
}

// run runs it for all values, after the fixed arguments. What is left free of the last list is filled with its last value.
func (m many[T]) run(tx *store.Tx, values []T, fixed ...any) error {
	for len(values) > 0 {
		size := sizes[len(sizes)-1]
		for _, s := range sizes {
			if s >= len(values) {
				size = s
				break
			}
		}
		args := append(make([]any, 0, len(fixed)+size), fixed...)
		for i := range size {
			args = append(args, values[min(i, len(values)-1)])
		}
		if _, err := tx.Exec(m.texts[size], args...); err != nil {
			return err
		}
		values = values[min(size, len(values)):]
	}
	return nil
}

var (
	// lease takes events: until when, by which box, from when on.
	lease = newMany[int64](3, `UPDATE outbox SET tries = tries + 1, lease = $1, due = $1, holder = $2, begun = CASE WHEN begun = 0 THEN $3 ELSE begun END WHERE seq IN `, "$0")
	// markDelivered ends events, whoever else has taken them over since: by which status, when.
	markDelivered = newMany[int64](2, `UPDATE outbox SET state = 'delivered', lease = 0, status = $1, reason = '', ended = $2 WHERE ended = 0 AND seq IN `, "$0")
	// promote has the first of each key go, whichever it was that is over: of a destination.
	promote = newMany[string](1, `UPDATE outbox SET state = 'ready' WHERE state = 'behind' AND seq IN `,
		"(SELECT MIN(seq) FROM outbox WHERE destination = $1 AND stream = $0 AND ended = 0)")
)
