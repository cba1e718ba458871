// Package schedule knows when things happen on people's clocks: when a shift
// begins and ends, when a digest is due and what it covers, whether somebody
// has quiet hours, and until when "until 08:00" is.
//
// It is pure. Nothing here reads a clock, keeps state or starts a goroutine:
// functions take the instant they are asked about and return instants. All
// types are values, safe to copy and to use from several goroutines as long as
// nobody changes the slices inside them.
//
// # Civil time and instants
//
// People write civil time: a [Date], a [TimeOfDay], both together ([Civil]).
// Machines run at instants (time.Time). [Resolve] leads from the first to the
// second, and everything else here goes through it. Its rules, which are what
// people expect and what cron has done for decades:
//
//   - A time runs once on each civil date it is scheduled for.
//   - If the clocks skip it (02:30 in spring), it runs at the first instant
//     after the gap. Its name stays what the person wrote.
//   - If the clocks repeat it (01:30 in autumn), it runs the first time only.
//   - Two times of one schedule that land on one instant are one run, named by
//     the earlier; the other is coalesced.
//   - A run in a gap may land on the next date, and still belongs to its own.
//   - A date that a zone skipped altogether (30 December 2011 in Samoa) has no
//     run.
//
// time.Date is never given a zone with transitions: for a skipped or a repeated
// time its answer differs from zone to zone, and may lie before the gap or on
// the previous day.
//
// # What is built on it
//
//   - [Schedule]: days and times of day in a zone. [Schedule.Next] walks it,
//     [Schedule.Due] says what to do about it now, after a restart or a pause
//     too, [Schedule.OddDates] warns about the dates the clocks change.
//   - [Rota]: the shifts and holidays of one team; [Rotas]: those of an agent
//     who is in several.
//   - [Digest]: a schedule and the [Window] of data each of its runs covers. The
//     window follows from the nominal time, never from now, so a late or repeated
//     run says the same.
//   - [QuietHours]: somebody's daily window without notices.
//
// What a person writes is parsed by the Parse functions and by [LoadZone]; what
// it adds up to is judged by the Faults methods. Both answer in sentences meant
// for the person who wrote it. Where it was written, the caller knows.
package schedule
