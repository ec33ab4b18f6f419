//go:build cgo

package sound

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// looker looks at mixers.
type looker struct {
	mixers []*watched
	err    error // why it doesn't know of others
}

// watched is a mixer, which is nil as long as it isn't open.
type watched struct {
	name    string
	kernels bool // a card's of the kernel, which always has one
	mixer   *mixer
	unknown bool // there is none
}

// newLooker looks at the mixers of the kernel's cards that this process has open, and at those named like a device.
func newLooker(devices []string) *looker {
	l := &looker{}
	numbers, err := cardsOpen("/proc/self/fd")
	l.err = err
	for _, n := range numbers {
		l.mixers = append(l.mixers, &watched{name: "hw:" + n, kernels: true})
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(devices))) {
		l.mixers = append(l.mixers, &watched{name: name})
	}
	return l
}

// pcm is a kernel's device that carries sound.
var pcm = regexp.MustCompile(`^/dev/snd/pcmC(\d+)D`)

// cardsOpen are the numbers of the kernel's cards of which a process has a device open, by the folder of what it has open.
func cardsOpen(fds string) (numbers []string, err error) {
	entries, err := os.ReadDir(fds)
	if err != nil {
		return nil, fmt.Errorf("sound: learn which cards are open: %w", err)
	}
	for _, e := range entries {
		to, _ := os.Readlink(filepath.Join(fds, e.Name())) // one that is gone was closed
		if m := pcm.FindStringSubmatch(to); m != nil && !slices.Contains(numbers, m[1]) {
			numbers = append(numbers, m[1])
		}
	}
	return numbers, nil
}

// run passes on what it sees, once at the beginning, whenever a mixer has changed, and every lookEvery at the least, until ctx ends.
func (l *looker) run(ctx context.Context, looks chan<- look) {
	defer l.close()
	end, ends, err := os.Pipe()
	if err != nil { // it never looks, which counts as a mixer that doesn't answer
		return
	}
	defer end.Close()
	context.AfterFunc(ctx, func() { ends.Close() })
	for {
		select {
		case looks <- l.look():
			l.wait(end)
		case <-ctx.Done():
			return
		}
	}
}

// wait returns when a mixer has changed, when it is time for the next look, or when the other end of the pipe is closed.
func (l *looker) wait(end *os.File) {
	next := time.Now().Add(lookEvery)
	for {
		fds := []unix.PollFd{{Fd: int32(end.Fd()), Events: unix.POLLIN}}
		for _, w := range l.mixers {
			if w.mixer != nil {
				fds = append(fds, w.mixer.wakes()...)
			}
		}
		_, _ = unix.Poll(fds, int(time.Until(next).Milliseconds())+1) // whatever it says, the mixers are asked
		if fds[0].Revents != 0 {
			return
		}
		changed := l.changed()
		time.Sleep(lookLeast)
		if changed || !time.Now().Before(next) {
			return
		}
	}
}

// changed reports whether a mixer told so. One that fails is left to the next look.
func (l *looker) changed() (any bool) {
	for _, w := range l.mixers {
		if w.mixer == nil {
			continue
		}
		changed, err := w.mixer.changed()
		if any = any || changed || err != nil; err != nil {
			w.close()
		}
	}
	return any
}

func (l *looker) close() {
	for _, w := range l.mixers {
		w.close()
	}
}

func (l *looker) look() look {
	all := look{err: l.err}
	for _, w := range l.mixers {
		open, err := w.monitors()
		if err != nil {
			w.close()
		}
		all.open, all.err = append(all.open, open...), errors.Join(all.err, err)
	}
	return all
}

func (w *watched) monitors() (open []Monitor, err error) {
	if w.mixer == nil && !w.unknown {
		if w.mixer, err = openMixer(w.name); err != nil {
			return nil, err
		}
		w.unknown = w.mixer == nil
	}
	switch {
	case w.mixer != nil:
		return w.mixer.monitors()
	case w.kernels:
		return nil, fmt.Errorf("sound: ALSA's configuration knows no mixer %s: look for ctl.hw in it", w.name)
	}
	return nil, nil
}

func (w *watched) close() {
	if w.mixer != nil {
		w.mixer.close()
		w.mixer = nil
	}
}
