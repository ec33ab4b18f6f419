//go:build !amd64

package detect

func read(s *signal, x []int16, lag int) float32 { return readPlain(s, x, lag) }

func turn(c *clock, by *angles) { turnPlain(c, by) }

func push(l *lanes, table *[maxTick]bins, phase *bins, x *[laneCount]signal, n, pos int) {
	pushPlain(l, table, phase, x, n, pos)
}

func runFilter(x *[laneCount]signal, s *filterState, m *filterMatrix, n int) {
	filterPlain(x, s, m, n)
}
