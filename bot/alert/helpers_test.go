package alert

import "testing"

// table is Values from a map.
type table map[Need]float64

func (v table) Value(n Need) (float64, bool) {
	f, ok := v[n]
	return f, ok
}

// testEnv is a dictionary with one metric of each kind.
var testEnv = NewEnv([]Metric{
	{Name: "offered", Key: "TH", Unit: UnitCount, Kind: Counter, Confirmed: true},
	{Name: "missed", Key: "MH", Unit: UnitCount, Kind: Counter, Confirmed: true},
	{Name: "calls", Key: "C", Unit: UnitCount, Kind: Counter, Confirmed: true},
	{Name: "avg_talk", Key: "aTT", Unit: UnitSeconds, Kind: Average, Confirmed: true},
	{Name: "hold", Key: "HT", Unit: UnitSeconds, Kind: Counter},
	{Name: "idle", Key: "I", Unit: UnitMinutes, Kind: Gauge, Confirmed: true},
	{Name: "mobile_login", Key: "ml", Unit: UnitNone, Kind: Flag, Confirmed: true},
	{Name: "calls_by_type", Key: "callType", Unit: UnitNone, Kind: Map, Confirmed: true},
})

// mustCompile compiles a rule that must be valid.
func mustCompile(t testing.TB, spec RuleSpec) *Rule {
	t.Helper()
	if spec.Name == "" {
		spec.Name = "busy"
	}
	r, err := Compile(spec, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
