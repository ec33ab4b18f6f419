package wav_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
	"pgregory.net/rapid"
)

// memory is a file in memory. Each write calls after, if there is one.
type memory struct {
	b     []byte
	after func()
}

func (m *memory) ReadAt(b []byte, at int64) (int, error) { return bytes.NewReader(m.b).ReadAt(b, at) }

func (m *memory) WriteAt(b []byte, at int64) (int, error) {
	if grow := int(at) + len(b) - len(m.b); grow > 0 {
		m.b = append(m.b, make([]byte, grow)...)
	}
	copy(m.b[at:], b)
	if m.after != nil {
		m.after()
	}
	return len(b), nil
}

func TestWriterIsKilledAnywhereAndGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, want := &memory{}, []int16{}
		block := rapid.SliceOfN(rapid.Int16(), 0, 3000)
		for range rapid.IntRange(1, 4).Draw(t, "lives") {
			w, err := wav.Append(f, int64(len(f.b)), audio.Rate8k)
			if err != nil {
				t.Fatal(err)
			}
			if w.Frames() != int64(len(want)) {
				t.Fatalf("goes on at frame %d, not %d", w.Frames(), len(want))
			}
			f.after = func() { // whatever was written last, the file plays
				if r, err := open(f.b); err != nil && !errors.Is(err, wav.ErrEmpty) {
					t.Fatalf("the file is broken: %v", err)
				} else if err == nil && r.Frames() < int64(len(want)) {
					t.Fatal("frames that were declared are gone")
				}
			}
			for range rapid.IntRange(0, 4).Draw(t, "writes") {
				if rapid.Bool().Draw(t, "silence") {
					n := rapid.IntRange(0, 9000).Draw(t, "frames")
					err, want = w.Silence(int64(n)), append(want, make([]int16, n)...)
				} else {
					samples := block.Draw(t, "samples")
					err = w.Write(samples)
					want = append(want, samples...)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			f.after = nil
			if rapid.Bool().Draw(t, "killed within a write") {
				f.b = append(f.b[:44+2*len(want)], 1, 0, 2, 0, 3)
				want = append(want, 1, 2)
			}
		}
		if _, err := wav.Append(f, int64(len(f.b)), audio.Rate8k); err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 {
			return
		}
		r, err := open(f.b)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.All(); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%d frames came back, %d written: %v", len(got), len(want), err)
		}
	})
}

func TestAppendRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file   []byte
		rate   audio.Rate
		reason error
	}{
		"another rate":     {accepted["plain"], audio.Rate16k, wav.ErrRate},
		"somebody else's":  {accepted["odd chunks around"], audio.Rate8k, wav.ErrNotWAV},
		"stereo":           {refused["stereo"].file, audio.Rate8k, wav.ErrChannels},
		"no recording":     {[]byte("this is a text of mine"), audio.Rate8k, wav.ErrNotWAV},
		"half of a header": {accepted["plain"][:20], audio.Rate8k, wav.ErrNotWAV},
	} {
		f := &memory{b: slices.Clone(c.file)}
		if _, err := wav.Append(f, int64(len(f.b)), c.rate); !errors.Is(err, c.reason) {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(f.b, c.file) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if _, err := wav.Append(&memory{}, 0, 11025); err == nil {
		t.Error("a rate that can't be read back is written")
	}
}

// full is a file as long as a WAV file gets, without its bytes.
type full struct{ head []byte }

func (f full) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(f.head)) {
		return 0, io.EOF
	}
	return copy(b, f.head[at:]), nil
}
func (f full) WriteAt(b []byte, at int64) (int, error) { return len(b), nil }

func TestWriterStopsBefore4GiB(t *testing.T) {
	w, err := wav.Append(full{accepted["plain"]}, 1<<32-44, audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 { // the last frames that fit
		if err = w.Write([]int16{1}); err != nil {
			break
		}
	}
	if !errors.Is(err, wav.ErrFull) || !errors.Is(w.Silence(1<<30), wav.ErrFull) {
		t.Errorf("got %v", err)
	}
	if bytes := 36 + 2*w.Frames(); bytes > 1<<32-1 || bytes < 1<<32-16 {
		t.Errorf("full at a RIFF length of %d", bytes)
	}
}

func TestOnDiskLongSilenceIsAHole(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "a.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.Append(f, 0, audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * 3600 * 8000
	if err := errors.Join(w.Write([]int16{1}), w.Silence(day), w.Write([]int16{2})); err != nil {
		t.Fatal(err)
	}
	r, err := wav.NewReader(f, 44+2*(day+2))
	if err != nil {
		t.Fatal(err)
	}
	x := []int16{9, 9, 9}
	if _, err := r.ReadAt(x, day-1); err != nil || !slices.Equal(x, []int16{0, 0, 2}) {
		t.Errorf("the end reads %v, %v", x, err)
	}
	if _, err := r.ReadAt(x, day/2); err != nil || !slices.Equal(x, []int16{0, 0, 0}) {
		t.Errorf("the middle reads %v, %v", x, err)
	}
	if n := testing.AllocsPerRun(10, func() { w.Write(x) }); n != 0 {
		t.Errorf("%g allocations a write", n)
	}
}

// A recording of two channels alternates them, and its silence is of both.
func TestStereo(t *testing.T) {
	if _, err := wav.Stereo(&memory{}, 22050); err == nil {
		t.Error("a rate that is not supported was taken")
	}
	f := &memory{}
	w, err := wav.Stereo(f, audio.Rate16k)
	if err == nil {
		err = errors.Join(w.Write([]int16{1, 2, 3, 4}), w.Silence(3), w.Write([]int16{5, 6}))
	}
	if err != nil || w.Frames() != 6 {
		t.Fatalf("%d frames, %v", w.Frames(), err)
	}
	want := append([]byte("RIFF\x3c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x80\x3e\x00\x00\x00\xfa\x00\x00\x04\x00\x10\x00data\x18\x00\x00\x00"),
		1, 0, 2, 0, 3, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 6, 0)
	if !bytes.Equal(f.b, want) {
		t.Errorf("the file is % x", f.b)
	}
	if _, err := wav.Append(f, int64(len(f.b)), audio.Rate16k); !errors.Is(err, wav.ErrChannels) {
		t.Errorf("as a recording of one channel it goes on with %v", err)
	}
}
