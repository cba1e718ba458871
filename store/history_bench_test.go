package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
)

// shiftStart begins the shifts of the simulated floor, nine hours each.
var shiftStart = time.Date(2026, 3, 2, 3, 30, 0, 0, time.UTC)

// A pollster polls the simulated floor as the bot would: once a minute, each
// agent at an offset of its own.
type pollster struct {
	sim        *sim.Sim
	agents     []sim.Agent
	ids        []bot.AgentID
	dictionary stats.Dictionary
}

func newPollster(tb testing.TB, ids []bot.AgentID) *pollster {
	tb.Helper()
	s := sim.New(sim.Config{Seed: 1, Agents: len(ids), Start: shiftStart})
	return &pollster{s, s.Agents(), ids, stats.Defaults()}
}

// poll returns an agent's sample of the minute that begins at a time. Answers
// take some tenths of a second, so that their dates jump now and then.
func (p *pollster) poll(tb testing.TB, agent int, minute time.Time) bot.AgentSample {
	tick := minute.Add(time.Duration(agent*60/len(p.ids)) * time.Second)
	answered := tick.Add(time.Duration(50+(agent*7919+int(tick.Unix())*104729)%800) * time.Millisecond)
	texts, err := p.sim.Row(p.agents[agent].UserID, answered)
	if err != nil {
		tb.Fatal(err)
	}
	if texts == nil {
		return bot.AgentSample{Agent: p.ids[agent], Sample: stats.Sample{Tick: tick, Out: true}}
	}
	c := dashboard.Counters{Row: map[string]dashboard.Value{}, At: answered, Date: answered.Add(200 * time.Millisecond).Truncate(time.Second)}
	for key, text := range texts {
		c.Row[key] = dashboard.ValueOf(text)
	}
	return bot.AgentSample{Agent: p.ids[agent], Sample: p.dictionary.Sample(c, tick)}
}

// round polls everybody once.
func (p *pollster) round(tb testing.TB, minute time.Time) []bot.AgentSample {
	all := make([]bot.AgentSample, len(p.ids))
	for i := range p.ids {
		all[i] = p.poll(tb, i, minute)
	}
	return all
}

// shift appends a whole shift of everybody, a quarter of an hour at a time.
func (p *pollster) shift(tb testing.TB, s *Store, day int) {
	start := shiftStart.AddDate(0, 0, day)
	for quarter := start; quarter.Before(start.Add(9 * time.Hour)); quarter = quarter.Add(15 * time.Minute) {
		var all []bot.AgentSample
		for minute := range 15 {
			all = append(all, p.round(tb, quarter.Add(time.Duration(minute)*time.Minute))...)
		}
		mustAppend(tb, s, all...)
	}
}

// silent is a configuration that logs nothing.
func silent(tb testing.TB) Config {
	c := testConfig(tb)
	c.Logger = nil
	return c
}

// appendRound appends a round in batches, as results land.
func appendRound(tb testing.TB, s *Store, round []bot.AgentSample) {
	for len(round) > 0 {
		n := min(256, len(round))
		mustAppend(tb, s, round[:n]...)
		round = round[n:]
	}
}

// BenchmarkAppendRound stores one round of 10,000 agents, in batches of 256, in
// the minutes of an hour one after the other.
func BenchmarkAppendRound(b *testing.B) {
	s := open(b, silent(b))
	p := newPollster(b, linkMany(b, s, many))
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		round := p.round(b, shiftStart.Add(time.Duration(150+i)*time.Minute))
		b.StartTimer()
		appendRound(b, s, round)
	}
}

// BenchmarkAppendBatch stores a batch of 256 of 1,000 agents: into an empty
// history, and into one of 35 days. They must cost the same.
func BenchmarkAppendBatch(b *testing.B) {
	for _, days := range []int{0, 35} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			s := open(b, silent(b))
			p := newPollster(b, linkMany(b, s, 1000))
			s = age(b, s, p, days)
			p.shift(b, s, days)
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				round := p.round(b, shiftStart.AddDate(0, 0, days).Add(time.Duration(9*60+i/3)*time.Minute))
				b.StartTimer()
				mustAppend(b, s, round[i%3*256:][:256]...)
			}
		})
	}
}

