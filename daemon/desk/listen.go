package desk

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// How many connections there may be at a time: in all, and from one address, behind which a whole office may be.
const (
	mostConnections = 2048
	mostFromOne     = 512
)

// bounded closes connections beyond the bounds without a word, so that one address can't keep the others out.
type bounded struct {
	net.Listener

	mu   sync.Mutex
	all  int
	from map[netip.Addr]int
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for agents' browsers: %w; see listen in the desk's configuration", err)
	}
	return &bounded{Listener: l, from: map[netip.Addr]int{}}, nil
}

// Accept waits for a connection for which there is room.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		if leave, ok := b.enter(from.Addr()); ok {
			return &counted{c, leave}, nil
		}
		c.Close()
	}
}

func (b *bounded) enter(from netip.Addr) (leave func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all >= mostConnections || b.from[from] >= mostFromOne {
		return nil, false
	}
	b.all++
	b.from[from]++
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.all--
		if b.from[from]--; b.from[from] == 0 {
			delete(b.from, from)
		}
	}), true
}

// counted is a connection that makes room when it is closed.
type counted struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
