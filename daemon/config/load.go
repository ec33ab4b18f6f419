package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"

	"github.com/pelletier/go-toml/v2"
)

// maxSize bounds the file: a box has some hundred lines at the most.
const maxSize = 1 << 20

// Load reads the file at path. It fails with an [ErrAbsent] if there is none, with [Faults] (an
// [ErrInvalid]) if there is and it is wrong, and with the system's error if it can't be read.
func Load(path string) (*Config, error) {
	abs, doc, err := read(path)
	if err != nil {
		return nil, err
	}
	return Parse(abs, doc)
}

// Check is [Load] for `flattone check`: it also looks at the files and folders that the file names, and at the adopted devices, and tells the
// faults of all at once. It judges for the user whom flattoned runs as, and must run as him, or as one who may read as much.
func Check(path string, user int) (*Config, error) {
	d, err := ReadDraft(path, path)
	if err != nil {
		return nil, err
	}
	return d.Check(user)
}

// Draft is a configuration that is to stand elsewhere than it does, or that stands nowhere yet.
type Draft struct {
	// Name is what faults call it, and At where it is to stand: its paths, devices and modems begin there. Both are absolute.
	Name, At string
	Text     []byte
	// Adopting are the cards that are to be adopted along with it.
	Adopting Devices
}

// ReadDraft reads the file at path, which is to stand elsewhere.
func ReadDraft(path, at string) (d Draft, err error) {
	if d.Name, d.Text, err = read(path); err != nil {
		return Draft{}, err
	}
	if d.At, err = filepath.Abs(at); err != nil {
		return Draft{}, fmt.Errorf("find the configuration file: %w", err)
	}
	return d, nil
}

// Check is [Check] for a draft.
func (d Draft) Check(user int) (*Config, error) {
	c, r, err := parse(d.At, d.Text)
	var faults Faults
	if err == nil {
		c.look(r, user, d.Adopting)
		err = r.faults.err()
	}
	if errors.As(err, &faults) {
		for i := range faults {
			if faults[i].File == d.At {
				faults[i].File = d.Name
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func read(path string) (abs string, doc []byte, err error) {
	if abs, err = filepath.Abs(path); err != nil {
		return "", nil, fmt.Errorf("find the configuration file: %w", err)
	}
	f, err := os.OpenFile(abs, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO in its place must not hang anybody
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("%w: %s does not exist; write one, starting from configs/example.toml, or name another", ErrAbsent, abs)
	}
	if err != nil {
		return "", nil, fmt.Errorf("open the configuration file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("look at the configuration file: %w", err)
	case !info.Mode().IsRegular():
		return "", nil, fmt.Errorf("%w: %s is not a file; name the file itself", ErrInvalid, abs)
	case info.Size() > maxSize:
		return "", nil, fmt.Errorf("%w: %s is larger than 1 MiB; name the right file", ErrInvalid, abs)
	}
	doc = make([]byte, info.Size())
	if n, err := f.ReadAt(doc, 0); n < len(doc) {
		return "", nil, fmt.Errorf("read the configuration file: %w", err)
	}
	return abs, doc, nil
}

// Parse reads a file that is in memory. Its name is for the faults, and the folder in the name is what
// relative paths start from, and where profiles of modems are looked for. Any error is [Faults].
func Parse(name string, doc []byte) (*Config, error) {
	c, r, err := parse(name, doc)
	if err != nil {
		return nil, err
	}
	if err := r.faults.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// parse reads what it can of a file; the reader has the faults. An error is one after which nothing else can be
// judged.
func parse(name string, doc []byte) (*Config, *reader, error) {
	root, err := document(name, doc)
	if err != nil {
		return nil, nil, err
	}
	c, l, p := defaults()
	c.file, c.at = name, root.r.at
	root.config(&c, l, p)
	c.judge(root.r)
	root.r.unknown()
	return &c, root.r, nil
}

// document is the root of a file of our version.
func document(name string, doc []byte) (*table, error) {
	doc = clamp(doc)
	var values map[string]any
	if err := toml.Unmarshal(doc, &values); err != nil {
		return nil, Faults{syntax(name, err)}
	}
	r := &reader{file: name, at: locate(doc), known: map[string][]string{}}
	root := &table{r: r, values: values, used: map[string]bool{}}
	r.tables = append(r.tables, root)

	version := 0
	root.whole("version", &version, 0, 1<<31)
	switch {
	case len(r.faults) > 0:
		return nil, r.faults // a newer file may have changed anything: what else looks wrong may not be
	case !root.has("version"):
		return nil, Faults{{File: name, Line: 1, Key: "version", Reason: "is missing", Remedy: "write version = 1 above everything else"}}
	case version != Version:
		root.fault("version", "this flattone reads version 1 only", "write version = 1, or install the flattone that the file was written for")
		return nil, r.faults
	}
	return root, nil
}

// syntax is what the decoder has to say. It stops at the first fault, and its text shows no values, only
// single characters and the names of keys.
func syntax(name string, err error) Fault {
	// The name of a key may hold anything: a fault stays on its line.
	reason := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimPrefix(err.Error(), "toml: "))
	f := Fault{File: name, Reason: reason}
	var d *toml.DecodeError
	if !errors.As(err, &d) {
		f.Remedy = "correct the file"
		return f
	}
	row, column := d.Position()
	f.Line = row
	for _, key := range d.Key() {
		f.Key = join(f.Key, key)
	}
	f.Remedy = fmt.Sprintf("correct the file at column %d; what follows has not been looked at", column)
	if strings.Contains(f.Reason, "already") {
		f.Remedy = "keep one of the two; what follows has not been looked at"
	}
	return f
}
