package schedule

// A Fault is something wrong with what a person configured.
type Fault struct {
	Field  string // the configuration key it is about, below the thing judged: "days"
	Reason string // one sentence, lower case, no full stop
}

// Error returns the fault as "days: no day is given".
func (f Fault) Error() string { return f.Field + ": " + f.Reason }
