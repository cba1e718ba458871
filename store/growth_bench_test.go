package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// BenchmarkStartGrowth opens databases with 100, 1,000 and 10,000 links and lists
// these.
func BenchmarkStartGrowth(b *testing.B) {
	for _, links := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("agents=%d", links), func(b *testing.B) {
			s := open(b, silent(b))
			fill(b, s, links)
			for b.Loop() {
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				var err error
				if s, err = Open(s.config); err != nil {
					b.Fatal(err)
				}
				if n := len(collect(b, s.Agents())); n != links {
					b.Fatal(n)
				}
			}
			b.Cleanup(func() { s.Close() })
		})
	}
}

// BenchmarkBatchCommit stores a batch of 256 samples, of 100, 1,000 and 10,000
// agents, and beside each batch one put by the bare library: the ratio is the
// median of all pairs.
func BenchmarkBatchCommit(b *testing.B) {
	for _, agents := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("agents=%d", agents), func(b *testing.B) {
			s := open(b, silent(b))
			p := newPollster(b, linkMany(b, s, agents))
			var bare, ratios []float64
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				batch := p.round(b, shiftStart.Add(time.Duration(150+2*i)*time.Minute))
				for len(batch) < 256 {
					batch = append(batch, p.round(b, shiftStart.Add(time.Duration(151+2*i)*time.Minute))...)
				}
				began := time.Now()
				putOne(b, s, i)
				one := time.Since(began)
				began = time.Now()
				b.StartTimer()
				mustAppend(b, s, batch[:256]...)
				b.StopTimer()
				bare = append(bare, float64(one.Microseconds())/1000)
				ratios = append(ratios, float64(time.Since(began))/float64(one))
				b.StartTimer()
			}
			slices.Sort(bare)
			slices.Sort(ratios)
			b.ReportMetric(bare[len(bare)/2], "bare-ms")
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
		})
	}
}

// putOne is what a transaction costs at least: one put and its commit.
func putOne(b *testing.B, s *Store, i int) {
	b.Helper()
	err := s.db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bucketAddresses)).Put(fmt.Appendf(nil, "discord:D%d", i), make([]byte, 64))
	})
	if err != nil {
		b.Fatal(err)
	}
}
