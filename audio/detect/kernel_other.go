//go:build !amd64

package detect

func read(s *signal, x []int16, lag int) float32 { return readPlain(s, x, lag) }

func turn(c *clock, by *angles) { turnPlain(c, by) }

func push(l *lanes, table *[maxTick]bins, phase *bins, x *[len(lanes{})]signal, n, pos int) {
	pushPlain(l, table, phase, x, n, pos)
}

func runFilter(band, high []float32, s *filterState, m *filterMatrix, x []float32) {
	filterPlain(band, high, s, m, x)
}
