package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
)

const (
	block  = 160 // frames
	starts = 5   // of which each block's best is taken
)

// ours does for flattone's path what peers/spandsp_bench.c does for spandsp's detector, and says why so.
func ours(file string, passes int) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	x := make([]int16, len(raw)/2)
	for i := range x {
		x[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	var spent time.Duration
	err = onPath(func(flow func([]int16)) {
		began := threadTime()
		for range passes {
			for b := range slices.Chunk(x, block) {
				flow(b)
			}
		}
		spent = threadTime() - began
	})
	if err != nil {
		return err
	}
	took := make([]float64, len(x)/block)
	for n := range starts {
		err := onPath(func(flow func([]int16)) {
			for i := range took {
				began := time.Now()
				flow(x[i*block:][:block])
				if t := float64(time.Since(began)); n == 0 || t < took[i] {
					took[i] = t
				}
			}
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(took)
	fmt.Printf("%.3f %.3f\n", float64(spent)/float64(passes)/float64(len(x)), took[len(took)-1]/took[len(took)/2])
	return nil
}

// onPath measures on a path of its own: an armed line with the defaults. Flow is what a line does with a block.
func onPath(measure func(flow func(in []int16))) error {
	p, err := path.New(path.Config{Rate: audio.Rate8k})
	if err != nil {
		return err
	}
	defer p.Close()
	p.SetGrade(mask.Armed)
	out := make([]int16, block)
	measure(func(in []int16) {
		p.Write(in)
		p.Read(out)
		for _, ok := p.Next(); ok; _, ok = p.Next() {
		}
	})
	if f := p.Stats().Faults; f != 0 {
		return fmt.Errorf("the path had %d faults", f)
	}
	return nil
}

// threadTime is the processor time of this thread.
func threadTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD, which the package syscall doesn't name
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		panic(err) // the kernel knows its own thread
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
