package stats

import (
	"math"
	"time"
)

// minWeight is the least number of calls over which an interval's average is
// shown: below it, rounding of the two averages decides the result.
const minWeight = 5

// A Series says how to read samples.
type Series struct {
	Dictionary Dictionary
	Vendor     *time.Location // the vendor's day, in which daily counters start again; nil: UTC
	Hours      *time.Location // the zone of the hourly buckets; nil: UTC
	Every      time.Duration  // between two polls of an agent, as it really was; 0: a minute
}

// A Summary is what happened to one agent, or to a team, in a window. Totals
// never overstate: what cannot be known to have happened inside the window is
// not counted, and Lacks says how much that may be.
type Summary struct {
	From, To  time.Time
	First     time.Time         // tick of the first sample; zero: there are none
	Last      time.Time         // tick of the last sample
	Polled    int               // samples, without dropped ones
	Observed  time.Duration     // time within one poll of a sample; of a team: the mean
	Unseen    time.Duration     // the longest Lacks.Time: 0 if all is counted, or bounded by a count
	LastCall  time.Time         // tick by which the last answered call was counted; zero: none was
	Login     time.Time         // of one agent: when the login began in which the window ends; zero: not known, or logged out
	Totals    map[string]Number // by the name of a metric, "answered" and "miss_rate" and "calls_per_hour" included
	Lacks     map[string]Lack   // by the name of a counter in Totals, "answered" included
	Hours     []Hour            // in order, every hour of the window; none if it is longer than eight days
	Agents    int               // 1, or of a team: how many are in it
	Reporting int               // how many of them have samples

	length   time.Duration      // of the windows that were joined or combined; 0: of From to To
	weights  map[string]float64 // of the averages in Totals
	sums     map[string]float64 // average × weight
	calls    float64            // answered between samples at most two polls apart, and
	rateTime time.Duration      //   the time between those samples
}

// A Lack says by how much a total may understate: by Count events at most, and
// by those that happened in Time. It is zero when nothing can be lacking.
type Lack struct {
	Count float64
	Time  time.Duration
}

// Coverage is the share of the window that was observed, from 0 to 1.
func (s Summary) Coverage() float64 {
	length := s.length
	if length == 0 {
		length = s.To.Sub(s.From)
	}
	if length <= 0 {
		return 0
	}
	return min(1, float64(s.Observed)/float64(length))
}

// Late reports whether the first sample came so late that the summary is one
// "since" then.
func (s Summary) Late(every time.Duration) bool {
	return !s.First.IsZero() && s.First.Sub(s.From) > 2*every
}

// derive computes the rates.
func (s *Summary) derive() {
	answered, missed := s.Totals["answered"], s.Totals["missed"]
	quality := min(answered.Quality, missed.Quality)
	// Offered may count a call more, of a sample that lacked missed.
	if offered := answered.Value + missed.Value; quality != Missing && offered > 0 {
		s.Totals["miss_rate"] = Number{missed.Value / offered, quality}
	}
	if hours := s.rateTime.Hours(); answered.Known() && hours > 0 {
		s.Totals["calls_per_hour"] = Number{max(0, s.calls) / hours, answered.Quality}
	}
}

// average puts an average into Totals, if enough was counted for it.
func (s *Summary) average(name string) {
	sum, n := s.sums[name], s.weights[name]
	if n >= minWeight && sum >= 0 && !math.IsInf(sum, 0) {
		s.Totals[name] = Number{sum / n, Estimated}
	}
}
