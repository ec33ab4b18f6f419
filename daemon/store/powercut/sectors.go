package powercut

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is what a disk writes as a whole, in bytes. Disks of today write 4096, and promise 512.
const sector = 512

// lots are drawn where a power cut may do this or that.
type lots struct{ *rand.Rand }

// chance is how likely a change of a file or folder is kept: in some cuts all are, in some none, in most a mixture.
func (l lots) chance() float64 { return []float64{0, 0.1, 0.5, 0.9, 1}[l.IntN(5)] }

// pick is one of n versions, of which the last is as likely as said, and the others are alike.
func (l lots) pick(n int, last float64) int {
	if n == 1 || l.Float64() < last {
		return n - 1
	}
	return l.IntN(n - 1)
}

// content is what a file holds after the cut.
func (l lots) content(n *node) []byte {
	likely := l.chance()
	// Sizes are changed in order: the first so many changes of the pending ones have reached the disk.
	sized := l.pick(len(n.pending)+1, likely)
	base := bytes.Clone(n.durable)   // what was flushed, as far as it's still within the file
	latest := bytes.Clone(n.durable) // what the process sees
	versions := map[int64][][]byte{} // of each sector that was written to, oldest first
	size := int64(len(n.durable))
	for i, o := range n.pending {
		latest = o.on(latest)
		if i < sized {
			size = int64(len(latest))
		}
		if o.kind == truncate {
			if i < sized {
				base = base[:min(o.offset, int64(len(base)))]
				cutOff(versions, o.offset)
			}
			continue
		}
		for s := o.offset / sector; s*sector < o.offset+int64(len(o.data)); s++ {
			if versions[s] == nil {
				versions[s] = [][]byte{at(base, s)}
			}
			versions[s] = append(versions[s], at(latest, s))
		}
	}
	content := resize(base, size)
	for _, s := range slices.Sorted(maps.Keys(versions)) {
		if s*sector < size {
			copy(content[s*sector:], versions[s][l.pick(len(versions[s]), likely)])
		}
	}
	return content
}

// at is a copy of a sector, with zeros beyond the end.
func at(content []byte, s int64) []byte {
	out := make([]byte, sector)
	if from := s * sector; from < int64(len(content)) {
		copy(out, content[from:])
	}
	return out
}

// cutOff makes zeros of what lay beyond a size.
func cutOff(versions map[int64][][]byte, size int64) {
	for s, all := range versions {
		for _, v := range all {
			if from := size - s*sector; from < sector {
				clear(v[max(from, 0):])
			}
		}
	}
}
