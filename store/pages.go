package store

import (
	"bytes"
	"iter"
)

// pages iterates over a bucket from the key at or after first, a page of records
// per transaction, and yields outside of it.
func pages[T any](s *Store, bucket string, first []byte, read func(r *ring, key, value []byte) (T, error)) iter.Seq2[T, error] {
	type item struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		next := first
		var page []item // used again, for it is yielded before the next is read
		for {
			page = page[:0]
			err := s.view(func(t txn) error {
				c := t.in(bucket).Cursor()
				key, value := c.Seek(next)
				for ; key != nil && len(page) < pageSize; key, value = c.Next() {
					v, err := read(t.ring, key, value)
					page = append(page, item{v, err})
				}
				next = bytes.Clone(key)
				return nil
			})
			for _, i := range page {
				if !yield(i.value, i.err) {
					return
				}
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if next == nil {
				return
			}
		}
	}
}
