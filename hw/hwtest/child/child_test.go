package child

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain: with an argument this is an owner, which starts a process, says its number, and is killed.
func TestMain(m *testing.M) {
	if os.Getenv("CHILD_OWNER") == "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command("sleep", "1000")
	if _, err := Start(cmd, syscall.SIGKILL); err != nil {
		panic(err)
	}
	os.Stdout.WriteString(strconv.Itoa(cmd.Process.Pid) + "\n")
	select {}
}

func TestItDiesWithItsOwner(t *testing.T) {
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), "CHILD_OWNER=1")
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Start(owner, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	var said [32]byte
	n, err := out.Read(said[:])
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(said[:n])))
	if err != nil {
		t.Fatal(err)
	}
	if !c.Runs() || syscall.Kill(pid, 0) != nil {
		t.Fatal("it doesn't run")
	}
	owner.Process.Kill()
	if err := c.Err(); err == nil || c.Runs() {
		t.Errorf("the owner ended with %v", err)
	}
	for end := time.Now().Add(10 * time.Second); !dead(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("it outlives its owner")
		}
	}
}

// dead reports that a process is gone, or waits for somebody to hear of its end.
func dead(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestAProgramThatIsNotThere(t *testing.T) {
	if _, err := Start(exec.Command("/none"), syscall.SIGKILL); err == nil {
		t.Error("it runs")
	}
}
