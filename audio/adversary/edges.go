package adversary

import "math"

const (
	edgeBefore = 60 // ticks before a key, and after its end, in which its mask is looked at
	edgeAfter  = 300
	coarsest   = 40 // ticks: the widest grid that edges are expected on
	gridShare  = 0.9
	gridLeast  = 20 // edges from which a grid can be told
)

// edges are what the attacker sees who looks only at where masking begins and ends and where flat tones sound: one
// row for each key. An edge that lies too far away to be this key's own is NaN.
func (h *hearing) edges() [][]float64 {
	perTick := h.perTick
	begins := make([]int, len(h.spans))
	var seen []int
	for k := range h.spans {
		begins[k] = h.begin(k)
		if begins[k] >= 0 {
			seen = append(seen, begins[k])
		}
	}
	grid := gridOf(seen)
	rows := make([][]float64, len(h.spans))
	for k, span := range h.spans {
		start, end := span[0]/perTick, span[1]/perTick
		from, to := h.near(k)
		f := []float64{ // of the grid, for edges on it go with the key's own place
			float64(span[0] % perTick), float64(start % 100), nan, nan, nan, nan, nan,
		}
		// On a grid, what tells is the line the mask begins on, given where between the lines the key did.
		lines := make([]float64, grid*gridLines)
		if b := begins[k]; b >= 0 {
			f[2] = float64(b*perTick - span[0])
			if line := b/grid - start/grid + gridLines - 3; line >= 0 && line < gridLines {
				lines[start%grid*gridLines+line] = 1
			}
		}
		if u := h.until(k); u >= 0 {
			f[3] = float64(u*perTick - span[1])
			if begins[k] >= 0 {
				f[4] = float64(u - begins[k])
			}
		}
		if t := first(h.toned, start-edgeBefore/3, start+edgeAfter+edgeBefore); t >= 0 {
			f[5] = float64(t - start)
			f[6] = float64(count(h.toned, t, t+edgeAfter))
		}
		f = append(f, float64(start-from-count(h.masked, from, start)), float64(end-start-count(h.masked, start, end)),
			float64(count(h.masked, end, min(to, end+edgeBefore))), float64(count(h.masked, end, to)), float64(count(h.toned, from, to)),
			float64(runs(h.masked, from, to)))
		rows[k] = append(f, lines...)
	}
	return rows
}

// gridLines is how many lines before and after the one that a key starts on are told apart.
const gridLines = 6

var nan = math.NaN()

// near are the ticks around key k that aren't its neighbours'.
func (h *hearing) near(k int) (from, to int) {
	start, end := h.spans[k][0]/h.perTick, h.spans[k][1]/h.perTick
	from, to = max(0, start-edgeBefore), min(len(h.masked), end+edgeAfter)
	if k > 0 {
		from = min(start, max(from, h.spans[k-1][1]/h.perTick))
	}
	if k+1 < len(h.spans) {
		to = max(min(end, len(h.masked)), min(to, h.spans[k+1][0]/h.perTick))
	}
	return from, to
}

// begin is the tick at which the mask of key k begins, -1 if it doesn't near it.
func (h *hearing) begin(k int) int {
	start, end := h.spans[k][0]/h.perTick, h.spans[k][1]/h.perTick
	from, _ := h.near(k)
	t := first(h.masked, start, end+1)
	if t < 0 {
		return -1
	}
	for t > from && h.masked[t-1] {
		t--
	}
	if t == from {
		return -1
	}
	return t
}

// until is one past the last tick of the mask over the end of key k, -1 if it doesn't end near it.
func (h *hearing) until(k int) int {
	end := h.spans[k][1] / h.perTick
	_, to := h.near(k)
	for t := max(0, end-1); t < to; t++ {
		if !h.masked[t] {
			return t
		}
	}
	return -1
}

// gridOf is the widest grid that nearly all edges lie on, 1 if there is none.
func gridOf(edges []int) int {
	if len(edges) < gridLeast {
		return 1
	}
	for grid := coarsest; grid > 1; grid-- {
		on := make([]int, grid)
		for _, e := range edges {
			if on[e%grid]++; float64(on[e%grid]) >= gridShare*float64(len(edges)) {
				return grid
			}
		}
	}
	return 1
}

// quiet is what a blind attacker takes for mask: what sounds as its tone, or no louder than what is heard under most
// keys.
func (h *hearing) quiet() []bool {
	a := h.attack
	var under [][]float64
	n := a.samples(1)
	for _, span := range a.keys {
		for at := span[0]; at+n <= min(span[1], len(a.y)); at += n {
			under = append(under, a.y[at:at+n])
		}
	}
	floor := 4*median(under, energyOf) + float64(n)
	masked := make([]bool, len(h.toned))
	for t := range masked {
		at := int(float64(t) * h.tick)
		masked[t] = h.toned[t] || energyOf(a.y[at:min(len(a.y), at+n)]) <= floor
	}
	return masked
}

func first(x []bool, from, to int) int {
	for t := max(0, from); t < min(to, len(x)); t++ {
		if x[t] {
			return t
		}
	}
	return -1
}

func count(x []bool, from, to int) (n int) {
	for t := max(0, from); t < min(to, len(x)); t++ {
		if x[t] {
			n++
		}
	}
	return n
}

// runs is how often x begins to be true.
func runs(x []bool, from, to int) (n int) {
	for t := max(1, from); t < min(to, len(x)); t++ {
		if x[t] && !x[t-1] {
			n++
		}
	}
	return n
}
