package host_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/host"
)

// The process that systemd hands a socket to is a child here: sockets are handed over at descriptor 3, when a process begins.
const handedOver = "FLATTONE_HOST_HANDED_OVER"

func TestListener(t *testing.T) {
	if os.Getenv(handedOver) != "" {
		os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
		l, err := host.Listener("admin")
		switch {
		case err != nil:
			os.Stdout.WriteString(err.Error())
		case l == nil:
			os.Stdout.WriteString("none")
		default:
			os.Stdout.WriteString("at " + l.Addr().String())
			if l.Close(); os.Getenv("LISTEN_FDS") != "" {
				os.Stdout.WriteString(" and tells its children")
			}
		}
		os.Exit(0)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "admin.sock")
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	plain, err := os.Create(filepath.Join(dir, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	admin, err := unix.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	network, err := tcp.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	for _, test := range []struct {
		names string
		files []*os.File
		says  string
	}{
		{"", nil, "none"},
		{"admin", []*os.File{admin}, "at " + path},
		{"other", []*os.File{admin}, `"other"`},
		{"admin:admin", []*os.File{admin, admin}, "beside"},
		{"admin:metrics", []*os.File{admin, network}, `"metrics"`},
		{"admin", []*os.File{network}, "no unix socket"},
		{"admin", []*os.File{plain}, "ListenStream="},
	} {
		env := []string{"LISTEN_FDS=" + strconv.Itoa(len(test.files)), "LISTEN_FDNAMES=" + test.names}
		if got := handed(t, env, test.files); !strings.Contains(got, test.says) || strings.Contains(got, "children") {
			t.Errorf("%q: %s", test.names, got)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("systemd's socket is gone: %v", err)
	}
}

// handed is what a process says that is given files as systemd would.
func handed(t *testing.T, env []string, files []*os.File) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestListener$")
	cmd.Env = append(append(os.Environ(), handedOver+"=1"), env...)
	cmd.ExtraFiles = files
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
