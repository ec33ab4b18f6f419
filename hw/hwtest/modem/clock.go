package modem

import "time"

// clock is the modem's crystal: how many samples are due by when.
type clock struct {
	ppm, slower int64 // millionths faster; how many times slower
	since       time.Time
	at          int64 // the sample that was due then
}

// Samples a second in millionths, and nanoseconds a second: time is counted whole, so that no sample is ever lost by rounding.
func (c *clock) rate() int64 { return 8 * (1e6 + c.ppm) / c.slower } // a millisecond

const inMillis = int64(time.Millisecond) * 1e6

// due is the sample that is due now.
func (c *clock) due() int64 { return c.at + int64(time.Since(c.since))/1000*c.rate()/(inMillis/1000) }

// until is how long it is until a sample is due.
func (c *clock) until(sample int64) time.Duration {
	d := (sample-c.at)*(inMillis/1000) + c.rate() - 1
	return time.Duration(d/c.rate()*1000) - time.Since(c.since)
}

// set makes a sample the one that is due now.
func (c *clock) set(sample int64) { c.since, c.at = time.Now(), sample }
