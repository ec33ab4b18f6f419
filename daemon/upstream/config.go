package upstream

import (
	"errors"
	"time"
)

// Config says who is told.
type Config struct {
	Box          string // whose leases these are, where boxes share a store
	Destinations []Destination
}

// Destination is who is told, how, and how patiently.
type Destination struct {
	Name    string
	Sender  Sender // the outbox's to close
	Format  Format
	Timeout time.Duration // of one attempt; default 10 s
	BackOff time.Duration // the most before the second attempt; doubles with each; default 1 s
	MaxWait time.Duration // the most before any attempt; default 5 min
	GiveUp  time.Duration // since an event's first attempt, until it is a dead letter; default 72 h
	AtOnce  int           // how many events, each of another key, are on their way at the same time; default 64
}

func (d Destination) withDefaults() Destination {
	for _, t := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&d.Timeout, 10 * time.Second}, {&d.BackOff, time.Second}, {&d.MaxWait, 5 * time.Minute}, {&d.GiveUp, 72 * time.Hour}} {
		if *t.value == 0 {
			*t.value = t.usual
		}
	}
	if d.AtOnce == 0 {
		d.AtOnce = 64
	}
	return d
}

// check joins all faults of a destination.
func (d Destination) check() error {
	var faults []error
	if d.Name == "" {
		faults = append(faults, errors.New("it needs a name"))
	}
	if d.Sender == nil {
		faults = append(faults, errors.New("it needs a sender"))
	}
	if d.Timeout < 0 || d.BackOff < 0 || d.MaxWait < d.BackOff || d.GiveUp < 0 {
		faults = append(faults, errors.New("times must be above 0, and the longest wait no shorter than the first"))
	}
	if d.AtOnce < 0 {
		faults = append(faults, errors.New("at least one event must be on its way at a time"))
	}
	return errors.Join(faults...)
}
