// Package chart shows a [chat.Chart] to people: as a picture ([PNG]), as rows of
// block characters for a terminal ([Text]), and in words ([Alt]).
//
// The three agree on what may be said. The axis always includes zero. A missing
// point is a gap – a dash, a dot, "no data at 13" – and never a zero; a zero is
// written "0". Numbers look alike in all three: 12,345 for calls, 4:12 for
// seconds.
//
// The picture is an opaque dark card, because a transparent one loses its text
// on one theme or the other. Colours are told apart by people who do not see red
// or green, and never carry the meaning alone: bars stand in the legend's order,
// curves have markers of different shapes, and Alt goes with every picture.
//
// Everything here is a function of its arguments: no clock, no state, no
// goroutine, safe for concurrent use, and the same chart gives the same bytes.
// A picture takes about 8 ms and 3 MB to draw; how many are drawn at a time, and
// whether they are kept, is the caller's business.
package chart
