package modem

// A voice modem's sound is shielded: a DLE makes the byte after it a code.
const (
	dle = 0x10
	sub = 0x1a // after one: two DLEs
	can = 0x18 // what waits to be played is dropped
	etx = 0x03
)

// code tells something: within the sound, or alone.
func (v *voice) code(c byte) {
	switch {
	case v.sound:
		v.out = append(v.out, dle, c)
	case v.faults.mute:
	case v.faults.garbage:
		v.send(AT, noise(2))
	case v.class8:
		v.send(AT, []byte{dle, c})
	}
}

func (v *voice) bytes(dst []byte, sample int16) []byte {
	v.quiet++
	if sample != 0 {
		v.quiet = 0
	}
	if v.silence > 0 && v.quiet == v.silence {
		dst = append(dst, dle, 's')
	}
	from := len(dst)
	dst = v.format.bytes(dst, sample)
	for i := from; i < len(dst); i++ {
		if dst[i] == dle {
			dst = append(dst[:i+1], dst[i:]...)
			i++
		}
	}
	return dst
}

func (v *voice) samples(p []byte) (x []int16) {
	x, v.rest = v.format.samples(nil, append(v.rest, p...))
	return x
}

// hear takes what the program sends within the sound, up to where that ends, and answers the rest.
func (v *voice) hear(p []byte) (rest []byte) {
	var data []byte
	defer func() { v.play(v.samples(data)) }()
	for i, b := range p {
		if !v.escaped {
			if v.escaped = b == dle; !v.escaped {
				data = append(data, b)
			}
			continue
		}
		v.escaped = false
		switch b {
		case dle:
			data = append(data, dle)
		case sub:
			data = append(data, dle, dle)
		case can:
			v.fifo = v.fifo[:0]
		case v.spec.Leaves:
			v.leave("OK")
			return p[i+1:]
		default:
			v.blame("a DLE within the sound that means nothing to this modem")
		}
	}
	return nil
}

// leave ends the sound.
func (v *voice) leave(result string) {
	v.transfer()
	v.sound = false
	v.reflow()
	v.send(AT, []byte{dle, etx})
	v.say(result)
	v.watch()
}

func (v *voice) underran() { v.code('u') }
func (v *voice) overran()  { v.code('o') }

func (v *voice) key(key byte, s stage) {
	switch s {
	case heardKey:
		v.code('/')
		v.code(key)
	case stillKey:
		v.code(key)
	case overKey:
		v.code('~')
	}
}
