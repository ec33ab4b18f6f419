package path

// BreakDetector and BreakMasker take the state away from these, so that the next tick panics.
func (p *Path) BreakDetector() error { return p.detect.Close() }

func (p *Path) BreakMasker() error { return p.mask.Close() }
