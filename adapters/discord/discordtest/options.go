package discordtest

import (
	"cmp"
	"time"
)

// Options describe the network and its app. The zero Options are usable.
type Options struct {
	BotToken string // default "fake-token"
	AppID    string // default "1000000000000000001"; the bot's user id too
	BotName  string // default "floorwalker"

	// Seed makes the key pair that interactions are signed with; the same seed is
	// the same key. The default is empty.
	Seed string

	Privileged int  // privileged intents the app was granted; default none
	RateLimits bool // enforce the limits of each route, 50 requests a second, and the gateway's
	OpenLimit  int  // new direct messages that may be opened within Times.Open; 0 = any number
	Creates    int  // new commands a day, per guild and for the global ones; default 200
	Identifies int  // sessions that may still be started today; default 1000
	BanAfter   int  // answers of 401, 403 and 429 in 10 minutes that ban an address; default 10,000
	Sharding   bool // the app has so many guilds that it must shard (close 4011)
	AnyCommand bool // people can use commands that are not registered, with options of any name
	Aliens     bool // interactions carry component types and keys that nobody has heard of yet
	NoProbe    bool // UseHTTP does not check the app's endpoint

	Times Times
}

// Times are Discord's durations; a zero field is Discord's own value, or near it
// where Discord gives none.
type Times struct {
	Ack       time.Duration // until the first answer to an interaction: 3 s
	Token     time.Duration // life of an interaction token: 15 min
	Nonce     time.Duration // how long an enforced nonce is remembered: 5 min
	Heartbeat time.Duration // interval asked for: 41.25 s
	Identify  time.Duration // between two IDENTIFYs, with Options.RateLimits: 5 s
	Open      time.Duration // the window of Options.OpenLimit: 10 min
}

func (t Times) withDefaults() Times {
	t.Ack = cmp.Or(t.Ack, 3*time.Second)
	t.Token = cmp.Or(t.Token, 15*time.Minute)
	t.Nonce = cmp.Or(t.Nonce, 5*time.Minute)
	t.Heartbeat = cmp.Or(t.Heartbeat, 41250*time.Millisecond)
	t.Identify = cmp.Or(t.Identify, 5*time.Second)
	t.Open = cmp.Or(t.Open, 10*time.Minute)
	return t
}

func (o Options) withDefaults() Options {
	o.BotToken = cmp.Or(o.BotToken, "fake-token")
	o.AppID = cmp.Or(o.AppID, "1000000000000000001")
	o.BotName = cmp.Or(o.BotName, "floorwalker")
	o.Creates = cmp.Or(o.Creates, 200)
	o.Identifies = cmp.Or(o.Identifies, maxIdentifies)
	o.BanAfter = cmp.Or(o.BanAfter, 10_000)
	o.Times = o.Times.withDefaults()
	return o
}
