package main

import (
	"net/netip"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
)

// Config is everything an operator decides, and the comments of its fields are
// the manual; config.example.yaml says the same in an operator's words.
//
// A value comes from the first of these that gives it: a flag, the environment,
// the file, the default (the tag of the field). Outside lists every scalar has
// an environment variable: FLOORWALKER_, the path in upper case, dots as
// underscores. So slack.bot_token is FLOORWALKER_SLACK_BOT_TOKEN.
//
// A list may have at most as many elements as the tag "most" says, where the
// work grows faster than the list.
//
// [Load] makes a Config and nothing changes it afterwards.
type Config struct {
	Log       LogConfig       `yaml:"log"`                // what is logged, and how
	Dashboard DashboardConfig `yaml:"dashboard"`          // the counters API
	Store     StoreConfig     `yaml:"store"`              // what is kept, where, how long
	Slack     SlackConfig     `yaml:"slack"`              // on when it has a bot_token
	Discord   DiscordConfig   `yaml:"discord"`            // on when it has a bot_token
	HTTP      HTTPConfig      `yaml:"http"`               // the public listener
	Ops       OpsConfig       `yaml:"ops"`                // health and metrics, for machines
	Admins    []chat.Address  `yaml:"admins"`             // who may do everything
	Teams     []TeamConfig    `yaml:"teams"`              // who works when, and who is told what
	Alerts    []AlertConfig   `yaml:"alerts" most:"1000"` // rules, and switches of the built-in ones

	// Dictionary is Dashboard.Metrics merged into the defaults.
	Dictionary stats.Dictionary `yaml:"-"`

	// Rules is Alerts compiled, and after them the built-in rules that Alerts
	// does not mention.
	Rules []*alert.Rule `yaml:"-"`

	options LoadOptions       // how it was loaded, to load it again
	file    string            // as it was named
	origins map[string]origin // by path: where the values that are no defaults come from
}

// LogConfig says what is logged, and how. Logs go to standard error.
type LogConfig struct {
	Level  string `yaml:"level" default:"info" oneof:"debug info warn error"` // the least that is logged
	Format string `yaml:"format" default:"text" oneof:"text json"`            // text for people, json for machines
}

// DashboardConfig says where the counters come from, and how often.
type DashboardConfig struct {
	// BaseURL is the customer's own host, with or without /api/v2: https, or
	// http on loopback. Required; there is no default, because credentials are
	// sent there.
	BaseURL string `yaml:"base_url"`

	Timeout           time.Duration  `yaml:"timeout" default:"10s"`            // of one call
	PollInterval      time.Duration  `yaml:"poll_interval" default:"60s"`      // between two polls of one agent; from 1s, below 15s is unkind to the vendor
	MaxInFlight       int            `yaml:"max_in_flight" default:"32"`       // calls at the same time
	RequestsPerSecond float64        `yaml:"requests_per_second" default:"50"` // calls a second, all agents together
	CacheFor          time.Duration  `yaml:"cache_for" default:"15s"`          // how long an answer serves again; 0s: never
	Timezone          *time.Location `yaml:"timezone" default:"Asia/Kolkata"`  // the vendor's day: at its midnight counters start again
	Metrics           []stats.Metric `yaml:"metrics" most:"500"`               // what the API's keys mean, merged into the defaults by key, field by field
}

// StoreConfig says where things are kept, and for how long.
type StoreConfig struct {
	Path string `yaml:"path" default:"floorwalker.db" path:"relative"` // the live file; history, socket and PID file lie beside it

	// Key seals the credentials: 32 bytes in base64. It stands here, better in
	// FLOORWALKER_STORE_KEY, or in KeyFile.
	Key secret.Secret `yaml:"key"`

	// KeyFile holds the key, and is made together with a new database (mode
	// 0600). It is empty when Key is given.
	KeyFile string `yaml:"key_file" default:"floorwalker.key" path:"relative"`

	KeepHistory time.Duration `yaml:"keep_history" default:"35d"` // samples, in whole days
	KeepAudit   time.Duration `yaml:"keep_audit" default:"90d"`   // the audit trail
}

