// Package stats turns snapshots of counters into numbers that may be shown.
//
// The counters API explains none of its keys. So what a key means is a
// [Metric] of the [Dictionary], which is configuration with defaults, and a
// reading that nobody has confirmed shows its raw key beside its label. A
// number is exact, estimated or missing ([Number]); missing is never zero.
//
// The package is pure: it reads no clock, and holds no state but what a
// [Tracker] is given.
//
//	Counters ──Dictionary.Sample──▶ Sample ─┬─Series.Summarize──▶ Summary ──Combine, Join──▶ Summary
//	                                        └─Tracker.Observe───▶ Tracker.Value, Team.Value
//
// A [Sample] is one poll of one agent. [Series.Summarize] reads an agent's
// samples of a window at once, for cards and digests; a [Tracker] takes them
// one by one, for rules. Both count by the same code.
//
// # What is counted
//
// Totals never overstate, and say by how much they may understate
// ([Summary.Lacks]). A total is the sum of the differences between samples
// inside the window. What became of a counter between two samples:
//
//	rise                                      the difference, exact
//	fall                                      a correction: what was counted before is taken back
//	far fall across a boundary                the counter started again: its new value
//	boundary between them, no far fall        the difference, estimated; the start is not seen yet
//	far fall soon after such a boundary       the late start: nothing
//	far fall at any other time                a start that nobody announced: nothing
//	back to what it was before a far fall     the low values were a slip: what exceeds the old value
//
// A boundary is midnight in the vendor's zone or a new login, as the metric's
// [Reset] says; a start may come up to ten minutes late. Counters with the same
// Reset start again together, so they are judged by their sum: a correction of
// one of them is not taken for the start of all. A far fall is one to half of the
// sum or less, by more than 3 in some counter: the vendor corrects a few calls,
// not half a day. Across a boundary it need not be by so much, and more than ten
// minutes after one any fall of the sum is far, because by then the counters must
// have started again.
//
// Counting on from a corrected value without taking anything back would
// overstate: of 50, 57, 56, 58 it makes 9 calls, and there were 8. What is taken
// back may have been counted before the window began, so a total stops at 0.
//
// When something happened is known as well as the samples are close: calls per
// hour, increases and hours treat samples more than two polls apart as a gap.
//
// An answer whose Date is older than that of an earlier answer is dropped, as if
// the poll had failed: it is a gap, and a gap is never a zero.
//
// # What nobody can know
//
// A correction and a call between the same two samples hide each other, and a
// correction that no sample showed before its counter started again is not seen
// at all. A call that the vendor moves from missed to answered counts as
// answered when it moves. Counts that the vendor adds late are counted when they
// appear. A slip in the first answer there is looks like a start, and its end like
// many calls.
package stats
