package dashboard

import (
	"os"
	"testing"
)

func BenchmarkDecode(b *testing.B) {
	body, err := os.ReadFile("testdata/counters.json")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := decode(body, Credential{}); err != nil {
			b.Fatal(err)
		}
	}
}
