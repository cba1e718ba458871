package dashboard

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestCacheIsBounded checks that the cache holds no more than was fetched
// lately, and nothing when it is off.
func TestCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, off := newCache(15*time.Second), newCache(-1)
		for i := range 1000 {
			a := cached{stored: time.Now()}
			c.put(fmt.Sprint(i), a)
			off.put(fmt.Sprint(i), a)
			time.Sleep(time.Second)
		}
		if n := len(c.answers); n < 15 || n > 31 {
			t.Errorf("%d answers are kept, of which 15 can be served", n)
		}
		if n := len(off.answers); n != 0 {
			t.Errorf("a cache that is off keeps %d answers", n)
		}
	})
}
