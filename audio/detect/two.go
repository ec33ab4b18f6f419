package detect

// Two keys pressed at once are no pair to a fit, and neither is confirmed. Two rows and two columns explain what is heard then, the same
// ones in two windows of ten ticks, end to end. So they do where one more tone lies over a key.
const (
	twoShare = 0.86 // of the energy of either window,
	twoAlike = 2    // ratio of their energies,
	twoTwist = 16   // and of the strongest row and column in each: 12 dB
	twoLeast = 0.7  // of it, reckoned as though the tones were apart: below that nothing is fitted
	twoEvery = 2    // ticks from one look to the next: it is no quick one
)

// two judges the last 20 ticks.
func two(p *plan, e *ear) bool {
	// The stronger row and the stronger column hold half of what four tones do, or nearly.
	s := &e.sums[eight]
	if s.energy < p.windows[eight].least || s.row+s.col < twoShare/2*float32(eightTicks/2*p.tick)*s.energy {
		return false
	}
	later, energy := e.twoKeys(p, e.ticks)
	if later == 0 {
		return false
	}
	earlier, before := e.twoKeys(p, e.ticks-halfTicks)
	return earlier == later && alike(energy, before, twoAlike)
}

// twoKeys tells which four tones explain ten ticks up to an end, a bit for each, 0 if none do, and the energy there.
func (e *ear) twoKeys(p *plan, end int64) (tones uint32, energy float32) {
	s := sum{energy: e.energy(band, halfTicks, end)}
	n := float32(halfTicks*p.tick) / 2 // a tone's power is n times the energy that it explains
	if s.energy < 2*n*looseFloor {
		return 0, 0
	}
	e.sum(&s, band, halfTicks, end)
	if !pairOf(s.row, s.col, looseFloor*n*n, twoTwist) {
		return 0, 0
	}
	var four [4]int
	four[0], four[1] = s.strongestTwo(0)
	four[2], four[3] = s.strongestTwo(4)
	var power float32
	for _, i := range four {
		power += s.at(i).power()
		tones |= 1 << i
	}
	if power < twoLeast*n*s.energy || e.explained(p, &s, end, &four) < twoShare*s.energy {
		return 0, 0
	}
	return tones, s.energy
}

// strongestTwo are those of four frequencies, from one on.
func (s *sum) strongestTwo(from int) (a, b int) {
	a, b = from, from+1
	if s.at(b).power() > s.at(a).power() {
		a, b = b, a
	}
	for i := from + 2; i < from+4; i++ {
		switch power := s.at(i).power(); {
		case power > s.at(a).power():
			a, b = i, a
		case power > s.at(b).power():
			b = i
		}
	}
	return a, b
}

// explained is how much of the energy of ten ticks up to an end four tones explain, by least squares: x'Gx, where G is their Gram matrix,
// and Gx the sums. With G = LL', that is the square of y, where Ly are the sums.
func (e *ear) explained(p *plan, s *sum, end int64, tones *[4]int) (energy float32) {
	var at [8]int // in p.gram
	var y [8]float32
	for i, k := range tones {
		turned := s.at(k).turned(e.phaseAt(p, end, k))
		at[2*i], at[2*i+1] = 2*k, 2*k+1
		y[2*i], y[2*i+1] = turned.c, turned.s
	}
	var l [8][8]float32
	for i := range l {
		for j := range i + 1 {
			g := p.gram[at[i]][at[j]]
			for k := range j {
				g -= l[i][k] * l[j][k]
			}
			if i == j {
				l[i][i] = sqrt(g)
			} else {
				l[i][j] = g / l[j][j]
				y[i] -= l[i][j] * y[j]
			}
		}
		y[i] /= l[i][i]
		energy += y[i] * y[i]
	}
	return energy
}
