package detect

// bins holds a value of cosine and of sine for each of the eight frequencies, rows first: as wide as a vector register,
// so that the kernels treat all frequencies at once.
type bins struct{ c, s [8]float32 }

// top is the power of the strongest row and of the strongest column of a sum.
type top struct{ row, col float32 }

// signal is one tick of a signal, behind the last frames of the tick before.
type signal [lead + maxTick]float32

const lead = 8

// The kernels are the loops in which nearly all of a tick's time goes. Each exists in plain Go, which is what it
// means, and in assembly for AVX, which must give the same bits: so the plain ones round each product (the
// conversions keep compilers from fusing it with a sum) and add in the order of the registers, and the assembly uses
// no fused instruction.

// readPlain takes the samples of a tick, and tells the energy of their differences over some frames.
func readPlain(s *signal, x []int16, lag int) float32 {
	copy(s[:lead], s[len(x):])
	var sums [4]float32
	for i, v := range x {
		s[lead+i] = float32(v)
		d := s[lead+i] - s[lead+i-lag]
		sums[i&3] += float32(d * d)
	}
	return (sums[0] + sums[2]) + (sums[1] + sums[3])
}

// turnPlain turns a clock by a tick.
func turnPlain(c *clock, by *angles) {
	for i := range c.fine.cos {
		cos, sin := c.fine.cos[i], c.fine.sin[i]
		c.fine.cos[i] = float64(cos*by.cos[i]) - float64(sin*by.sin[i])
		c.fine.sin[i] = float64(sin*by.cos[i]) + float64(cos*by.sin[i])
		c.phase.c[i], c.phase.s[i] = float32(c.fine.cos[i]), float32(c.fine.sin[i])
	}
}

// pushPlain takes the n frames of each lane's tick that is number pos: projects them on the table, turns what it found back by the
// phase, and moves the running sums on.
func pushPlain(l *lanes, table *[maxTick]bins, phase *bins, x *[laneCount]signal, n, pos int) {
	for i := range l {
		l[i].pushPlain(table, phase, x[i][lead:][:n], pos)
	}
}

func (l *lane) pushPlain(table *[maxTick]bins, phase *bins, x []float32, pos int) {
	var b bins
	var e float32
	for k, v := range x {
		e += float32(v * v)
		t := &table[k]
		for i := range b.c {
			b.c[i] += float32(v * t.c[i])
			b.s[i] += float32(v * t.s[i])
		}
	}
	now := &l.history[pos&(depth-1)]
	l.energy[pos&(depth-1)] = e
	for i := range b.c {
		now.c[i] = float32(b.c[i]*phase.c[i]) - float32(b.s[i]*phase.s[i])
		now.s[i] = float32(b.s[i]*phase.c[i]) + float32(b.c[i]*phase.s[i])
	}
	for w := range l.windows {
		at := (pos - l.ticks[w]) & (depth - 1)
		s, gone := &l.sums[w], &l.history[at]
		for i := range s.c {
			s.c[i] += now.c[i] - gone.c[i]
			s.s[i] += now.s[i] - gone.s[i]
		}
		l.power[w] += e - l.energy[at]
		l.tops[w] = s.top()
	}
}

func (b *bins) top() (t top) {
	for i := range 4 {
		t.row = max(t.row, float32(b.c[i]*b.c[i])+float32(b.s[i]*b.s[i]))
		t.col = max(t.col, float32(b.c[4+i]*b.c[4+i])+float32(b.s[4+i]*b.s[4+i]))
	}
	return t
}

// filterPlain fills band and high from plain, block by block: see filterPlan. It adds in three chains, so that a processor
// needn't do one addition after the other.
func filterPlain(x *[laneCount]signal, s *filterState, m *filterMatrix, n int) {
	for at := lead; at < lead+n; at += block {
		var y, first, second filterColumn
		for k, v := range x[plain][at : at+block] {
			y.add(&m[k], v)
		}
		for k := range states / 2 {
			first.add(&m[block+k], s[k])
			second.add(&m[block+states/2+k], s[states/2+k])
		}
		for i := range y {
			y[i] = y[i] + first[i] + second[i]
		}
		copy(x[band][at:at+block], y[:block])
		copy(x[high][at:at+block], y[block:2*block])
		copy(s[:], y[2*block:])
	}
	for i, v := range s {
		if v < leastState && v > -leastState {
			s[i] = 0
		}
	}
}

func (y *filterColumn) add(column *filterColumn, v float32) {
	for i := range y {
		y[i] += float32(column[i] * v)
	}
}

// pair is the sums of a signal against the cosine and the sine of one frequency.
type pair struct{ c, s float32 }

func (b *bins) at(i int) pair { return pair{b.c[i], b.s[i]} }

// turned moves the phase reference of p on by a rotation: what was summed moves into the past.
func (p pair) turned(r pair) pair {
	return pair{float32(p.c*r.c) + float32(p.s*r.s), float32(p.s*r.c) - float32(p.c*r.s)}
}

func (p pair) power() float32 { return float32(p.c*p.c) + float32(p.s*p.s) }