// age fills a history with days of one and the same shift. A file says on which
// day it is in one record only, so the first is copied.
func age(tb testing.TB, s *Store, p *pollster, days int) *Store {
	if days == 0 {
		return s
	}
	p.shift(tb, s, 0)
	s.history.compactEnded(shiftStart.AddDate(0, 0, 1))
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join(s.history.dir, "2026-03-02.db"))
	if err != nil {
		tb.Fatal(err)
	}
	for day := 1; day < days; day++ {
		date := schedule.DateOf(shiftStart.AddDate(0, 0, day), time.UTC)
		content := inDay(tb, "day.db", func(t txn) error {
			form, err := encode(dayForm{dayFormat, date})
			return errors.Join(err, t.put(bucketMeta, keyDay, form))
		})(first)
		if err := os.WriteFile(filepath.Join(s.history.dir, date.String()+daySuffix), content, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return open(tb, s.config)
}

// BenchmarkShift reads one agent's shift of nine hours.
func BenchmarkShift(b *testing.B) {
	for _, days := range []int{0, 35} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			s := open(b, silent(b))
			p := newPollster(b, linkMany(b, s, 1000))
			s = age(b, s, p, days)
			p.shift(b, s, days)
			start := shiftStart.AddDate(0, 0, days)
			span := schedule.Span{Start: start, End: start.Add(9 * time.Hour)}
			for i := 0; b.Loop(); i++ {
				if n := len(collect(b, s.History(p.ids[i%len(p.ids)], span))); n != 540 {
					b.Fatal(n)
				}
			}
		})
	}
}

// BenchmarkWeek reads a week of 200 agents: all of it, and without idle minutes,
// which no summary needs.
func BenchmarkWeek(b *testing.B) {
	s := open(b, silent(b))
	p := newPollster(b, linkMany(b, s, 200))
	s = age(b, s, p, 7)
	span := schedule.Span{Start: shiftStart, End: shiftStart.AddDate(0, 0, 7)}
	for name, without := range map[string][]string{"all": nil, "without=I": {"I"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				for _, id := range p.ids {
					for _, err := range s.History(id, span, without...) {
						if err != nil {
							b.Fatal(err)
						}
						n++
					}
				}
				if n != len(p.ids)*7*540 {
					b.Fatal(n)
				}
			}
		})
	}
}

// BenchmarkSize tells how many bytes a shift of one agent takes on disk: while
// the day is written to, and when it is compacted.
func BenchmarkSize(b *testing.B) {
	s := open(b, silent(b))
	p := newPollster(b, linkMany(b, s, 1000))
	for minute := range 9 * 60 {
		appendRound(b, s, p.round(b, shiftStart.Add(time.Duration(minute)*time.Minute)))
	}
	size := func() float64 {
		info, err := os.Stat(filepath.Join(s.history.dir, "2026-03-02.db"))
		if err != nil {
			b.Fatal(err)
		}
		return float64(info.Size()) / float64(len(p.ids))
	}
	written := size()
	s.history.compactEnded(shiftStart.AddDate(0, 0, 2))
	for b.Loop() {
		_ = size()
	}
	b.ReportMetric(written, "B/agent-day-open")
	b.ReportMetric(size(), "B/agent-day")
}

// BenchmarkForget deletes an agent from 7 days of 1,000 agents.
func BenchmarkForget(b *testing.B) {
	s := open(b, silent(b))
	p := newPollster(b, linkMany(b, s, 1000))
	s = age(b, s, p, 7)
	for i := 0; b.Loop(); i++ {
		if err := s.ForgetHistory(p.ids[i]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLease takes a row of a thousand addresses with ten rows each.
func BenchmarkLease(b *testing.B) {
	s := open(b, silent(b))
	for i := range 10 {
		var rows []bot.Row
		for k := range 1000 {
			rows = append(rows, rowTo(fmt.Sprint(i, "/", k), fmt.Sprint("slack:U", k), bot.LaneAlert))
		}
		enqueue(b, s, rows...)
	}
	for i := 0; b.Loop(); i++ {
		rows, _, err := s.Lease("slack", noon, noon.Add(time.Minute), 16)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range rows {
			settle(b, s, r.Key, bot.Outcome{State: bot.RowSent, At: noon})
		}
	}
}
