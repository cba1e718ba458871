//go:build race

package schedule

// raceEnabled reports whether the race detector slows the tests down.
const raceEnabled = true
