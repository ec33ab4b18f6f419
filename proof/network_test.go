package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/progress"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/proof/corpus"
)

// In all speech and music there is, nobody sounds like a network: a call would be taken for over.
func TestNobodySoundsLikeTheNetwork(t *testing.T) {
	frames := 0
	err := filepath.WalkDir(corpus.Folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".wav" {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || info.Size() <= 44 { // one has a header only
			return err
		}
		x, rate, err := wav.ReadAll(f)
		if err != nil {
			return err
		}
		l, err := progress.New(rate)
		if err != nil {
			return err
		}
		l.Write(x)
		if at := l.Heard(); at != 0 {
			t.Errorf("%s: a tone of the network at %v", name, rate.Duration(int64(at)))
		}
		frames += len(x)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := audio.Rate8k.Duration(int64(frames)); d.Hours() < 2 {
		t.Fatalf("only %v of speech and music found", d)
	} else {
		t.Logf("%.2f h", d.Hours())
	}
}
