package powercut

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// call is a line of strace's, put together of its two halves if other threads came in between.
type call struct {
	text         string
	begun, ended int
}

type parser struct {
	dir        string
	open       map[string]int64 // descriptors below the folder: where the next write goes
	unfinished map[string]call  // by thread
	ops        []op
}

var (
	errForm   = errors.New("a line of unknown form")
	errBeyond = errors.New("a call that can't be rebuilt")
)

// unseen is what strace has of a thread that was killed before strace saw it enter a call.
const unseen = "???( <detached ...>"

func (p *parser) line(line string, moment int) error {
	thread, text, ok := strings.Cut(line, " ")
	text = strings.TrimLeft(text, " ")
	if !ok || strings.HasPrefix(text, "+++") || strings.HasPrefix(text, "---") {
		return nil
	}
	if text == unseen {
		return nil
	}
	c := call{text: text, begun: moment, ended: moment}
	if rest, ok := strings.CutPrefix(text, "<... "); ok {
		if c, ok = p.unfinished[thread]; !ok {
			return errForm
		}
		_, rest, _ = strings.Cut(rest, " resumed>")
		c.text, c.ended = c.text+rest, moment
		delete(p.unfinished, thread)
	} else if begin, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
		c.text = begin
		p.unfinished[thread] = c
		return nil
	}
	return p.call(c)
}

// call takes one call apart: name(arg, ...) = result.
func (p *parser) call(c call) error {
	name, rest, ok := strings.Cut(c.text, "(")
	end := strings.LastIndex(rest, " = ")
	if !ok || end < 0 {
		return errForm
	}
	result := rest[end+len(" = "):]
	inside, ok := strings.CutSuffix(strings.TrimRight(rest[:end], " "), ")") // strace aligns what is short
	if !ok {
		return errForm
	}
	if strings.HasPrefix(result, "-1 ") {
		return nil
	}
	args := strings.Split(strings.TrimSpace(inside), ", ")
	return p.take(name, args, result, c)
}

func (p *parser) take(name string, args []string, result string, c call) error {
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	o := op{begun: c.begun, ended: c.ended}
	switch name {
	case "open", "creat":
		return p.opened(o, p.under("", arg(0)), arg(1), result)
	case "openat":
		return p.opened(o, p.under(arg(0), arg(1)), arg(2), result)
	case "close":
		delete(p.open, number(arg(0)))
		return nil
	case "write":
		return p.written(o, arg(0), arg(1), nil, result)
	case "pwrite64":
		offset, err := strconv.ParseInt(arg(3), 10, 64)
		return errors.Join(err, p.written(o, arg(0), arg(1), &offset, result))
	case "ftruncate":
		var err error
		o.kind, o.path = truncate, p.of(arg(0))
		o.offset, err = strconv.ParseInt(arg(1), 10, 64)
		return errors.Join(err, p.add(o))
	case "fsync", "fdatasync":
		o.kind, o.path = flush, p.of(arg(0))
		return p.add(o)
	case "rename":
		o.kind, o.path, o.to = rename, p.under("", arg(0)), p.under("", arg(1))
		return p.add(o)
	case "renameat", "renameat2":
		o.kind, o.path, o.to = rename, p.under(arg(0), arg(1)), p.under(arg(2), arg(3))
		return p.add(o)
	case "linkat":
		o.kind, o.path, o.to = link, p.under(arg(0), arg(1)), p.under(arg(2), arg(3))
		return p.add(o)
	case "unlink", "rmdir":
		o.kind, o.path = remove, p.under("", arg(0))
		return p.add(o)
	case "unlinkat":
		o.kind, o.path = remove, p.under(arg(0), arg(1))
		return p.add(o)
	case "mkdir":
		o.kind, o.path = mkdir, p.under("", arg(0))
		return p.add(o)
	case "mkdirat":
		o.kind, o.path = mkdir, p.under(arg(0), arg(1))
		return p.add(o)
	case "mmap":
		if path := p.of(arg(4)); path == "" || isIndex(path) || !strings.Contains(arg(3), "MAP_SHARED") || !strings.Contains(arg(2), "PROT_WRITE") {
			return nil
		}
	}
	// Whatever else is traced: it does no harm to what lies elsewhere.
	if slices.ContainsFunc(args, func(a string) bool { return p.of(a) != "" || p.under("", a) != "" }) || strings.HasPrefix(name, "sync") {
		return fmt.Errorf("%w: %s", errBeyond, name)
	}
	return nil
}

// add keeps an op on what lies below the folder.
func (p *parser) add(o op) error {
	if o.path == "" && o.to == "" {
		return nil
	}
	if o.path == "" || o.to == "" && (o.kind == link || o.kind == rename) {
		return fmt.Errorf("%w: a name that comes from or goes to elsewhere", errBeyond)
	}
	p.ops = append(p.ops, o)
	return nil
}

func (p *parser) opened(o op, path, flags, result string) error {
	if path == "" {
		return nil
	}
	p.open[number(result)] = 0
	if strings.Contains(flags, "O_APPEND") || strings.Contains(flags, "O_TMPFILE") {
		return fmt.Errorf("%w: open with %s", errBeyond, flags)
	}
	if o.path = path; strings.Contains(flags, "O_CREAT") {
		o.kind = create
		p.ops = append(p.ops, o)
	}
	if strings.Contains(flags, "O_TRUNC") {
		o.kind = truncate
		p.ops = append(p.ops, o)
	}
	return nil
}

// written is for write without an offset, which goes on where the last one ended, and for pwrite.
func (p *parser) written(o op, file, data string, offset *int64, result string) error {
	isOutput := number(file) == "1"
	if o.path = p.of(file); o.path == "" && !isOutput {
		return nil
	}
	var err error
	if o.data, err = text(data); err != nil {
		return err
	}
	if n, err := strconv.Atoi(result); err == nil && n < len(o.data) {
		o.data = o.data[:n]
	}
	if isOutput {
		o.kind = say
		p.ops = append(p.ops, o)
		return nil
	}
	if offset != nil {
		o.offset = *offset
		return p.add(o)
	}
	fd := number(file)
	next, ok := p.open[fd]
	if !ok {
		return fmt.Errorf("%w: a write to what was never opened", errBeyond)
	}
	o.offset, p.open[fd] = next, next+int64(len(o.data))
	return p.add(o)
}

// sorted are the ops in the order in which they began.
func (p *parser) sorted() []op {
	slices.SortStableFunc(p.ops, func(a, b op) int { return a.begun - b.begun })
	return p.ops
}
