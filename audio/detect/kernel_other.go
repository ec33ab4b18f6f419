//go:build !amd64

package detect

func hear(e *ear, p *plan, x []int16) (energy, peak float32) {
	return hearPlain(e, p, x)
}

func subtract(s *sum, now, before *total) { subtractPlain(s, now, before) }
