// Command speed measures, in one run and on the same samples, what one leg costs: flattone's whole path, which suspects,
// confirms and masks, against the DTMF detector of Debian's libspandsp, which only confirms.
//
// It reports and judges nothing: a busy machine must not fail a build. Times are of the processor, from runs that take turns, and
// still depend on the machine; instructions, which callgrind counts, hardly do.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
)

// What the whole path may cost at the most, as a multiple of spandsp's detector, and what it should.
const (
	must = 3.0
	goal = 1.0
)

func main() {
	calls := flag.String("calls", "data/calls", "folder of the recorded calls")
	peer := flag.String("peer", "build/peers/spandsp_bench", "driver of spandsp's detector")
	runs := flag.Int("runs", 25, "how often each is timed; the median counts")
	one := flag.Int("one", 0, "internal: send the samples of the file named through flattone's path so many times, and report as the peer does")
	flag.Parse()
	var err error
	if *one > 0 {
		err = ours(flag.Arg(0), *one)
	} else {
		err = compare(*calls, *peer, max(1, *runs))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

// program is one of the two that are compared: it is run with the file of samples and a number of passes behind its arguments.
type program struct {
	name         string
	path         string
	args         func(file string, passes int) []string
	passes       int // that take about a second
	ns, worst    []float64
	instructions float64
}

func compare(calls, peer string, runs int) error {
	dir, err := os.MkdirTemp("", "flattone-speed-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "callers.s16")
	frames, err := writeCallers(calls, file)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	spandsp := &program{name: "spandsp, detector alone", path: peer, passes: 100,
		args: func(file string, passes int) []string { return []string{file, strconv.Itoa(passes)} }}
	flattone := &program{name: "flattone, whole path", path: self, passes: 10,
		args: func(file string, passes int) []string { return []string{"-one", strconv.Itoa(passes), file} }}
	both := []*program{spandsp, flattone}
	for range runs {
		for _, p := range both {
			if err := p.time(file); err != nil {
				return err
			}
		}
	}
	for _, p := range both {
		if err := p.count(file, frames); err != nil {
			return err
		}
	}
	fmt.Printf("three recorded callers, %v of speech and keys at 8 kHz, blocks of 160; median of %d runs that took turns, not pinned\n\n",
		audio.Rate8k.Duration(int64(frames)).Round(1e9), runs)
	fmt.Printf("%-26s %10s %21s %24s\n", "", "ns/sample", "instructions/sample", "worst / median block")
	for _, p := range both {
		fmt.Printf("%-26s %10.1f %21.1f %24.1f\n", p.name, median(p.ns), p.instructions, median(p.worst))
	}
	ratios := make([]float64, runs) // of runs side by side, for a neighbour of this machine may come and go
	for i := range ratios {
		ratios[i] = flattone.ns[i] / spandsp.ns[i]
	}
	fmt.Printf("%-26s %9.2fx %20.2fx\n\n", "ratio", median(ratios), flattone.instructions/spandsp.instructions)
	fmt.Printf("Bounds on both ratios: must <= %.1fx, goal <= %.1fx. Worst block: must <= 10x.\n", must, goal)
	return nil
}

// writeCallers joins the callers of the recorded calls, in whole blocks.
func writeCallers(calls, file string) (frames int, err error) {
	recordings, err := filepath.Glob(filepath.Join(calls, "*", "caller.wav"))
	if err != nil || len(recordings) == 0 {
		return 0, fmt.Errorf("no recorded calls in %s: run this in the repository, or name their folder with -calls", calls)
	}
	var raw []byte
	for _, name := range recordings {
		samples, err := readCaller(name)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		for _, v := range samples[:len(samples)/block*block] {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
		}
	}
	return len(raw) / 2, os.WriteFile(file, raw, 0o600)
}

func readCaller(name string) ([]int16, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	samples, rate, err := wav.ReadAll(f)
	if err == nil && rate != audio.Rate8k {
		err = fmt.Errorf("it has %v, and only 8 kHz can be compared", rate)
	}
	return samples, err
}

// time runs the program once.
func (p *program) time(file string) error {
	out, err := exec.Command(p.path, p.args(file, p.passes)...).Output()
	if err != nil {
		return fmt.Errorf("run %s: %w", p.path, err)
	}
	var ns, worst float64
	if _, err := fmt.Sscan(string(out), &ns, &worst); err != nil {
		return fmt.Errorf("%s printed %q: %w", p.path, out, err)
	}
	p.ns, p.worst = append(p.ns, ns), append(p.worst, worst)
	return nil
}

var collected = regexp.MustCompile(`Collected : (\d+)`)

// count has callgrind count one pass and three: what they differ by is the samples' alone, without start-up and end.
func (p *program) count(file string, frames int) error {
	var counts [2]float64
	for i, passes := range []int{1, 3} {
		args := append([]string{"--tool=callgrind", "--callgrind-out-file=/dev/null", p.path}, p.args(file, passes)...)
		c := exec.Command("valgrind", args...)
		// Little of the runtime but what the path calls for; and valgrind 3.19 knows no RDTSCP.
		c.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1,cpu.rdtscp=off")
		out, err := c.CombinedOutput()
		found := collected.FindSubmatch(out)
		if err != nil || found == nil {
			return fmt.Errorf("count the instructions of %s with valgrind: %w\n%s", p.path, err, out)
		}
		counts[i], _ = strconv.ParseFloat(string(found[1]), 64)
	}
	p.instructions = (counts[1] - counts[0]) / 2 / float64(frames)
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
