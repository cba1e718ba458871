package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A fault is what goes wrong with an agent's answers.
type fault struct {
	kind  string
	code  int           // of kind "code"
	delay time.Duration // of kind "slow"
	left  int           // answers it still spoils; 0: until cleared
}

// maxDelay bounds the fault "slow".
const maxDelay = 10 * time.Minute

// parseFault reads a fault's name.
func parseFault(name string) (fault, error) {
	kind, arg, _ := strings.Cut(name, ":")
	switch kind {
	case "html502", "truncate", "reset", "strings", "emptyarray", "expired":
		if name == kind {
			return fault{kind: kind}, nil
		}
	case "code":
		if code, err := strconv.Atoi(arg); err == nil && code > 0 {
			return fault{kind: kind, code: code}, nil
		}
		return fault{}, fmt.Errorf("fault %q needs a code, as in code:1014", name)
	case "slow":
		if d, err := time.ParseDuration(arg); err == nil && d > 0 && d <= maxDelay {
			return fault{kind: kind, delay: d}, nil
		}
		return fault{}, fmt.Errorf("fault %q needs a duration up to %s, as in slow:8s", name, maxDelay)
	}
	return fault{}, fmt.Errorf("unknown fault %q; there are code:N, expired, html502, slow:DURATION, truncate, reset, strings and emptyarray", name)
}

// Fault spoils the next count answers of an agent, or all until it is cleared
// when count is 0. The user id "" or "*" means everybody, the name "" clears.
// The package comment lists the names.
func (s *Sim) Fault(userID, name string, count int) error {
	agent := everybody
	if userID != "" && userID != "*" {
		var err error
		if agent, err = s.find(userID); err != nil {
			return err
		}
	}
	if count < 0 {
		return fmt.Errorf("count is %d; give how many answers the fault spoils, or 0 for all", count)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "" {
		delete(s.faults, agent)
		return nil
	}
	f, err := parseFault(name)
	if err != nil {
		return err
	}
	f.left = count
	s.faults[agent] = &f
	return nil
}

// take returns the fault of this answer, the zero fault if nothing is wrong, and
// counts it. The agent may be everybody, when nobody knows who asks.
func (s *Sim) take(agent int) fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range []int{agent, everybody} {
		f := s.faults[key]
		if f == nil {
			continue
		}
		if f.left == 1 {
			delete(s.faults, key)
		}
		f.left = max(0, f.left-1)
		return *f
	}
	return fault{}
}
