package store

import (
	"errors"
	"os"
	"path/filepath"
)

// room is what must fit onto the disk for it not to be full: more than a batch of
// results takes.
const room = 128 << 10

// Full reports whether the disk is full: a write of anything was refused for that,
// and there is no room still. While it is, it writes as much beside the file to see
// that; one that did fit before proves nothing, for the file has free pages.
func (s *Store) Full() bool {
	if n := s.full.Load(); n > 0 && s.hasRoom() == nil {
		s.full.CompareAndSwap(n, 0) // unless another was refused meanwhile
	}
	return s.full.Load() > 0
}

// hasRoom writes a file and removes it.
func (s *Store) hasRoom() error {
	f, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".new-*") // which sweep removes
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, room))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
