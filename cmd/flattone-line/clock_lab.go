//go:build lab

package main

import (
	"fmt"
	"os"
	"time"
)

// clock is the machine's, or stands at the date in FLATTONE_LAB_TODAY: recorded cards expire, the tests that
// play them should not.
func clock() (func() time.Time, error) {
	fixed := os.Getenv("FLATTONE_LAB_TODAY")
	if fixed == "" {
		return time.Now, nil
	}
	day, err := time.Parse(time.DateOnly, fixed)
	if err != nil {
		return nil, fmt.Errorf("FLATTONE_LAB_TODAY: %w: write a date such as 2026-11-22", err)
	}
	return func() time.Time { return day }, nil
}
