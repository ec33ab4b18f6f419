package modem

import "math/rand/v2"

// send sends by a port, if that is there. mu is held.
func (m *Modem) send(port string, p []byte) {
	w := m.ports[port]
	if w == nil {
		return
	}
	for len(p) > 0 {
		n := len(p)
		if m.spec.Split {
			n = 1 + rand.IntN(n)
		}
		w.Write(p[:n]) // a program that doesn't read loses it
		p = p[n:]
	}
}
