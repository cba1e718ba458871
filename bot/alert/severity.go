package alert

import "errors"

// Severity says how urgent a rule is.
type Severity uint8

// The severities, in order of urgency.
const (
	Info Severity = iota
	Warning
	Critical
)

// String returns info, warning or critical.
func (s Severity) String() string {
	return [...]string{"info", "warning", "critical"}[min(s, Critical)]
}

// MarshalText returns String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets s from what String returns.
func (s *Severity) UnmarshalText(b []byte) error {
	for v := Info; v <= Critical; v++ {
		if string(b) == v.String() {
			*s = v
			return nil
		}
	}
	return errors.New("severity is info, warning or critical, not " + string(b))
}
