package recording

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio"
)

// rig is a Recorder in a synctest bubble, whose disk has room.
type rig struct {
	t   *testing.T
	tap *Tap
	r   *Recorder

	mu    sync.Mutex
	codes []Code
	free  uint64
	err   error
}

// newRig runs a Recorder until stop, or the test's end.
func newRig(t *testing.T, most time.Duration) (g *rig, stop func()) {
	t.Helper()
	tap, err := NewTap(audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	g = &rig{t: t, tap: tap, free: Spare}
	g.r = New(Config{Line: "desk-1", Rate: audio.Rate8k, Folder: filepath.Join(t.TempDir(), "calls"), Most: most}, tap, func(c Code) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.codes = append(g.codes, c)
	}, slog.New(slog.DiscardHandler))
	g.r.free = func(string) (uint64, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.free, g.err
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.r.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
		if err := tap.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return g, stop
}

// turn is one period of the device.
func (g *rig) turn(said, heard []int16) {
	g.tap.Take(said)
	g.tap.Fill(heard)
}

// disk sets how much is free, and what looking for it ends with.
func (g *rig) disk(free uint64, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free, g.err = free, err
}

// told is what was told since it was asked for last.
func (g *rig) told() []Code {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer func() { g.codes = nil }()
	return g.codes
}

// settle lets the Recorder write what there is.
func settle() {
	time.Sleep(drainEvery)
	synctest.Wait()
}

// files are the folder's recordings, oldest first, by what is in them: left and right.
func (g *rig) files() (all [][2][]int16) {
	g.t.Helper()
	names, err := filepath.Glob(filepath.Join(g.r.cfg.Folder, "*.wav"))
	if err != nil {
		g.t.Fatal(err)
	}
	slices.SortFunc(names, func(a, b string) int { return age(g.t, a).Compare(age(g.t, b)) })
	for _, name := range names {
		if !regexp.MustCompile(`^desk-1-\d{8}T\d{6}Z-[a-z2-7]{12}\.wav$`).MatchString(filepath.Base(name)) {
			g.t.Errorf("a recording is named %s", name)
		}
		left, right := channels(g.t, name)
		all = append(all, [2][]int16{left, right})
	}
	return all
}

// age is a file's time, as its name has it.
func age(t *testing.T, name string) time.Time {
	t.Helper()
	when, err := time.Parse("20060102T150405Z", filepath.Base(name)[len("desk-1-"):len("desk-1-")+16])
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// channels reads a recording as any player would: by its header, which must tell exactly what is there.
func channels(t *testing.T, name string) (left, right []int16) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has the mode %v", name, info.Mode().Perm())
	}
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	if len(b) < 44 || string(b[:4]) != "RIFF" || u32(b[4:]) != uint32(len(b)-8) || u16(b[20:]) != 1 || u16(b[22:]) != 2 ||
		u32(b[24:]) != 8000 || u32(b[28:]) != 32000 || u16(b[32:]) != 4 || u16(b[34:]) != 16 || u32(b[40:]) != uint32(len(b)-44) {
		t.Fatalf("%s has a header that isn't true: % x", name, b[:min(44, len(b))])
	}
	for at := 44; at+4 <= len(b); at += 4 {
		left, right = append(left, int16(u16(b[at:]))), append(right, int16(u16(b[at+2:])))
	}
	return left, right
}

// sound is frames that can be told from each other.
func sound(at, n int) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = int16((at+i)*7919%20000 - 10000)
	}
	return out
}

func TestACallIsAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, stop := newRig(t, time.Hour)
		g.turn(sound(1, 100), sound(2, 100)) // before any call
		g.r.Call(true)
		g.turn(sound(1000, 80), sound(2000, 80))
		g.tap.Lost(80)
		g.tap.Fill(sound(2080, 80))
		settle()
		if all := g.files(); len(all) != 1 || len(all[0][0]) != 160 {
			t.Fatal("what was said isn't in the file while the call goes on")
		}
		g.turn(sound(1160, 80), sound(2160, 80))
		g.r.Call(false)
		g.turn(sound(5, 80), sound(6, 80)) // after it
		time.Sleep(time.Second)
		g.r.Call(true)
		g.turn(sound(3000, 40), sound(4000, 40))
		time.Sleep(time.Second)
		g.r.Call(true) // presumed, and another
		g.turn(sound(3500, 40), sound(4500, 40))
		stop()
		want := [][2][]int16{
			{sound(2000, 240), slices.Concat(sound(1000, 80), make([]int16, 80), sound(1160, 80))},
			{sound(4000, 40), sound(3000, 40)},
			{sound(4500, 40), sound(3500, 40)},
		}
		got := g.files()
		if len(got) != len(want) {
			t.Fatalf("three calls made %d files", len(got))
		}
		for i := range want {
			if !slices.Equal(got[i][0], want[i][0]) || !slices.Equal(got[i][1], want[i][1]) {
				t.Errorf("file %d isn't what was heard and said in its call", i)
			}
		}
		if told := g.told(); told != nil {
			t.Errorf("told %v", told)
		}
	})
}

