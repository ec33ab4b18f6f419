package powercut

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// x is what strace makes of a string.
func x(s string) string {
	var out strings.Builder
	for _, b := range []byte(s) {
		out.WriteString(`\x` + hex.EncodeToString([]byte{b}))
	}
	return out.String()
}

func q(s string) string { return `"` + x(s) + `"` }

func TestRead(t *testing.T) {
	tests := []struct {
		name, log string
		want      []op // without data
		fails     error
	}{
		{"elsewhere", "1 openat(AT_FDCWD<" + x("/") + ">, " + q("/etc/passwd") + ", O_RDONLY) = 3<" + x("/etc/passwd") + ">\n1 close(3<" + x("/etc/passwd") + ">) = 0\n", nil, nil},
		{"failed", "1 unlink(" + q("/d/f") + ")     = -1 ENOENT (No such file or directory)\n", nil, nil},
		{"relative", "1 mkdirat(5<" + x("/d") + ">, " + q("sub") + ", 0700) = 0\n", []op{{kind: mkdir, path: "sub"}}, nil},
		{"another thread between", "1 fsync(3<" + x("/d/f") + "> <unfinished ...>\n2 ftruncate(4<" + x("/d/g") + ">, 7) = 0\n1 <... fsync resumed>)          = 0\n",
			[]op{{kind: flush, path: "f", ended: 2}, {kind: truncate, path: "g", offset: 7, begun: 1, ended: 1}}, nil},
		{"died in it", "1 pwrite64(3<" + x("/d/f") + ">, " + q("ab") + ", 2, 9 <unfinished ...>\n1 +++ killed by SIGKILL +++\n",
			[]op{{kind: write, path: "f", offset: 9, ended: 1<<63 - 1}}, nil},
		{"file that is gone", "1 pwrite64(3<" + x("/d/f") + ">(deleted), " + q("ab") + ", 2, 9) = 2\n", nil, nil},
		{"index", "1 mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, 5<" + x("/d/a-shm") + ">, 0) = 0x7f0000000000\n", nil, nil},
		{"map", "1 mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, 5<" + x("/d/a") + ">, 0) = 0x7f0000000000\n", nil, errBeyond},
		{"vector", "1 pwritev(3<" + x("/d/f") + `>, [{iov_base="\x61", iov_len=1}], 1, 0) = 1` + "\n", nil, errBeyond},
		{"from elsewhere", "1 rename(" + q("/e/f") + ", " + q("/d/f") + ") = 0\n", nil, errBeyond},
		{"killed before it did anything", "2 ???( <detached ...>\n2 +++ killed by SIGKILL +++\n", nil, nil},
		{"nonsense", "1 what\n", nil, errForm},
		{"without a beginning", "1 <... fsync resumed>) = 0\n", nil, errForm},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			trace, err := read(strings.NewReader(test.log), "/d")
			if !errors.Is(err, test.fails) {
				t.Fatalf("got %v, want %v", err, test.fails)
			}
			if err != nil {
				return
			}
			if len(trace.ops) != len(test.want) {
				t.Fatalf("%+v, want %+v", trace.ops, test.want)
			}
			for i, want := range test.want {
				got := trace.ops[i]
				if got.data = nil; got.kind != want.kind || got.path != want.path || got.offset != want.offset || got.begun != want.begun || got.ended != want.ended {
					t.Errorf("%+v, want %+v", got, want)
				}
			}
		})
	}
}
