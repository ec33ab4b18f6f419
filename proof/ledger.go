package main

import (
	"maps"
	"slices"
)

// tally is what can be added up.
type tally[T any] interface {
	*T
	Add(*T)
}

// ledger has a tally for each series of each category; that of series "" is the category's whole.
type ledger[T any, P tally[T]] map[string]map[string]P

func (l ledger[T, P]) at(category, series string) P {
	if l[category] == nil {
		l[category] = map[string]P{}
	}
	if l[category][series] == nil {
		l[category][series] = new(T)
	}
	return l[category][series]
}

// take enters what one unit gave, series by series.
func (l ledger[T, P]) take(category string, unit map[string]P) {
	for series, t := range unit {
		l.at(category, "").Add(t)
		if series != "" {
			l.at(category, series).Add(t)
		}
	}
}

// merge adds a ledger of the same shape.
func (l ledger[T, P]) merge(o ledger[T, P]) {
	for category, all := range o {
		for series, t := range all {
			l.at(category, series).Add(t)
		}
	}
}

// sum over the categories that keep tells.
func (l ledger[T, P]) sum(keep func(category string) bool) P {
	total := P(new(T))
	for category, all := range l {
		if keep(category) {
			total.Add(all[""])
		}
	}
	return total
}

func (l ledger[T, P]) categories() []string { return slices.Sorted(maps.Keys(l)) }
