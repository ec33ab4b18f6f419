package courier

import (
	"errors"
	"fmt"
	"io"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/gateway/wiping"
	"github.com/flattone/flattone/daemon/secret"
)

// PageBytes is the longest body.
const PageBytes = 4 << 10

// errPage is told when the request is sent: who builds a body need not look after each part.
var errPage = errors.New("the body is longer than its page, or wants digits that the card doesn't have")

// Page is a body under way, in locked memory. For one goroutine; Wipe it, or Send it, which does.
type Page struct {
	mem    []byte
	n      int
	digits [][2]int // where in mem they are
	err    error
}

// NewPage fails only for want of lockable memory.
func NewPage() (*Page, error) {
	mem, err := locked.Bytes(PageBytes)
	if err != nil {
		return nil, fmt.Errorf("courier: a body: %w", err)
	}
	return &Page{mem: mem[:PageBytes]}, nil
}

// Text appends what is no secret, as it is: escaping is its writer's.
func (p *Page) Text(s string) {
	if len(s) > len(p.mem)-p.n {
		p.err = errPage
		return
	}
	p.n += copy(p.mem[p.n:], s)
}

// Digits appends the digits from one place to another, byte for byte. No encoding that a body has (form, JSON, XML) writes a digit in another way.
func (p *Page) Digits(of *secret.Text, from, to int) {
	all := of.Reveal()
	if from < 0 || from > to || to > len(all) || to-from > len(p.mem)-p.n {
		p.err = errPage
		return
	}
	start := p.n
	p.n += locked.Copy(p.mem[p.n:], all[from:to])
	p.digits = append(p.digits, [2]int{start, p.n})
}

// Len is the body's length so far. A nil Page has none.
func (p *Page) Len() int {
	if p == nil {
		return 0
	}
	return p.n
}

// Wipe wipes the body and gives its memory back. Wiping it again, or nothing, does nothing.
func (p *Page) Wipe() {
	if p != nil {
		locked.Free(p.mem)
		*p = Page{err: errors.New("the body was sent before")}
	}
}

func (p *Page) fault() error {
	if p == nil {
		return nil
	}
	return p.err
}

// writeTo writes each digit by itself: see the package.
func (p *Page) writeTo(to io.Writer) error {
	if p == nil {
		return nil
	}
	return wiping.Write(to, p.mem[:p.n], p.digits)
}