// What is longer than a file may be goes on in another, without a frame between them.
func TestALongCallIsSeveralFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, stop := newRig(t, 2*time.Second)
		g.r.Call(true)
		var heard []int16
		for at := range 50 {
			x := sound(at*800, 800)
			heard = append(heard, x...)
			g.turn(x, x)
			time.Sleep(100 * time.Millisecond)
		}
		settle()
		stop()
		var got []int16
		for i, f := range g.files() {
			if frames := len(f[0]); frames != 16000 && i < 2 || frames > 16000 {
				t.Errorf("file %d has %d frames", i, frames)
			}
			got = append(got, f[0]...)
		}
		if !slices.Equal(got, heard) {
			t.Error("the files, one after the other, aren't what was heard")
		}
	})
}

// A disk that stands still costs what doesn't fit into memory; the rest keeps its time, and it is told.
func TestWhatDidNotFitIsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, stop := newRig(t, time.Hour)
		g.r.Call(true)
		for g.tap.missed.Load() == 0 { // in no time, so that nothing is written meanwhile
			g.turn(sound(0, 800), sound(0, 800))
		}
		g.turn(sound(0, 800), sound(0, 800))
		settle()
		g.turn(sound(7, 800), sound(9, 800))
		settle()
		if told := g.told(); !slices.Equal(told, []Code{Behind}) {
			t.Errorf("told %v", told)
		}
		g.r.Call(true)
		g.turn(sound(7, 800), sound(9, 800))
		stop()
		if told := g.told(); !slices.Equal(told, []Code{OK}) {
			t.Errorf("with the next file, told %v", told)
		}
		for _, f := range g.files() {
			n := len(f[0])
			if n > 800 && !slices.Equal(f[0][n-2400:], slices.Concat(make([]int16, 1600), sound(9, 800))) {
				t.Error("what was missed isn't silence of its length")
			}
		}
	})
}

func TestADiskThatTakesNoMore(t *testing.T) {
	for _, test := range []struct {
		name string
		free uint64
		err  error
		want Code
	}{
		{"almost full", Spare - 1, nil, Full},
		{"full", 0, syscall.ENOSPC, Full},
		{"over its quota", 0, syscall.EDQUOT, Full},
		{"broken", 0, syscall.EIO, Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, stop := newRig(t, time.Hour)
				g.r.Call(true)
				g.turn(sound(1, 80), sound(2, 80))
				settle()
				g.disk(test.free, test.err)
				g.turn(sound(3, 80), sound(4, 80)) // is lost
				settle()
				if told := g.told(); !slices.Equal(told, []Code{test.want}) {
					t.Fatalf("told %v, want %v", told, test.want)
				}
				g.disk(Spare, nil)
				g.turn(sound(5, 80), sound(6, 80)) // not looked at again yet
				settle()
				if told := g.told(); told != nil {
					t.Errorf("tried again at once: %v", told)
				}
				time.Sleep(again)
				g.turn(sound(7, 80), sound(8, 80))
				settle()
				if told := g.told(); !slices.Equal(told, []Code{OK}) {
					t.Errorf("once there is room, told %v", told)
				}
				g.disk(test.free, test.err)
				g.turn(sound(1, 80), sound(1, 80))
				settle()
				g.disk(Spare, nil)
				g.r.Call(true) // the next call doesn't wait
				g.turn(sound(9, 80), sound(10, 80))
				stop()
				files := g.files()
				if len(files) != 3 || !slices.Equal(files[0][0], sound(2, 80)) || !slices.Equal(files[1][0], sound(8, 80)) || !slices.Equal(files[2][0], sound(10, 80)) {
					t.Errorf("%d files hold other than what could be written", len(files))
				}
			})
		})
	}
}

// A folder that can't be made is a failure of its own.
func TestAFolderThatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, stop := newRig(t, time.Hour)
		g.disk(0, fs.ErrNotExist)
		if err := os.WriteFile(g.r.cfg.Folder, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		g.r.Call(true)
		g.turn(sound(1, 80), sound(2, 80))
		settle()
		if told := g.told(); !slices.Equal(told, []Code{Failed}) {
			t.Errorf("told %v", told)
		}
		stop()
	})
}

// The sample path's part allocates nothing, whatever the disk does.
func TestTapAllocatesNothing(t *testing.T) {
	tap, err := NewTap(audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	x := sound(0, 24)
	if n := testing.AllocsPerRun(5000, func() { // far past what it holds
		tap.Take(x)
		tap.Fill(x)
		tap.Lost(24)
		tap.Fill(x)
	}); n != 0 {
		t.Errorf("%v allocations a turn", n)
	}
	if tap.missed.Load() == 0 {
		t.Error("it was never full")
	}
}

func TestFreeSaysWhichFolder(t *testing.T) {
	if n, err := free(t.TempDir()); err != nil || n == 0 {
		t.Errorf("free: %d, %v", n, err)
	}
	if _, err := free(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a folder that isn't there: %v", err)
	}
}
