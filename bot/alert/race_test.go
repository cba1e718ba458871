//go:build race

package alert

// raceEnabled shortens long walks under the race detector.
const raceEnabled = true
