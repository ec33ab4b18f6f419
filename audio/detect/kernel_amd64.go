package detect

import "golang.org/x/sys/cpu"

var avx2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

//go:noescape
func hearAVX2(e *ear, p *plan, x *int16) (energy, peak float32)

//go:noescape
func subtractAVX2(s *sum, now, before *total)

func hear(e *ear, p *plan, x []int16) (energy, peak float32) {
	if !avx2 {
		return hearPlain(e, p, x)
	}
	return hearAVX2(e, p, &x[0])
}

func subtract(s *sum, now, before *total) {
	if !avx2 {
		subtractPlain(s, now, before)
		return
	}
	subtractAVX2(s, now, before)
}
