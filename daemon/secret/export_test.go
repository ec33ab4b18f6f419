package secret

// Behind is the memory of t behind its last digit.
func Behind(t *Text) []byte { return t.memory()[1+t.Len():] }

// Memory is the memory of the whole card.
func Memory(c *Card) []byte { return c.memory() }
