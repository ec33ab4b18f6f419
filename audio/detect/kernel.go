package detect

import "math"

// bins holds a value of cosine and of sine for each of the eight frequencies, rows first: as wide as a vector register,
// so that the kernels treat all frequencies at once.
type bins struct{ c, s [8]float32 }

// The kernels are the loops in which most of a tick's time goes. Each exists in plain Go, which is what it means, and in
// assembly for AVX2, which must give the same bits: so the plain ones fuse where the assembly does (see fused), round every other product
// (the conversions keep compilers from fusing it with a sum), and add in the order of the registers. That makes them slow: half a microsecond
// a sample.

// hearPlain takes the samples of a tick, a block at a time: filters them, projects all three signals on the table, turns what it
// found back by the phase, adds it to the totals, and sums the windows but for those that are too quiet. It tells the energy of
// the samples' differences over an eighth of the tick, and the greatest of their squares.
func hearPlain(e *ear, p *plan, x []int16) (energy, peak float32) {
	e.ticks++
	if e.turn++; e.turn == p.period {
		e.turn = 0
	}
	copy(e.samples[:lead], e.samples[len(x):])
	var found [laneCount]bins
	var squared [laneCount]squares
	var difference squares
	for at := 0; at < len(x); at += block {
		fresh := e.samples[lead+at:][:block]
		for k, v := range x[at:][:block] {
			fresh[k] = float32(v)
			peak = max(peak, difference.add(k, fresh[k]-e.samples[lead+at+k-len(x)/8]))
		}
		filtered := filterPlain(&e.states, &p.filter.matrix, fresh)
		for lane, four := range [laneCount][]float32{fresh, filtered[:block], filtered[block:]} {
			for k, v := range four {
				squared[lane][k] = fused(v, v, squared[lane][k])
				found[lane].add(&p.table[at+k], v)
			}
		}
	}
	for i, v := range e.states {
		if v < leastState && v > -leastState {
			e.states[i] = 0
		}
	}
	coarse, fine := &p.coarse[e.turn>>fineShift], &p.fine[e.turn&(fineTurns-1)]
	for i := range 8 {
		phase := coarse.at(i).rotated(fine.at(i))
		e.phase.c[i], e.phase.s[i] = phase.c, phase.s
	}
	now, before := e.at(e.ticks), e.at(e.ticks-1)
	for lane := range found {
		now.energy[lane] = before.energy[lane] + int64(squared[lane].sum())
		for i := range 8 {
			found := found[lane].at(i).rotated(e.phase.at(i))
			now.total[lane].c[i] = before.total[lane].c[i] + int32(found.c)
			now.total[lane].s[i] = before.total[lane].s[i] + int32(found.s)
		}
	}
	for i, w := range windows {
		s, before := &e.sums[i], e.at(e.ticks-w.ticks)
		if s.energy = float32(now.energy[w.lane] - before.energy[w.lane]); s.energy >= p.windows[i].least {
			subtractPlain(s, &now.total[w.lane], &before.total[w.lane])
		}
	}
	return difference.sum(), peak
}

// add takes a sample and its row of the table.
func (b *bins) add(row *bins, v float32) {
	for i := range b.c {
		b.c[i] = fused(v, row.c[i], b.c[i])
		b.s[i] = fused(v, row.s[i], b.s[i])
	}
}

// squares is a sum of squares, by the place in a block.
type squares [block]float32

func (s *squares) add(k int, v float32) (square float32) {
	square = float32(v * v)
	s[k] += square
	return square
}

func (s *squares) sum() float32 { return (s[0] + s[1]) + (s[2] + s[3]) }

// filterPlain makes a block of band and one of high: see filterPlan. It adds in three chains, so that a processor needn't do
// one addition after the other.
func filterPlain(s *filterState, m *filterMatrix, x []float32) [2 * block]float32 {
	var y filterColumn
	for place := range y {
		var chains [3]float32
		k := 0
		for i, end := range [...]int{block + 2, block + 5, block + states} {
			for first := k; k < end; k++ {
				var v float32
				if k < block {
					v = x[k]
				} else {
					v = s[crossed(k-block, halfOf(place))]
				}
				if k == first {
					chains[i] = float32(v * m[k][place])
				} else {
					chains[i] = fused(v, m[k][place], chains[i])
				}
			}
		}
		y[place] = chains[0] + (chains[1] + chains[2])
	}
	copy(s[:], y[2*block:])
	return [2 * block]float32(y[:2*block])
}

// subtractPlain sums what was found between two moments.
func subtractPlain(s *sum, now, before *total) {
	var power [8]float32
	s.row, s.col, s.strongest = 0, 0, 0
	for i := range power {
		s.c[i] = float32(now.c[i]-before.c[i]) * (1.0 / perSample)
		s.s[i] = float32(now.s[i]-before.s[i]) * (1.0 / perSample)
		power[i] = fused(s.c[i], s.c[i], float32(s.s[i]*s.s[i]))
		if i < 4 {
			s.row = max(s.row, power[i])
		} else {
			s.col = max(s.col, power[i])
		}
	}
	for i, v := range power {
		if i < 4 && v == s.row || i >= 4 && v == s.col {
			s.strongest |= 1 << i
		}
	}
}

// pair is the sums of a signal against the cosine and the sine of one frequency.
type pair struct{ c, s float32 }

func (b *bins) at(i int) pair { return pair{b.c[i], b.s[i]} }

// times moves the phase reference of p back by a rotation.
func (p pair) times(r pair) pair {
	return pair{float32(p.c*r.c) - float32(p.s*r.s), float32(p.s*r.c) + float32(p.c*r.s)}
}

// rotated is times, fused.
func (p pair) rotated(r pair) pair {
	return pair{fused(p.c, r.c, -float32(p.s*r.s)), fused(p.c, r.s, float32(p.s*r.c))}
}

// turned moves it on: what was summed moves into the past.
func (p pair) turned(r pair) pair { return p.times(pair{r.c, -r.s}) }

func (p pair) power() float32 { return float32(p.c*p.c) + float32(p.s*p.s) }

// fused is a*b+c, rounded once, as a processor's fused instruction does it. The product is exact in a float64; where the sum isn't, its
// last bit is made odd, so that rounding it a second time goes the way of all its bits (Boldo and Melquiond, 2008).
func fused(a, b, c float32) float32 {
	product, addend := float64(a)*float64(b), float64(c)
	sum := product + addend
	part := sum - product // what the sum has of the addend; of what is left of either it hasn't
	left := (product - (sum - part)) + (addend - part)
	if bits := math.Float64bits(sum); left != 0 && bits&1 == 0 {
		if (left > 0) == (sum > 0) {
			bits++
		} else {
			bits--
		}
		sum = math.Float64frombits(bits)
	}
	return float32(sum)
}
