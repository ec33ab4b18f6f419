package box

import (
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// listen opens a port on its loopback, for this process to serve.
func (m *machine) listen(port int) net.Listener {
	m.T.Helper()
	type opened struct {
		net.Listener
		error
	}
	done := make(chan opened)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and nobody else finds himself in the machine
		l, err := func() (net.Listener, error) {
			ns, err := os.Open("/proc/" + m.pid + "/ns/net")
			if err != nil {
				return nil, err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, err
			}
			return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		}()
		done <- opened{l, err}
	}()
	o := <-done
	if o.error != nil {
		m.T.Fatal(o.error)
	}
	return o.Listener
}
