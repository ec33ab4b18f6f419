package path

// Cover has the caller replaced by the mask's noise, or no longer. It stands beside whatever the grade masks, and never opens anything; keys go on being heard, and
// have their flat tones where they would without it. What is heard depends on nothing that came in meanwhile but those.
//
//	heard   ── Cover(true)  ──▶ covered   from the next tick on that leaves: what the look-ahead holds is replaced with it
//	covered ── Cover(false) ──▶ heard     once all that came in by then has left, to the end of its tick: a look-ahead later
//
// The session's goroutine calls it.
func (p *Path) Cover(on bool) { p.cover.Store(on) }

// covers notes how far what was written came in while the line was covered, and reports whether the tick that leaves next did.
func (p *Path) covers(written int) bool {
	if p.cover.Load() {
		p.covered = written
	}
	return p.out < p.covered
}
