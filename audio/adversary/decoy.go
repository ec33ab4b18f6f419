package adversary

const (
	decoysLeast = 8    // readings, from which their agreement with the truth says something
	decoyChance = 0.01 // of so many agreements, below which readings are no decoys
)

// decoys counts the sure readings, if they have nothing to do with what was pressed: neither symbols, nor rows, nor
// columns agree with the truth more often than chance has it. So it is where a mask is itself a key's tone, of
// a random key or always the same. If any agree, it answers 0.
func decoys(guesses []guess, truth []int) int {
	var said, was []int
	for i, g := range guesses {
		if g.logRatio > Threshold {
			said, was = append(said, g.symbol), append(was, truth[i])
		}
	}
	if len(said) < decoysLeast {
		return 0
	}
	for _, part := range []func(symbol int) int{
		func(s int) int { return s },
		func(s int) int { return s / 4 },
		func(s int) int { return s % 4 },
	} {
		var n, m [16]float64
		agree := 0
		for i := range said {
			n[part(said[i])]++
			m[part(was[i])]++
			if part(said[i]) == part(was[i]) {
				agree++
			}
		}
		chance := 0.0
		for i := range n {
			chance += n[i] * m[i] / float64(len(said)*len(said))
		}
		// Of a card of few digits chance has much, and readings must then be clearly nearer to it than to the truth.
		if AtLeast(agree, len(said), chance) < decoyChance || float64(agree) >= (1+chance)/2*float64(len(said)) {
			return 0
		}
	}
	return len(said)
}
