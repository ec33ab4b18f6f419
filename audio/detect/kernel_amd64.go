package detect

import "golang.org/x/sys/cpu"

var avx = cpu.X86.HasAVX

//go:noescape
func readAVX(s *signal, x *int16, n, lag int) float32

//go:noescape
func turnAVX(c *clock, by *angles)

//go:noescape
func pushAVX(l *lanes, table *[maxTick]bins, phase *bins, x *[laneCount]signal, n, pos int)

//go:noescape
func filterAVX(x *[laneCount]signal, s *filterState, m *filterMatrix, n int)

func read(s *signal, x []int16, lag int) float32 {
	if !avx {
		return readPlain(s, x, lag)
	}
	return readAVX(s, &x[0], len(x), lag)
}

func turn(c *clock, by *angles) {
	if !avx {
		turnPlain(c, by)
		return
	}
	turnAVX(c, by)
}

func push(l *lanes, table *[maxTick]bins, phase *bins, x *[laneCount]signal, n, pos int) {
	if !avx {
		pushPlain(l, table, phase, x, n, pos)
		return
	}
	pushAVX(l, table, phase, x, n, pos)
}

func runFilter(x *[laneCount]signal, s *filterState, m *filterMatrix, n int) {
	if !avx {
		filterPlain(x, s, m, n)
		return
	}
	filterAVX(x, s, m, n)
}
