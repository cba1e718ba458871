package alert

// Judge completes a sample of the rule: it reads the values and says whether
// the rule breaches or clears. x brings the data state, times and subject.
//
// A missing value makes a fresh sample NoData. An absence is fresh data for a
// rule that reads only logged_in and the clock, and is an absence for all
// others. Judge does not allocate.
func (r *Rule) Judge(x Sample, v Values) Sample {
	absent := x.Data == Absent
	if x.Data != Fresh && !(absent && r.presence) {
		return x
	}
	var u run
	for i, n := range r.needs {
		var ok bool
		u.values[i], ok = v.Value(n)
		if absent && n.Metric == NameLoggedIn {
			u.values[i], ok = 0, true
		}
		if !ok {
			x.Data = NoData
			return x
		}
	}
	x.Breach = u.holds(r.when)
	x.Clear = !x.Breach
	if r.clear != nil {
		// A value that does both breaches: the exit lies inside the enter threshold.
		x.Clear = u.holds(r.clear) && !x.Breach
	}
	x.Value = 0
	if r.shown != nil {
		x.Value = u.number(r.value())
	} else if x.Breach {
		x.Value = 1
	}
	x.Data = Fresh
	if u.overflow {
		x.Data = NoData
	}
	return x
}

// Threshold returns what the value shown is compared with, for values that
// Judge found complete. ok is false when the rule compares no numbers or a
// value is missing.
func (r *Rule) Threshold(v Values) (limit float64, ok bool) {
	if r.shown == nil {
		return 0, false
	}
	var u run
	for i, n := range r.needs {
		if u.values[i], ok = v.Value(n); !ok {
			return 0, false
		}
	}
	limit = u.number(r.threshold())
	return limit, finite(limit)
}
