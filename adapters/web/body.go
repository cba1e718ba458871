package web

import (
	"errors"
	"io"
)

// errCrowded: there is no place for another large body.
var errCrowded = errors.New("too many large requests at once")

// A body is that of a callback. Nobody has proven yet who sends it, and whoever
// reads it holds it in memory, so only a few may be large at a time: others end
// with errCrowded. What platforms send is small, and never waits for a place.
type body struct {
	io.ReadCloser
	small  int64         // bytes that it may have without a place; counted down
	places chan struct{} // one for each large body
	placed bool
}

// Read reads on, and takes a place when the body turns out to be large.
func (b *body) Read(p []byte) (int, error) {
	if b.small < 0 && !b.placed {
		select {
		case b.places <- struct{}{}:
			b.placed = true
		default:
			return 0, errCrowded
		}
	}
	n, err := b.ReadCloser.Read(p)
	b.small -= int64(n)
	return n, err
}

// leave gives the place back, once the request is answered.
func (b *body) leave() {
	if b.placed {
		b.placed = false
		<-b.places
	}
}
