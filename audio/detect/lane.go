package detect

// angles are cosines and sines, one of each for each frequency.
type angles struct{ cos, sin [8]float64 }

// clock is the phase that each frequency has reached since the first tick.
type clock struct {
	fine  angles // so fine that it stays true for years
	phase bins
}

func (c *clock) start() {
	for i := range c.fine.cos {
		c.fine.cos[i] = 1
	}
}

// lane keeps the projections of one signal: a history of ticks, and running sums over windows of them. All
// share the phase reference of the first tick, so that a sum is kept by adding and taking away; only what is
// fitted is turned to the end of its window, for which the Gram inverses are made.
type lane struct {
	history [depth]bins
	energy  [depth]float32
	windows int
	ticks   [maxWindows]int // of each window,
	sums    [maxWindows]bins
	power   [maxWindows]float32 // the energy in it,
	tops    [maxWindows]top
}

// lanes are those of the three signals, by their names.
type lanes [laneCount]lane

const (
	plain, band, high = 0, 1, 2
	laneCount         = 3
)

const freshTicks = 64 // between two sums that are made afresh, a power of two

func (l *lanes) start(p *plan) {
	for i := range l {
		l[i].windows = len(windowTicks[i])
		for w := range l[i].windows {
			l[i].ticks[w] = p.windows[i][w].ticks
		}
	}
}

// push takes a tick, with its number, of all signals.
func (l *lanes) push(p *plan, now *clock, x *[laneCount]signal, tick int) {
	push(l, &p.table, &now.phase, x, p.tick, tick)
	// Float error grows with each step, so the sums are made afresh in turn.
	if tick&(freshTicks-1) == 0 {
		w := tick / freshTicks % (laneCount * maxWindows)
		l[w/maxWindows].sum(w%maxWindows, tick)
	}
}

func (l *lane) sum(w, tick int) {
	if w < l.windows {
		l.sums[w], l.power[w] = l.last(l.ticks[w], tick)
		l.tops[w] = l.sums[w].top()
	}
}

// last sums the last ticks, and their energy.
func (l *lane) last(ticks, tick int) (sums bins, energy float32) {
	for k := ticks - 1; k >= 0; k-- {
		at := (tick - k) & (depth - 1)
		energy += l.energy[at]
		for i := range sums.c {
			sums.c[i] += l.history[at].c[i]
			sums.s[i] += l.history[at].s[i]
		}
	}
	return sums, energy
}

// fit is how one row and one column explain a window.
type fit struct {
	share    float32 // of the window's energy, 0 to 1
	key      int     // row*4 + column
	row, col pair    // amplitudes: coefficients of cosine and sine, phase 0 at the window's end
}

// best fits the strongest row and the strongest column to a window.
func (l *lane) best(win *window, now *clock) fit {
	sums := &l.sums[win.index]
	return solve(win, sums, &now.phase, strongest(sums), l.power[win.index])
}

// may reports whether a fit to a window can explain a share of its energy.
func (l *lane) may(win *window, share float32) bool {
	return win.may(l.tops[win.index], l.power[win.index], share)
}

// may reports the same of sums, by the powers of their strongest row and column. What a fit explains is a quadratic form of the
// sums, and at most their power times the greatest eigenvalue.
func (w *window) may(t top, energy, share float32) bool {
	return energy >= leastEnergy && (t.row+t.col)*w.gain >= share*energy
}

func strongest(sums *bins) int {
	row, col := 0, 4
	rowPower, colPower := sums.at(0).power(), sums.at(4).power()
	for i := 1; i < 4; i++ {
		if p := sums.at(i).power(); p > rowPower {
			row, rowPower = i, p
		}
		if p := sums.at(4 + i).power(); p > colPower {
			col, colPower = 4+i, p
		}
	}
	return row*4 + col - 4
}

// leastEnergy of a window, below which nothing is fitted: digital silence and the filter's decay.
const leastEnergy = 64

// solve fits a key to sums whose window ended at a phase.
func solve(win *window, sums *bins, phase *bins, key int, energy float32) fit {
	f := fit{key: key}
	if energy < leastEnergy {
		return f
	}
	m, row, col := &win.inverse[key], key/4, 4+key%4
	r, c := sums.at(row).turned(phase.at(row)), sums.at(col).turned(phase.at(col))
	f.row.c = m[0][0]*r.c + m[0][1]*r.s + m[0][2]*c.c + m[0][3]*c.s
	f.row.s = m[1][0]*r.c + m[1][1]*r.s + m[1][2]*c.c + m[1][3]*c.s
	f.col.c = m[2][0]*r.c + m[2][1]*r.s + m[2][2]*c.c + m[2][3]*c.s
	f.col.s = m[3][0]*r.c + m[3][1]*r.s + m[3][2]*c.c + m[3][3]*c.s
	f.share = (f.row.c*r.c + f.row.s*r.s + f.col.c*c.c + f.col.s*c.s) / energy
	return f
}
