package modem

import "time"

// clock is the modem's crystal: how many samples are due by when.
type clock struct {
	ppm, slower int64 // millionths faster; how many times slower
	since       time.Time
	at          int64 // the sample that was due then
}

// rate is in millionths of a sample a millisecond: all is counted whole, so that ten minutes lose nothing by rounding.
func (c *clock) rate() int64 { return 8 * (1e6 + c.ppm) / c.slower }

// perSample is what a sample is in microseconds times the rate.
const perSample = 1e3 * 1e6

// due is the sample that is due now.
func (c *clock) due() int64 { return c.at + time.Since(c.since).Microseconds()*c.rate()/perSample }

// until is how long it is until a sample is due.
func (c *clock) until(sample int64) time.Duration {
	micros := ((sample-c.at)*perSample + c.rate() - 1) / c.rate()
	return time.Duration(micros)*time.Microsecond - time.Since(c.since)
}

// set makes a sample the one that is due now.
func (c *clock) set(sample int64) { c.since, c.at = time.Now(), sample }
