package schedule

import (
	"encoding/binary"
	"testing"
	"time"
)

// golden rows: what the clocks of the world do to a civil time. Verified by hand
// against the tz database; the first eleven are those that time.Date gets wrong,
// or right by chance.
var golden = []struct {
	zone    string
	nominal string
	kind    Kind
	at      string // UTC
	reads   string // there
}{
	{"America/New_York", "2026-03-08T02:30", Gap, "2026-03-08T07:00Z", "2026-03-08 03:00 EDT"},
	{"America/Havana", "2026-03-08T00:30", Gap, "2026-03-08T05:00Z", "2026-03-08 01:00 CDT"},
	{"America/Santiago", "2026-09-06T00:00", Gap, "2026-09-06T04:00Z", "2026-09-06 01:00 -03"},
	{"Europe/London", "2026-03-29T01:30", Gap, "2026-03-29T01:00Z", "2026-03-29 02:00 BST"},
	{"Europe/Berlin", "2026-03-29T02:30", Gap, "2026-03-29T01:00Z", "2026-03-29 03:00 CEST"},
	{"Australia/Sydney", "2026-10-04T02:30", Gap, "2026-10-03T16:00Z", "2026-10-04 03:00 AEDT"},
	{"America/New_York", "2026-11-01T01:30", Overlap, "2026-11-01T05:30Z", "2026-11-01 01:30 EDT"},
	{"Europe/London", "2026-10-25T01:30", Overlap, "2026-10-25T00:30Z", "2026-10-25 01:30 BST"},
	{"Europe/Berlin", "2026-10-25T02:30", Overlap, "2026-10-25T00:30Z", "2026-10-25 02:30 CEST"},
	{"Australia/Sydney", "2026-04-05T02:30", Overlap, "2026-04-04T15:30Z", "2026-04-05 02:30 AEDT"},
	{"Pacific/Apia", "2011-12-30T08:00", Gap, "2011-12-30T10:00Z", "2011-12-31 00:00 +14"},

	{"America/New_York", "2026-03-08T03:00", Plain, "2026-03-08T07:00Z", "2026-03-08 03:00 EDT"},
	{"Africa/Cairo", "2026-04-24T00:00", Gap, "2026-04-23T22:00Z", "2026-04-24 01:00 EEST"},
	{"Africa/Cairo", "2026-10-29T23:30", Overlap, "2026-10-29T20:30Z", "2026-10-29 23:30 EEST"},
	{"America/Santiago", "2026-04-04T23:30", Overlap, "2026-04-05T02:30Z", "2026-04-04 23:30 -03"},
	{"Australia/Lord_Howe", "2026-10-04T02:15", Gap, "2026-10-03T15:30Z", "2026-10-04 02:30 +11"},
	{"Australia/Lord_Howe", "2026-04-05T01:45", Overlap, "2026-04-04T14:45Z", "2026-04-05 01:45 +11"},
	{"Antarctica/Troll", "2026-03-29T01:30", Gap, "2026-03-29T01:00Z", "2026-03-29 03:00 +02"},
	{"America/Nuuk", "2026-03-28T23:30", Gap, "2026-03-29T01:00Z", "2026-03-29 00:00 -01"},
	{"Africa/Casablanca", "2026-02-15T02:30", Overlap, "2026-02-15T01:30Z", "2026-02-15 02:30 +01"},
	{"Asia/Kolkata", "2026-03-29T02:30", Plain, "2026-03-28T21:00Z", "2026-03-29 02:30 IST"},
	{"UTC", "2026-03-29T02:30", Plain, "2026-03-29T02:30Z", "2026-03-29 02:30 UTC"},
}

func TestGolden(t *testing.T) {
	for _, g := range golden {
		z := zone(t, g.zone)
		at, kind := Resolve(civil(t, g.nominal), z)
		if iso(at) != g.at || kind != g.kind || at.Location() != time.UTC {
			t.Errorf("Resolve(%s, %s) = %s %v, want %s %v", g.nominal, g.zone, at, kind, g.at, g.kind)
		}
		if reads := at.In(z).Format("2006-01-02 15:04 MST"); reads != g.reads {
			t.Errorf("Resolve(%s, %s) reads %s, want %s", g.nominal, g.zone, reads, g.reads)
		}
	}
}