// SlackConfig is the Slack app. See `floorwalker manifest slack`.
type SlackConfig struct {
	Mode              string        `yaml:"mode" default:"socket" oneof:"socket http"` // socket: no public address needed; http: Slack calls http.listen
	BotToken          secret.Secret `yaml:"bot_token"`                                 // xoxb-…; turns Slack on
	BotTokenFile      string        `yaml:"bot_token_file" path:"relative"`            // or a file that holds it
	AppToken          secret.Secret `yaml:"app_token"`                                 // xapp-…; for mode socket
	AppTokenFile      string        `yaml:"app_token_file" path:"relative"`            // or a file that holds it
	SigningSecret     secret.Secret `yaml:"signing_secret"`                            // for mode http
	SigningSecretFile string        `yaml:"signing_secret_file" path:"relative"`       // or a file that holds it
	APIURL            string        `yaml:"api_url" default:"https://slack.com/api/"`  // where the Web API is; ends in a slash
	Commands          CommandNames  `yaml:"commands"`                                  // other names, if these are taken in the workspace
}

// CommandNames are the names of the slash commands.
type CommandNames struct {
	Mystats string `yaml:"mystats" default:"/mystats"` // one's own numbers
	Floor   string `yaml:"floor" default:"/floor"`     // everything else
}

// DiscordConfig is the Discord application.
type DiscordConfig struct {
	Mode          string        `yaml:"mode" default:"gateway" oneof:"gateway http"`  // gateway: no public address needed; http: Discord calls http.listen
	BotToken      secret.Secret `yaml:"bot_token"`                                    // turns Discord on
	BotTokenFile  string        `yaml:"bot_token_file" path:"relative"`               // or a file that holds it
	ApplicationID string        `yaml:"application_id"`                               // digits, in quotes
	PublicKey     string        `yaml:"public_key"`                                   // 64 hex digits; for mode http
	GuildID       string        `yaml:"guild_id"`                                     // commands in this server only, where they change at once; "": everywhere
	APIURL        string        `yaml:"api_url" default:"https://discord.com/api/v9"` // where the API is
}

// HTTPConfig is the public listener: the link page and what the platforms call.
type HTTPConfig struct {
	Listen         string         `yaml:"listen"`          // host:port; "": off
	PublicURL      string         `yaml:"public_url"`      // how the world reaches it: https, or http on loopback; turns the link page on
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"` // networks whose X-Forwarded-For is believed
}

// OpsConfig is for those who run the program.
type OpsConfig struct {
	Listen           string        `yaml:"listen" default:"127.0.0.1:9477"`    // host:port of /healthz, /readyz, /metrics; "": off
	HeartbeatURL     secret.Secret `yaml:"heartbeat_url"`                      // called every minute while all is well: a dead man's switch; whoever has it can call it too; "": off
	HeartbeatURLFile string        `yaml:"heartbeat_url_file" path:"relative"` // or a file that holds it
}

// TeamConfig is a group of agents who share shifts.
type TeamConfig struct {
	Name           string             `yaml:"name"`                             // unique; no slash
	Timezone       *time.Location     `yaml:"timezone"`                         // of shifts, digests and holidays; default: dashboard.timezone
	Channels       []chat.Address     `yaml:"channels"`                         // where digests are posted
	Supervisors    []PersonConfig     `yaml:"supervisors"`                      // who is told of alerts, and may see the team
	Members        []PersonConfig     `yaml:"members"`                          // whose numbers these are
	Shifts         []ShiftConfig      `yaml:"shifts" most:"100"`                // when the team works
	Holidays       []schedule.Date    `yaml:"holidays" most:"1000"`             // dates without shift, poll, alert or digest
	Poll           bool               `yaml:"poll" default:"true"`              // false: no history, alerts or totals; /mystats works
	MinCoverage    float64            `yaml:"min_coverage" default:"0.8"`       // the share of the team that must report before the team is judged
	Digests        []DigestConfig     `yaml:"digests" most:"100"`               // what is posted, and when
	Leaderboard    *LeaderboardConfig `yaml:"leaderboard"`                      // names the best in the digest; nil: off
	NamesInChannel bool               `yaml:"names_in_channel" default:"false"` // whether public posts name people
	QuietHours     *QuietConfig       `yaml:"quiet_hours"`                      // when supervisors get no DM that can wait; nil: none
}

