package bot

// numbers are the last numbers that were given out.
type numbers struct {
	Episode int `json:"episode"`
	Silence int `json:"silence"`
}

// number gives out the next number of one of the two kinds.
func (d *desk) number(which func(*numbers) *int) int {
	n := d.numbers()
	if d.err != nil {
		return 0
	}
	*which(&n)++
	d.put(RecordHandling, "numbers", n)
	return *which(&n)
}

// numbers returns the last numbers given out. If the record of them is not there,
// because it is damaged or nothing was ever given one, they are the highest that
// is kept of anything: what a supervisor has read must not mean something else.
func (d *desk) numbers() numbers {
	var n numbers
	if d.err != nil {
		return n
	}
	n, found, err := ReadRecord[numbers](d.tx, RecordHandling, "numbers")
	if d.fail(err); found || err != nil {
		return n
	}
	for k, err := range EachRecord[numbered](d.tx, RecordHandling, "") {
		d.fail(err)
		n.Episode = max(n.Episode, k.Value.N)
		for _, m := range k.Value.Members {
			n.Episode = max(n.Episode, m.N)
		}
	}
	for k, err := range EachRecord[standing](d.tx, RecordAlerts, "") {
		d.fail(err)
		for _, rule := range k.Value.Rules {
			if rule.Episode != nil {
				n.Episode = max(n.Episode, rule.Episode.N)
			}
		}
	}
	for _, s := range d.silences() {
		n.Silence = max(n.Silence, s.N)
	}
	return n
}

// A numbered is what records about episodes have of their numbers: an ending its
// own, a bulletin its members'.
type numbered struct {
	N       int      `json:"n"`
	Members []member `json:"members"`
}