// A schedule that runs daily at a golden time runs then, and only then, on that
// nominal date.
func TestGoldenRuns(t *testing.T) {
	for _, g := range golden {
		c := civil(t, g.nominal)
		s := Schedule{Zone: zone(t, g.zone), Days: EveryDay, Times: []TimeOfDay{c.Time}}
		at := instant(t, g.at)
		if g.zone == "Pacific/Apia" { // the date does not exist
			at = instant(t, "2011-12-29T18:00Z")
			c.Date-- // its eve ran at 08:00 −10
		}
		before, after := at.Add(-time.Second), at
		next, err := s.Next(before)
		if err != nil || next.Nominal != c || !next.At.Equal(at) {
			t.Errorf("%s: Next(%s) = %v, %v; want %s at %s", g.zone, iso(before), next, err, c, iso(at))
		}
		next, err = s.Next(after)
		want := c.Date + 1
		if g.zone == "Pacific/Apia" {
			want++
		}
		if err != nil || next.Nominal != (Civil{want, c.Time}) {
			t.Errorf("%s: Next(%s) = %v, %v; want the run of %s", g.zone, iso(after), next, err, want)
		}
	}
}

// The stored form of a kind must not change.
func TestKindString(t *testing.T) {
	for kind, want := range map[Kind]string{Plain: "plain", Overlap: "overlap", Gap: "gap", NoSuchDate: "no_such_date"} {
		if got := kind.String(); got != want {
			t.Errorf("%d is written %q, want %q", kind, got, want)
		}
	}
}

func TestExists(t *testing.T) {
	for _, test := range []struct {
		zone, date string
		want       bool
	}{
		{"Pacific/Apia", "2011-12-29", true},
		{"Pacific/Apia", "2011-12-30", false},
		{"Pacific/Apia", "2011-12-31", true},
		{"Pacific/Kwajalein", "1993-08-21", false},
		{"Pacific/Kiritimati", "1994-12-31", false},
		{"America/New_York", "2026-03-08", true}, // 23 hours
		{"America/Juneau", "1867-10-19", true},   // lived twice in part
		{"UTC", "2011-12-30", true},
	} {
		if got := date(t, test.date).Exists(zone(t, test.zone)); got != test.want {
			t.Errorf("%s exists in %s: %v, want %v", test.date, test.zone, got, test.want)
		}
	}
}

// A date that was lived twice, when Alaska was sold, has one run.
func TestRepeatedDate(t *testing.T) {
	z := zone(t, "America/Juneau")
	s := Schedule{Zone: z, Days: EveryDay, Times: clocks(t, "12:00")}
	var last Occurrence
	for o := range s.Between(instant(t, "1867-10-14T00:00Z"), instant(t, "1867-10-25T00:00Z")) {
		if last.Nominal.Date != 0 && (o.Nominal.Date != last.Nominal.Date+1 || !o.At.After(last.At)) {
			t.Errorf("%s at %s follows %s at %s", o.Nominal, iso(o.At), last.Nominal, iso(last.At))
		}
		last = o
	}
	if last.Nominal.Date < date(t, "1867-10-23") {
		t.Errorf("the last run is of %s", last.Nominal)
	}
}

// madeUp returns a zone whose offset changes at the given instants. No real one
// changes twice within a day.
func madeUp(t *testing.T, changes ...struct{ at, offset int32 }) *time.Location {
	t.Helper()
	n := uint32(len(changes))
	data := append([]byte("TZif"), make([]byte, 16)...)
	for _, count := range []uint32{0, 0, 0, n, n, 4} { // ut, std, leap, times, types, letters
		data = binary.BigEndian.AppendUint32(data, count)
	}
	for _, c := range changes {
		data = binary.BigEndian.AppendUint32(data, uint32(c.at))
	}
	for i := range changes {
		data = append(data, byte(i))
	}
	for _, c := range changes {
		data = append(binary.BigEndian.AppendUint32(data, uint32(c.offset)), 0, 0)
	}
	z, err := time.LoadLocationFromTZData("Made/Up", append(data, "XYZ\x00"...))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// Two jumps in one day, and two steps back: the first counts.
func TestTwoChangesInADay(t *testing.T) {
	const hour, noon = 3600, 12 * 3600
	type change = struct{ at, offset int32 }
	forward := madeUp(t, change{-1000 * hour, 0}, change{noon, hour}, change{noon + 6*hour, 2 * hour})
	back := madeUp(t, change{-1000 * hour, 2 * hour}, change{noon, hour}, change{noon + hour/2, 0})
	for _, test := range []struct {
		zone *time.Location
		c    string
		kind Kind
		at   string
	}{
		{forward, "1970-01-01T12:30", Gap, "1970-01-01T12:00Z"},
		{forward, "1970-01-01T19:30", Gap, "1970-01-01T18:00Z"},
		{forward, "1970-01-01T15:00", Plain, "1970-01-01T14:00Z"},
		{back, "1970-01-01T13:15", Overlap, "1970-01-01T11:15Z"}, // three times, in fact
		{back, "1970-01-01T12:15", Plain, "1970-01-01T10:15Z"},
	} {
		at, kind := Resolve(civil(t, test.c), test.zone)
		if kind != test.kind || iso(at) != test.at {
			t.Errorf("%s is %s, %v; want %s, %v", test.c, iso(at), kind, test.at, test.kind)
		}
	}
}
