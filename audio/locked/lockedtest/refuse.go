package lockedtest

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// HasSecretMemory reports whether the kernel gives secret memory to this process.
func HasSecretMemory() bool {
	fd, err := unix.MemfdSecret(unix.O_CLOEXEC)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// RefuseSecretMemory has the kernel answer the whole process, and whatever it becomes or starts, with errno when it asks for secret memory, for good. What is
// locked lies in ordinary pages then, which a [Search] sees.
func RefuseSecretMemory(errno unix.Errno) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the call's number is what comes first
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_MEMFD_SECRET, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("refuse secret memory: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program))); errno != 0 {
		return fmt.Errorf("refuse secret memory: %w", errno)
	}
	return nil
}
