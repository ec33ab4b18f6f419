// Package powercut rebuilds a folder as a power cut could have left it on the disk.
//
// It exists because kill -9 proves nothing about the disk: what a killed process wrote is still in the kernel's cache, and arrives. So a real process, on
// real files, is recorded by strace(1): every write, flush, truncation and change of a name below one folder, with its bytes, in the order in which the
// kernel saw them. [Trace.Cut] then ends the power at any moment of that, as often as one likes, without running the process again.
//
// What a cut may do to what wasn't flushed (fsync(2), fdatasync(2)) when the power went, each choice independent of the others:
//
//	data    each sector of 512 bytes holds any of the contents it had since its last flush: a page may be torn, a later write there and an earlier one not
//	size    any that the file had since its last flush; where the data of a longer file is missing there are zeros
//	names   each file made, linked, renamed or removed since the folder's last flush is, or isn't; a rename as a whole
//
// What was flushed is there. That is what POSIX promises and no more; file systems with a journal keep more.
//
// Memory maps write past strace: of a file that a name in -shm says is SQLite's index of its log, nothing is believed, and the cut leaves random bytes;
// any other shared map of a file in the folder makes [Record] fail, and so does whatever call it doesn't understand. It must never guess.
package powercut

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// calls are what changes files or flushes them, and what would change them behind the recorder's back.
const calls = "open,openat,openat2,creat,close,dup,dup2,dup3,lseek,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync," +
	"sync,syncfs,sync_file_range,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,mmap,sendfile,copy_file_range,splice," +
	secretMemory

// secretMemory is not to be had by who is recorded: strace could not see what is written from there. See audio/locked, which does without.
const secretMemory = "memfd_secret"

// Trace is what a process did to the files below a folder, from the folder being empty. Safe for concurrent use.
type Trace struct {
	dir     string
	ops     []op // in the order in which they began
	moments int
}

// Record runs a command, which must not have been started, until it ends, and returns what it did below dir: an absolute path without links, of a folder
// that is empty, and that only the command changes. How the command ends is told by its own standard output and error: [Trace.Said].
func Record(ctx context.Context, dir string, cmd *exec.Cmd) (*Trace, error) {
	log, err := os.CreateTemp("", "strace-*")
	if err != nil {
		return nil, fmt.Errorf("powercut: record: %w", err)
	}
	defer os.Remove(log.Name())
	defer log.Close()
	args := []string{"-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "16777216", "-e", "signal=none", "-e", "trace=" + calls,
		"-e", "inject=" + secretMemory + ":error=ENOSYS", "-o", log.Name(), "--"}
	traced := exec.CommandContext(ctx, "strace", append(args, cmd.Args...)...)
	// A pipe, and not a file: nobody's but the command's, whatever the test's own output is.
	traced.Env, traced.Dir = cmd.Env, cmd.Dir
	out, err := traced.StdoutPipe()
	if err == nil {
		err = traced.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("powercut: record: %w", err)
	}
	said, readErr := io.ReadAll(out)
	if err := traced.Wait(); err != nil || readErr != nil {
		return nil, fmt.Errorf("powercut: record %s: %v %v, it said %.1000q", cmd, err, readErr, said)
	}
	t, err := read(log, filepath.Clean(dir))
	if err != nil {
		return nil, fmt.Errorf("powercut: understand strace: %w", err)
	}
	return t, nil
}

func read(log io.Reader, dir string) (*Trace, error) {
	t := &Trace{dir: dir}
	p := parser{dir: dir, open: map[string]int64{}, unfinished: map[string]call{}}
	lines := bufio.NewReaderSize(log, 1<<20)
	for ; ; t.moments++ {
		line, err := lines.ReadString('\n')
		if err == io.EOF && line == "" {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := p.line(strings.TrimSuffix(line, "\n"), t.moments); err != nil {
			return nil, fmt.Errorf("%w: %.300s", err, line)
		}
	}
	// What the process died in may have been done, or not.
	for _, c := range p.unfinished {
		c.text, c.ended = c.text+") = ?", math.MaxInt
		if err := p.call(c); err != nil {
			return nil, fmt.Errorf("%w: %.300s", err, c.text)
		}
	}
	t.ops = p.sorted()
	return t, nil
}

// Moments is how many there are: a cut is at one of 0 to Moments.
func (t *Trace) Moments() int { return t.moments }

// Said is what the command had begun to write to its standard output before a moment. What it says there of a flush it says after the flush.
func (t *Trace) Said(moment int) string {
	var said strings.Builder
	for _, o := range t.ops {
		if o.kind == say && o.begun < moment {
			said.Write(o.data)
		}
	}
	return said.String()
}

// Unflushed is the same process on a disk that lies: no flush of a file that came after the first moment has done anything. A check that finds nothing
// wrong with what it leaves can find nothing.
func (t *Trace) Unflushed() *Trace {
	lying := &Trace{dir: t.dir, moments: t.moments}
	for _, o := range t.ops {
		if o.kind != flush {
			lying.ops = append(lying.ops, o)
		}
	}
	return lying
}
