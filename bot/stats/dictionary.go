package stats

// A Metric says what a key of the payload means.
type Metric struct {
	Key       string `json:"key" yaml:"key" mapstructure:"key"`                   // in the payload, case matters; "l.duration" looks into an object
	Name      string `json:"name" yaml:"name" mapstructure:"name"`                // in rules and JSON, lower case with underscores
	Label     string `json:"label" yaml:"label" mapstructure:"label"`             // for people
	Unit      Unit   `json:"unit" yaml:"unit" mapstructure:"unit"`                // of the number
	Kind      Kind   `json:"kind" yaml:"kind" mapstructure:"kind"`                // how it behaves over time
	Weight    string `json:"weight" yaml:"weight" mapstructure:"weight"`          // averages: the name of the count it is an average over
	Reset     Reset  `json:"reset" yaml:"reset" mapstructure:"reset"`             // counters: when they start again
	Better    Better `json:"better" yaml:"better" mapstructure:"better"`          // which direction is good news
	Confirmed bool   `json:"confirmed" yaml:"confirmed" mapstructure:"confirmed"` // somebody compared it with the vendor's dashboard
}

// Unit is the unit of a metric.
type Unit string

// The units.
const (
	Count   Unit = "count"
	Seconds Unit = "seconds"
	Minutes Unit = "minutes"
	Hours   Unit = "hours"
	NoUnit  Unit = "none"
)

// Kind says how a metric behaves over time.
type Kind string

// The kinds of metrics.
const (
	Counter Kind = "counter" // only rises, until its reset
	Gauge   Kind = "gauge"   // goes up and down
	Average Kind = "average" // a mean since the reset, over Weight
	Map     Kind = "map"     // counters by name, such as calls by campaign
	Text    Kind = "text"
	Flag    Kind = "flag" // yes or no
)

// Reset says when a counter starts again.
type Reset string

// The resets.
const (
	Daily   Reset = "day"   // at midnight in the vendor's zone
	AtLogin Reset = "login" // with every login; not counted in answers that lack the login's age
	Never   Reset = "never"
)

// Better says which direction is good news.
type Better string

// The directions.
const (
	Higher  Better = "higher"
	Lower   Better = "lower"
	Neither Better = "neither"
)

// A Dictionary is the list of metrics, each key and each name once.
type Dictionary []Metric

// Defaults returns the readings that the API's documentation suggests. No entry
// is confirmed: the vendor defines none of the keys.
func Defaults() Dictionary {
	return Dictionary{
		{Key: "TH", Name: "offered", Label: "Calls offered", Unit: Count, Kind: Counter, Reset: Daily, Better: Neither},
		{Key: "MH", Name: "missed", Label: "Missed", Unit: Count, Kind: Counter, Reset: Daily, Better: Lower},
		{Key: "aTT", Name: "avg_talk", Label: "Average talk", Unit: Seconds, Kind: Average, Weight: "answered", Reset: Daily, Better: Neither},
		{Key: "HT", Name: "hold", Label: "Hold time", Unit: Seconds, Kind: Counter, Reset: Daily, Better: Lower},
		{Key: "C", Name: "calls", Label: "Connected calls", Unit: Count, Kind: Counter, Reset: Daily, Better: Higher},
		{Key: "tC", Name: "total_calls", Label: "Total calls", Unit: Count, Kind: Counter, Reset: Daily, Better: Higher},
		{Key: "I", Name: "idle", Label: "Idle", Unit: Minutes, Kind: Gauge, Reset: Never, Better: Neither},
		{Key: "callType", Name: "calls_by_type", Label: "Calls by type", Unit: Count, Kind: Map, Reset: Daily, Better: Neither},
		{Key: "cmpId", Name: "calls_by_campaign", Label: "Calls by campaign", Unit: Count, Kind: Map, Reset: Daily, Better: Neither},
		{Key: "l.type", Name: "login_type", Label: "Login type", Unit: NoUnit, Kind: Text, Reset: Never, Better: Neither},
		{Key: "l.duration", Name: "login_age", Label: "Logged in for", Unit: Seconds, Kind: Gauge, Reset: AtLogin, Better: Neither},
		{Key: "ml", Name: "mobile_login", Label: "Mobile login", Unit: NoUnit, Kind: Flag, Reset: Never, Better: Neither},
		{Key: "ATT", Name: "att_flag", Label: "ATT flag", Unit: NoUnit, Kind: Flag, Reset: Never, Better: Neither},
	}
}

// Derived lists the names that are computed and so cannot be taken by a metric.
func Derived() []string {
	return []string{
		"answered", "miss_rate", "calls_per_hour", "minutes_since_call",
		"login_hours", "logged_in", "shift_minutes", "agents", "reporting",
		"logged_in_before", "shift_left", "source_minutes",
	}
}

// ByName returns the metric with the name.
func (d Dictionary) ByName(name string) (Metric, bool) {
	for i := range d { // in place: every poll asks, and a metric is large
		if d[i].Name == name {
			return d[i], true
		}
	}
	return Metric{}, false
}

// Confirmed reports whether the metric or derived number can be trusted: all
// the metrics that it is made of are confirmed.
func (d Dictionary) Confirmed(name string) bool {
	switch name {
	case "logged_in", "login_hours", "shift_minutes", "agents", "reporting", "logged_in_before", "shift_left", "source_minutes":
		return true
	case "answered", "miss_rate", "calls_per_hour", "minutes_since_call":
		return d.Confirmed("offered") && d.Confirmed("missed")
	}
	m, ok := d.ByName(name)
	return ok && m.Confirmed
}
