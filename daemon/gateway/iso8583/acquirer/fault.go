package acquirer

import (
	"strings"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// Fault is what goes wrong with the answer to a question about money.
type Fault int

// The faults. But for Lost, Unheard, Queued and NotFound, he did what he was asked.
const (
	None      Fault = iota
	Lost            // the question is lost on its way
	Silent          // no answer
	Late            // the answer comes after [Lateness]
	Held            // the answer comes after that to the next question
	Twice           // the answer comes twice
	Garbled         // the answer is a frame of noise
	Truncated       // half of the answer, and nothing more
	Oversized       // the answer's length is 65535
	WrongSTAN       // it has another trace number
	Foreign         // it is another terminal's
	Codeless        // it has no response code
	Short           // it approves less
	Repeats         // it repeats the card
	Closes          // he closes the connection instead
	Stuck           // no answer, and he reads nothing more
	Unheard         // that, and he hasn't done anything
	Queued          // no answer, and he does it at the next [Acquirer.Break]
	NotFound        // he says that there is no such payment, and does nothing
)

// Lateness is how late a late answer is: no box waits so long.
const Lateness = time.Minute

// Script has the next questions about money go wrong, one fault each.
func (a *Acquirer) Script(faults ...Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.script = append(a.script, faults...)
}

// Break has a fault befall the next question about money, instead of what was scripted. met is closed when he has acted on it, or hasn't.
func (a *Acquirer) Break(f Fault) (met <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range a.queue {
		a.book(q)
	}
	a.queue, a.script, a.met = nil, []Fault{f}, make(chan struct{})
	return a.met
}

// next is the fault that is due, and who waits for it.
func (a *Acquirer) next(mti string) (f Fault, met chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.heard = append(a.heard, mti)
	if len(a.script) > 0 {
		f, a.script = a.script[0], a.script[1:]
	}
	met, a.met = a.met, nil
	return f, met
}

// answer does what a message asks and answers it. It reports whether the connection goes on.
func (a *Acquirer) answer(c *client, m message.Message) bool {
	switch m.Type {
	case "0800":
		return a.manage(c, m)
	case "0810":
		a.mu.Lock()
		defer a.mu.Unlock()
		a.echoed++
		return true
	}
	f, met := a.next(m.Type)
	pan, aside := c.aside[:m.CopySecret(c.aside, 2)], c.aside[32:]
	code, address, cvv := Outcome(pan, parse(m.Text(4)))
	code = a.act(f, requestOf(m, code))
	if met != nil {
		close(met)
	}
	switch f {
	case Lost, Silent, Queued:
		return true
	case Stuck:
		<-a.stop
		return false
	case Unheard, Closes:
		return false
	}
	more := ""
	if private := aside[:m.CopySecret(aside, 48)]; len(private) > 0 {
		more = "6315MCC000001124099" + "8301" + address + "8701" + cvv
	}
	fields := map[int]string{3: m.Text(3), 4: m.Text(4), 7: m.Text(7), 11: m.Text(11), 37: m.Text(37), 39: code, 41: m.Text(41), 42: m.Text(42), 49: m.Text(49)}
	if code == "00" {
		fields[38] = "A" + m.Text(11)[1:]
	}
	switch f {
	case WrongSTAN:
		fields[11] = "999999"
	case Foreign:
		fields[41] = "OTHER"
	case Codeless:
		delete(fields, 39)
	case Short:
		fields[4], fields[39] = "1", "10"
	}
	page, err := locked.Bytes(message.MostBytes)
	if err != nil {
		return false
	}
	repeated := pan
	if f != Repeats {
		repeated = nil
	}
	n, secrets, err := encode(page, a.form, m.Type[:2]+string(m.Type[2]+1)+"0", fields, repeated, more)
	if err != nil {
		locked.Free(page)
		return false
	}
	a.send(c, f, page, n, secrets)
	return true
}

// act does what is asked as a fault has it, and tells the code of the answer.
func (a *Acquirer) act(f Fault, q request) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch f {
	case NotFound:
		return "25"
	case Queued:
		a.queue = append(a.queue, q)
		return ""
	case Lost, Unheard:
		return ""
	}
	return a.book(q)
}

// send sends an answer as a fault has it, and gives its page back.
func (a *Acquirer) send(c *client, f Fault, page []byte, n int, secrets [][2]int) {
	now := func() { c.write(page[:n], secrets); locked.Free(page) }
	switch f {
	case Late:
		a.work.Go(func() {
			defer locked.Free(page)
			select {
			case <-time.After(Lateness):
				c.write(page[:n], secrets)
			case <-a.stop:
			}
		})
		return
	case Held:
		if c.held == nil {
			c.held = now
			return
		}
	case Twice:
		c.write(page[:n], secrets)
	case Garbled:
		copy(page[message.LengthBytes:n], strings.Repeat("\xfe", n))
	case Truncated:
		n, secrets = n/2, nil
	case Oversized:
		page[0], page[1] = 0xff, 0xff
	}
	now()
	if c.held != nil {
		c.held()
		c.held = nil
	}
}
