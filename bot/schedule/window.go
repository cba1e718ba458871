package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Span is a stretch of time, Start <= t < End.
type Span struct {
	Start, End time.Time // UTC
}

// Contains reports whether t lies in s.
func (s Span) Contains(t time.Time) bool { return !t.Before(s.Start) && t.Before(s.End) }

// Empty reports whether no instant lies in s.
func (s Span) Empty() bool { return !s.Start.Before(s.End) }

// Length returns how long s lasts, in elapsed time.
func (s Span) Length() time.Duration { return s.End.Sub(s.Start) }

// overlaps reports whether some instant lies in both s and t.
func (s Span) overlaps(t Span) bool { return !s.clip(t).Empty() }

// clip returns the part of s that lies in t. It is empty if there is none.
func (s Span) clip(t Span) Span {
	if s.Start.Before(t.Start) {
		s.Start = t.Start
	}
	if s.End.After(t.End) {
		s.End = t.End
	}
	return s
}

// merge joins spans that overlap or touch. The result is in order.
func merge(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	var merged []Span
	for _, s := range spans {
		if n := len(merged); n == 0 || s.Start.After(merged[n-1].End) {
			merged = append(merged, s)
		} else if s.End.After(merged[n-1].End) {
			merged[n-1].End = s.End
		}
	}
	return merged
}

// A Window is a Span that people know by civil times: a shift on a date, the
// data of a digest.
type Window struct {
	Span
	From, To Civil // what the clocks in Zone should read at Start and End
	Zone     *time.Location
	Team     string // whose it is
	Shift    string // the shift it is, or is part of; "" for none
}

// newWindow resolves both ends.
func newWindow(from, to Civil, zone *time.Location) Window {
	w := Window{From: from, To: to, Zone: zone}
	w.Start, _ = Resolve(from, zone)
	w.End, _ = Resolve(to, zone)
	return w
}

// Shifted returns by how much the clocks changed w: its length less what its
// civil times say. It is negative if the clocks went forward.
func (w Window) Shifted() time.Duration { return w.Length() - w.nominal() }

// nominal returns the length that the civil times say.
func (w Window) nominal() time.Duration {
	return time.Duration(w.To.unix()-w.From.unix()) * time.Second
}

// Label returns a remark for a window that the clocks made longer or shorter:
// "23 h day, clocks went forward". It is empty for all others.
func (w Window) Label() string {
	how := "back"
	switch shifted := w.Shifted(); {
	case shifted == 0:
		return ""
	case shifted < 0:
		how = "forward"
	}
	return fmt.Sprintf("%s %s, clocks went %s", hours(w.Length()), w.noun(), how)
}

func (w Window) noun() string {
	switch {
	case w.Shift != "":
		return "shift"
	case w.nominal() == 24*time.Hour:
		return "day"
	}
	return "window"
}

// hours writes a duration as "23 h" or "7 h 30 min".
func hours(d time.Duration) string {
	h, m := d/time.Hour, d%time.Hour/time.Minute
	if m == 0 {
		return fmt.Sprintf("%d h", h)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}

// String returns the window in civil time with its zone, "Mon 9 Mar
// 09:00–18:00 Europe/London", or with both dates if it has two.
func (w Window) String() string {
	const day = "Mon 2 Jan "
	var b strings.Builder
	b.WriteString(w.From.utc().Format(day) + w.From.Time.String())
	if w.From.Date == w.To.Date {
		b.WriteString("–")
	} else {
		b.WriteString(" – " + w.To.utc().Format(day))
	}
	b.WriteString(w.To.Time.String() + " " + w.Zone.String())
	return b.String()
}
