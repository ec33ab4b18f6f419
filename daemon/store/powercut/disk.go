package powercut

import (
	"crypto/rand"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// node is a file or a folder, under whatever names.
type node struct {
	folder  bool
	durable []byte // what was flushed
	pending []op   // since then
}

// naming is a change of names that its folder's flush makes durable: gone is no more, name is node.
type naming struct {
	gone, name string
	node       *node
	ended      int
}

func (n naming) apply(names map[string]*node) {
	delete(names, n.gone)
	if n.node != nil {
		names[n.name] = n.node
	}
}

// in reports whether the change is one of a folder's.
func (n naming) in(folder string) bool {
	return n.gone != "" && filepath.Dir(n.gone) == folder || n.name != "" && filepath.Dir(n.name) == folder
}

// disk is what the process sees and what is on the disk for sure.
type disk struct {
	seen, durable map[string]*node
	pending       []naming
}

// Cut ends the power at a moment, and writes into the folder to, which must be empty, what is on the disk then. The choices are r's.
func (t *Trace) Cut(moment int, r *mathrand.Rand, to string) error {
	root := &node{folder: true}
	d := disk{seen: map[string]*node{".": root}, durable: map[string]*node{".": root}}
	for _, o := range t.ops {
		if o.begun >= moment {
			break
		}
		if o.kind == say || o.kind == flush && o.ended >= moment {
			continue // under way: it may have done anything, as all that is pending may
		}
		if err := d.do(o); err != nil {
			return fmt.Errorf("powercut: replay: %w", err)
		}
	}
	luck := lots{r}
	names := maps.Clone(d.durable)
	for likely := luck.chance(); len(d.pending) > 0; d.pending = d.pending[1:] {
		if r.Float64() < likely {
			d.pending[0].apply(names)
		}
	}
	if err := layOut(to, names, luck); err != nil {
		return fmt.Errorf("powercut: lay out the folder: %w", err)
	}
	return nil
}

func (d *disk) do(o op) error {
	n := d.seen[o.path]
	if n == nil && o.kind != create && o.kind != mkdir {
		if isIndex(o.path) {
			return nil
		}
		return fmt.Errorf("%w: %s was never made", errBeyond, o.path)
	}
	switch o.kind {
	case create:
		if n == nil {
			d.name(naming{name: o.path, node: &node{}, ended: o.ended})
		}
	case mkdir:
		d.name(naming{name: o.path, node: &node{folder: true}, ended: o.ended})
	case link:
		d.name(naming{name: o.to, node: n, ended: o.ended})
	case rename:
		if n.folder {
			return fmt.Errorf("%w: rename of the folder %s", errBeyond, o.path)
		}
		d.name(naming{gone: o.path, name: o.to, node: n, ended: o.ended})
	case remove:
		d.name(naming{gone: o.path, ended: o.ended})
	case flush:
		d.flush(n, o)
	default:
		n.pending = append(n.pending, o)
	}
	return nil
}

func (d *disk) name(n naming) {
	n.apply(d.seen)
	d.pending = append(d.pending, n)
}

// flush makes durable what was done before it began.
func (d *disk) flush(n *node, o op) {
	if n.folder {
		d.pending = slices.DeleteFunc(d.pending, func(p naming) bool {
			covered := p.in(o.path) && p.ended < o.begun
			if covered {
				p.apply(d.durable)
			}
			return covered
		})
		return
	}
	n.pending = slices.DeleteFunc(n.pending, func(p op) bool {
		covered := p.ended < o.begun
		if covered {
			n.durable = p.on(n.durable)
		}
		return covered
	})
}

// layOut writes what lies under names whose folder is there as well.
func layOut(to string, names map[string]*node, luck lots) error {
	for _, name := range slices.Sorted(maps.Keys(names)) { // a folder before what is in it
		n, path := names[name], filepath.Join(to, name)
		above := names[filepath.Dir(name)]
		if name == "." || above == nil || !above.folder {
			continue
		}
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			continue // above it a name is lost
		}
		var err error
		switch {
		case n.folder:
			err = os.Mkdir(path, 0o700)
		case isIndex(name):
			garbage := make([]byte, 32<<10)
			rand.Read(garbage)
			err = os.WriteFile(path, garbage, 0o600)
		default:
			err = os.WriteFile(path, luck.content(n), 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isIndex reports whether a file is SQLite's index of its log, which is a memory map and is made anew by the first who opens the database
// (sqlite.org/walformat.html#shm).
func isIndex(path string) bool { return strings.HasSuffix(path, "-shm") }
