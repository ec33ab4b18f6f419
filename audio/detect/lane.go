package detect

// pair is the sums of a signal against the cosine and the sine of one frequency.
type pair struct{ c, s float32 }

// turned moves the phase reference of p on by a rotation: what was summed moves into the past.
func (p pair) turned(r phasor) pair {
	return pair{p.c*r.cos + p.s*r.sin, p.s*r.cos - p.c*r.sin}
}

// back moves it back.
func (p pair) back(r phasor) pair {
	return pair{p.c*r.cos - p.s*r.sin, p.s*r.cos + p.c*r.sin}
}

func (p pair) power() float32 { return p.c*p.c + p.s*p.s }

// clock is the phase that each frequency has reached since the first tick.
type clock struct {
	fine  [8]struct{ cos, sin float64 } // so fine that it stays true for years
	phase [8]phasor
}

func (c *clock) start() {
	for i := range c.fine {
		c.fine[i].cos = 1
	}
}

func (c *clock) turn(p *plan) {
	for i := range c.fine {
		f, t := &c.fine[i], &p.turn[i]
		f.cos, f.sin = f.cos*t.cos-f.sin*t.sin, f.sin*t.cos+f.cos*t.sin
		c.phase[i] = phasor{float32(f.cos), float32(f.sin)}
	}
}

// lane keeps the projections of one signal: a history of ticks, and running sums over windows of them. All
// share the phase reference of the first tick, so that a sum is kept by adding and taking away; only what is
// fitted is turned to the end of its window, for which the Gram inverses are made.
type lane struct {
	pos    int // ticks pushed
	blocks [depth][8]pair
	energy [depth]float32
	sums   [maxWindows][8]pair
	power  [maxWindows]float32
}

func (l *lane) push(p *plan, now *clock, windows []window, x []float32) {
	cur := &l.blocks[l.pos&(depth-1)]
	for i := range cur {
		cos, sin := p.table[i][0][:len(x)], p.table[i][1][:len(x)]
		var c, s float32
		for k, v := range x {
			c += v * cos[k]
			s += v * sin[k]
		}
		cur[i] = pair{c, s}.back(now.phase[i])
	}
	var e float32
	for _, v := range x {
		e += v * v
	}
	l.energy[l.pos&(depth-1)] = e
	l.pos++
	// Float error grows with each step, so the sums are made afresh, one window a tick in turn.
	fresh := l.pos & 31
	for w := range windows {
		if w == fresh {
			l.sum(&windows[w])
			continue
		}
		gone := (l.pos - 1 - windows[w].ticks) & (depth - 1)
		l.power[w] += e - l.energy[gone]
		sums, old := &l.sums[w], &l.blocks[gone]
		for i := range sums {
			sums[i].c += cur[i].c - old[i].c
			sums[i].s += cur[i].s - old[i].s
		}
	}
}

func (l *lane) sum(win *window) {
	var sums [8]pair
	var e float32
	for k := win.ticks; k >= 1; k-- {
		at := (l.pos - k) & (depth - 1)
		e += l.energy[at]
		for i := range sums {
			sums[i].c += l.blocks[at][i].c
			sums[i].s += l.blocks[at][i].s
		}
	}
	l.sums[win.index], l.power[win.index] = sums, e
}

// fit is how one row and one column explain a window.
type fit struct {
	share    float32 // of the window's energy, 0 to 1
	row, col pair    // amplitudes: coefficients of cosine and sine, phase 0 at the window's end
}

// best fits the strongest row and the strongest column.
func (l *lane) best(win *window, now *clock) fit {
	sums := &l.sums[win.index]
	return solve(win, sums, &now.phase, strongest(sums), l.power[win.index])
}

func strongest(sums *[8]pair) int {
	row, col := 0, 4
	rowPower, colPower := sums[0].power(), sums[4].power()
	for i := 1; i < 4; i++ {
		if p := sums[i].power(); p > rowPower {
			row, rowPower = i, p
		}
		if p := sums[4+i].power(); p > colPower {
			col, colPower = 4+i, p
		}
	}
	return row*4 + col - 4
}

// leastEnergy of a window, below which nothing is fitted: digital silence and the filter's decay.
const leastEnergy = 64

// solve fits a key to sums whose window ended at a phase.
func solve(win *window, sums *[8]pair, phase *[8]phasor, key int, energy float32) fit {
	var f fit
	if energy < leastEnergy {
		return f
	}
	m := &win.inverse[key]
	r, c := sums[key/4].turned(phase[key/4]), sums[4+key%4].turned(phase[4+key%4])
	f.row.c = m[0][0]*r.c + m[0][1]*r.s + m[0][2]*c.c + m[0][3]*c.s
	f.row.s = m[1][0]*r.c + m[1][1]*r.s + m[1][2]*c.c + m[1][3]*c.s
	f.col.c = m[2][0]*r.c + m[2][1]*r.s + m[2][2]*c.c + m[2][3]*c.s
	f.col.s = m[3][0]*r.c + m[3][1]*r.s + m[3][2]*c.c + m[3][3]*c.s
	f.share = (f.row.c*r.c + f.row.s*r.s + f.col.c*c.c + f.col.s*c.s) / energy
	return f
}
