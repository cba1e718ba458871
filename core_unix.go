//go:build unix

package main

import "syscall"

// dropCore sees to it that no core file is ever written: credentials would be in
// it.
func dropCore() error {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) == nil && limit.Max == 0 {
		return nil // a service manager has done it, and may forbid the call
	}
	return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}
