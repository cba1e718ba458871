// Package discord is the driver of Discord: it takes what people do
// over the gateway or over HTTP, makes requests of it, and draws messages as
// embeds.
//
// # What runs
//
// [Adapter.Run] registers the commands if Discord has others (commands.go) and
// keeps the gateway connected (gateway.go, line.go). In HTTP mode there is no
// gateway, and Discord calls [Adapter.Handler] (http.go); all else is the same. An
// interaction is read by parsers of our own (request.go) and worked on in a
// bounded pool (session.go). Its answer is a first response within three seconds,
// which is a promise to answer if there is none after one and a half, and then
// edits of it (reply.go).
//
// [Adapter.Send] and [Adapter.Edit] are independent of Run. All calls go through
// one limiter and one helper (pace.go, rest.go).
//
// # What Discord makes difficult
//
// Whether an answer is private is fixed by its first response, so it follows the
// command and not the message. A message that must not be seen by others is then
// sent beside what they do see.
//
// Discord suspends bots that write to many people unasked. A person is sent
// direct messages only after they have used a command; see [Memory]. An id that
// nobody has spoken under is taken for a channel's.
//
// The library, discordgo v0.29.0, is kept at arm's length: it deadlocks when
// Discord asks for a new connection at the wrong moment, signs in for ever with a
// token that was revoked, and queues all people's edits behind one another. The
// comments name each fault beside what prevents it.
package discord
