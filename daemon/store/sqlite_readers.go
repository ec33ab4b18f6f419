package store

import (
	"context"
	"errors"
	"sync"
)

// mostReaders bounds the connections that read. Readers never wait for the writer, nor it for them (WAL).
const mostReaders = 4

// readers are the connections that read. Of those by which nobody does, the one that was used last is taken first: it remembers the pages that are asked for
// most.
type readers struct {
	closed chan struct{}
	free   chan struct{} // one for each that is idle
	mu     sync.Mutex
	idle   []*parsed
	all    int
}

func newReaders() *readers {
	return &readers{closed: make(chan struct{}), free: make(chan struct{}, mostReaders)}
}

// add is a new one.
func (r *readers) add(conn *parsed) {
	r.all++
	r.give(conn)
}

// take waits for one that is idle. Give it back.
func (r *readers) take(ctx context.Context) (*parsed, error) {
	select {
	case <-r.free: // nobody's any more once close has them all
		return r.last(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-r.closed:
		return nil, ErrClosed
	}
}

func (r *readers) last() *parsed {
	r.mu.Lock()
	defer r.mu.Unlock()
	conn := r.idle[len(r.idle)-1]
	r.idle = r.idle[:len(r.idle)-1]
	return conn
}

func (r *readers) give(conn *parsed) {
	r.mu.Lock()
	r.idle = append(r.idle, conn)
	r.mu.Unlock()
	r.free <- struct{}{}
}

// close closes them all. Whoever still reads ends first.
func (r *readers) close() error {
	close(r.closed)
	var errs []error
	for range r.all {
		<-r.free
		errs = append(errs, r.last().close())
	}
	return errors.Join(errs...)
}
