package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// An InUseError says that another process has the database open.
type InUseError struct {
	Path string
	PID  int // 0 if it is not known; read from a file that may be stale
}

// Error names the file and the process.
func (e *InUseError) Error() string {
	if e.PID == 0 {
		return e.Path + " is in use by another process"
	}
	return fmt.Sprintf("%s is in use by process %d", e.Path, e.PID)
}

func (c Config) pidPath() string { return c.Path + ".pid" }

func (s *Store) writePID() error {
	return os.WriteFile(s.config.pidPath(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644)
}

func (s *Store) dropPID() error {
	if err := os.Remove(s.config.pidPath()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// readPID returns the owner's process id, 0 if it cannot be told.
func (c Config) readPID() int {
	text, err := os.ReadFile(c.pidPath())
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
