package store

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

// always is a span of all times that samples have.
func always() schedule.Span {
	return schedule.Span{Start: time.Unix(0, 0), End: noon.AddDate(100, 0, 0)}
}

// polled is a plain sample.
func polled(tick time.Time, n float64) stats.Sample {
	return stats.Sample{Tick: tick, Date: tick, Login: noon, Values: []stats.Value{{Key: "MH", N: 0}, {Key: "TH", N: n}}}
}

// linkMany links agents and returns their ids.
func linkMany(t testing.TB, s *Store, n int) (ids []bot.AgentID) {
	t.Helper()
	fill(t, s, n)
	for _, a := range collect(t, s.Agents()) {
		ids = append(ids, a.ID)
	}
	return ids
}

func mustAppend(t testing.TB, s *Store, samples ...bot.AgentSample) {
	t.Helper()
	if err := s.AppendHistory(samples); err != nil {
		t.Fatal(err)
	}
}

// TestHistory compares with a plain map: samples of three days come in any
// order, again, in batches of any size, between restarts and compactions, and
// are read in any span.
func TestHistory(t *testing.T) {
	r := randomSeed(t)
	s := open(t, testConfig(t))
	ids := linkMany(t, s, 6)
	want := map[bot.AgentID]map[time.Time]stats.Sample{}
	var all []bot.AgentSample
	start := time.Date(2026, 7, 30, 20, 0, 0, 0, time.UTC)
	for _, id := range ids[:5] {
		want[id] = map[time.Time]stats.Sample{}
		for hour := range 54 {
			for _, sample := range randomSamples(r, start.Add(time.Duration(hour)*time.Hour)) {
				all = append(all, bot.AgentSample{Agent: id, Sample: sample})
			}
		}
	}
	again := slices.Clone(all)
	for len(all) > 0 {
		for range 6 {
			from := r.IntN(len(all))
			batch := slices.Clone(all[from:min(from+r.IntN(300)+1, len(all))])
			if r.IntN(2) == 0 {
				r.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
			}
			mustAppend(t, s, batch...)
			for _, b := range batch {
				want[b.Agent][b.Tick] = b.Sample
			}
			if r.IntN(3) == 0 {
				all = slices.Delete(all, from, min(from+len(batch), len(all)))
			}
			if len(all) == 0 {
				break
			}
		}
		switch r.IntN(4) {
		case 0:
			s = reopen(t, s)
		case 1:
			s.history.compactEnded(start.AddDate(0, 0, r.IntN(4)))
		}
		checkHistory(t, s, r, ids, want)
	}
	mustAppend(t, s, again...)
	checkHistory(t, reopen(t, s), r, ids, want)
}

// checkHistory compares each agent's samples in a random span with the model's.
func checkHistory(t *testing.T, s *Store, r *rand.Rand, ids []bot.AgentID, want map[bot.AgentID]map[time.Time]stats.Sample) {
	t.Helper()
	for _, id := range ids {
		span := always()
		if r.IntN(3) > 0 {
			span.Start = time.Date(2026, 7, 30, 12, 0, r.IntN(60*3600), r.IntN(1e9), time.UTC)
			span.End = span.Start.Add(time.Duration(r.IntN(40*3600*1000)) * time.Millisecond)
		}
		var expected []stats.Sample
		for _, tick := range slices.SortedFunc(maps.Keys(want[id]), time.Time.Compare) {
			if span.Contains(tick) {
				expected = append(expected, want[id][tick])
			}
		}
		got := collect(t, s.History(id, span))
		if d := differs(got, expected); d != "" {
			t.Fatalf("agent %s in %v: %s", id, span, d)
		}
		checkShared(t, got)
	}
}

// TestUntidySample checks that a sample is kept in the order of its keys, and of
// a key that it has twice what came first.
func TestUntidySample(t *testing.T) {
	values := func(pairs ...any) (list []stats.Value) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, stats.Value{Key: pairs[i].(string), N: float64(pairs[i+1].(int))})
		}
		return list
	}
	for _, given := range [][]stats.Value{
		values("a", 1, "b", 2), values("b", 2, "a", 1),
		values("a", 1, "a", 3, "b", 2), values("a", 1, "b", 2, "b", 4), values("b", 2, "a", 1, "b", 3, "a", 4),
	} {
		before := slices.Clone(given)
		if got := tidy(stats.Sample{Values: given}).Values; !slices.Equal(got, values("a", 1, "b", 2)) || !slices.Equal(given, before) {
			t.Errorf("%v is kept as %v", before, got)
		}
	}
}
