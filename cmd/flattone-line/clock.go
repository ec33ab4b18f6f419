//go:build !lab

package main

import "time"

// clock is the machine's.
func clock() (func() time.Time, error) { return time.Now, nil }