// PersonConfig is somebody: written as one address, or as a name with several.
type PersonConfig struct {
	Name string         `yaml:"name"` // shown until the network tells a better one
	IDs  []chat.Address `yaml:"ids"`  // at least one; the first that can be reached is written to
}

// ShiftConfig is when a team works. It belongs to the day on which it starts,
// and one whose end is not after its start ends on the next.
type ShiftConfig struct {
	Name  string             `yaml:"name"`  // unique in the team; no slash
	Days  schedule.Weekdays  `yaml:"days"`  // mon to sun, or spans such as mon-fri
	Start schedule.TimeOfDay `yaml:"start"` // "09:00"
	End   schedule.TimeOfDay `yaml:"end"`   // "18:00"
}

// DigestConfig is a post that comes by itself: when a shift ends (Shift), or at a
// time on some days (Days and At). Exactly one of the two.
type DigestConfig struct {
	Name    string              `yaml:"name"`                                                // unique in the team; no slash
	Shift   string              `yaml:"shift"`                                               // the name of a shift of the team; "" if At is given
	Days    schedule.Weekdays   `yaml:"days"`                                                // with At
	At      *schedule.TimeOfDay `yaml:"at"`                                                  // "13:00"; nil if Shift is given
	Window  string              `yaml:"window" default:"shift" oneof:"shift day since_last"` // what it covers
	To      string              `yaml:"to" default:"channels" oneof:"channels supervisors"`  // who gets it
	CatchUp time.Duration       `yaml:"catch_up" default:"2h"`                               // how late it may still be sent
}

// LeaderboardConfig names the best of a team in its digests.
type LeaderboardConfig struct {
	Top int    `yaml:"top" default:"3"`       // how many, from 1 to 10
	By  string `yaml:"by" default:"answered"` // the metric that decides
}

// QuietConfig is a daily window in the team's zone.
type QuietConfig struct {
	Start schedule.TimeOfDay `yaml:"start"` // "22:00"
	End   schedule.TimeOfDay `yaml:"end"`   // "07:00", the next day if it is not after start
}

// AlertConfig is a rule, or the switch of a built-in one that has its name.
type AlertConfig struct {
	Name          string        `yaml:"name"`                                                     // unique; letters, digits, . _ -
	Enabled       bool          `yaml:"enabled" default:"true"`                                   // false: as if it were not there
	Scope         string        `yaml:"scope" default:"agent" oneof:"agent team"`                 // whom it judges, one by one
	Teams         []string      `yaml:"teams"`                                                    // empty: all
	When          string        `yaml:"when"`                                                     // the expression that is bad news
	Clear         string        `yaml:"clear"`                                                    // the one that is good news again; "": not When
	For           time.Duration `yaml:"for" default:"2m"`                                         // how long When must hold before anybody is told
	KeepFiringFor time.Duration `yaml:"keep_firing_for" default:"2m"`                             // how long Clear must hold before it has recovered
	Severity      string        `yaml:"severity" default:"warning" oneof:"info warning critical"` // critical passes quiet hours
	EscalateAfter time.Duration `yaml:"escalate_after" default:"10m"`                             // critical only, else 0: unacknowledged that long, it goes to the next person
	Repeat        time.Duration `yaml:"repeat" default:"30m"`                                     // critical only, else 0: until it is acknowledged
	Message       string        `yaml:"message"`                                                  // a template of what is said; "": made from the rule
}
