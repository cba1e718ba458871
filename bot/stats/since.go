package stats

import "floorwalker/dashboard"

// Since returns what happened between two snapshots of one counting period: the
// difference of a counter, the interval's average of an average. A counter that
// fell was corrected by the vendor; what it fell by is not counted, so that the
// result never overstates.
func (d Dictionary) Since(name string, first, last dashboard.Counters) Number {
	m, ok := d.ByName(name)
	if ok && m.Kind == Average {
		return d.averageSince(m, first, last)
	}
	a, b := d.Read(first, name), d.Read(last, name)
	if !a.Known() || !b.Known() {
		return Number{}
	}
	if b.Value < a.Value {
		return Number{0, Estimated}
	}
	return Number{b.Value - a.Value, Exact}
}

// averageSince undoes the averaging: sums are average × weight, and sums can be
// subtracted.
func (d Dictionary) averageSince(m Metric, first, last dashboard.Counters) Number {
	a1, a2 := m.Read(first), m.Read(last)
	n1, n2 := d.Read(first, m.Weight), d.Read(last, m.Weight)
	if !d.Confirmed(m.Weight) || !a1.Known() || !a2.Known() || !n1.Known() || !n2.Known() || n2.Value-n1.Value < minWeight {
		return Number{}
	}
	v := (a2.Value*n2.Value - a1.Value*n1.Value) / (n2.Value - n1.Value)
	if v < 0 {
		return Number{}
	}
	return Number{v, Estimated}
}
