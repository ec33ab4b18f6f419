package host

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
)

// Listener is the socket that systemd listens at in this process's place and hands over to it under a name (FileDescriptorName=), nil where it hands over
// none. What it hands over besides is a mistake in a unit, and refused. It can be asked once.
func Listener(name string) (*net.UnixListener, error) {
	var found *net.UnixListener
	var err error
	for _, f := range activation.Files(true) {
		if err == nil {
			found, err = listener(name, f, found)
		}
		f.Close() // a listener has a copy
	}
	if err != nil && found != nil {
		found.Close()
		found = nil
	}
	return found, err
}

func listener(name string, f *os.File, before *net.UnixListener) (*net.UnixListener, error) {
	if f.Name() != name || before != nil {
		return before, fmt.Errorf("systemd hands over a socket called %q beside, or in place of, the one called %q: see FileDescriptorName= and Sockets= of the units",
			strings.ToValidUTF8(f.Name(), "?"), name)
	}
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("take the socket called %q from systemd: %w; see ListenStream= of its unit", name, err)
	}
	u, ok := l.(*net.UnixListener)
	if !ok {
		l.Close()
		return nil, fmt.Errorf("take the socket called %q from systemd: it listens at %v, which is no unix socket; see ListenStream= of its unit", name, l.Addr())
	}
	return u, nil
}
