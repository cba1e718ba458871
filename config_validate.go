package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
)

// maxSocket is how long the path of a Unix socket may be.
const maxSocket = 103

// A validator looks for what is wrong with values that are well-formed each by
// itself.
type validator struct {
	*report
	cfg *Config
}

// validate notes all faults of cfg, and completes it: what one setting takes
// from another.
func (d *decoder) validate(cfg *Config, serving bool) {
	v := validator{d.report, cfg}
	v.dashboard()
	v.store()
	v.slack()
	v.discord()
	v.listeners()
	v.addresses("admins", cfg.Admins)
	v.persons(placeAll("admins", cfg.Admins))
	v.teams()
	v.alerts()
	v.capacity()
	if serving {
		v.networks()
	}
}

// given reports whether a value was written anywhere, if only the default.
func (r *report) given(path string) bool {
	_, ok := r.origins[path]
	return ok
}

func (v validator) dashboard() {
	c := &v.cfg.Dashboard
	if c.BaseURL == "" {
		v.fault("dashboard.base_url", "missing; write where the vendor's API is for you, such as https://brand.example")
	} else if _, err := dashboard.Endpoint(c.BaseURL); err != nil {
		v.fault("dashboard.base_url", "%v", err)
	} else if strings.Contains(c.BaseURL, "YOUR-BRAND") {
		v.warn("dashboard.base_url", "this is still the example; write where the vendor's API is for you")
	}
	v.atLeast("dashboard.timeout", c.Timeout, time.Millisecond)
	v.atLeast("dashboard.poll_interval", c.PollInterval, time.Second)
	if c.PollInterval >= time.Second && c.PollInterval < 15*time.Second {
		v.warn("dashboard.poll_interval", "polling every %s is hard on the vendor's API, whose limits are unknown; 15s or more is kinder", formatDuration(c.PollInterval))
	}
	if c.MaxInFlight < 1 || c.MaxInFlight > 10_000 {
		v.fault("dashboard.max_in_flight", "%d calls at the same time; write 1 to 10000", c.MaxInFlight)
	}
	if c.RequestsPerSecond <= 0 {
		v.fault("dashboard.requests_per_second", "%v is not above 0", c.RequestsPerSecond)
	}
	v.metrics()
}

// atLeast notes a fault unless a duration has a length.
func (v validator) atLeast(path string, d, least time.Duration) {
	if d < least {
		v.fault(path, "%s is too short; write %s or more", formatDuration(d), formatDuration(least))
	}
}

var metricField = regexp.MustCompile(`^(\w+)(?: is|:) `)

// metrics merges the dictionary.
func (v validator) metrics() {
	given := v.cfg.Dashboard.Metrics
	merged, faults := stats.Defaults().Merge(given)
	v.cfg.Dictionary = merged
	first := map[string]int{}
	for i, m := range given {
		path := "dashboard.metrics[" + strconv.Itoa(i) + "]"
		if f := faults[i]; f != nil {
			// Merge names the field first.
			if m := metricField.FindStringSubmatch(f.Error()); m != nil {
				path = join(path, m[1])
			}
			v.fault(path, "%s", strings.TrimPrefix(f.Error(), path[strings.LastIndex(path, ".")+1:]+": "))
		}
		if j, twice := first[m.Key]; twice && m.Key != "" {
			v.fault(path, "key %s is there already, as metrics[%d]", quote(m.Key), j)
		}
		first[m.Key] = i
	}
}

func (v validator) store() {
	c := v.cfg.Store
	if c.Path == "" {
		v.fault("store.path", "missing; write a file name, such as floorwalker.db")
	}
	if n := len(c.Path) + len(".sock"); n > maxSocket {
		v.fault("store.path", "the path of the socket beside it, %s.sock, has %d bytes, and a socket's may have %d; choose a shorter one", clip(c.Path, 200), n, maxSocket)
	}
	if key, err := base64.StdEncoding.DecodeString(c.Key.Reveal()); !c.Key.IsZero() && (err != nil || len(key) != 32) {
		v.fault("store.key", "this is not 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64")
	}
	if c.Key.IsZero() && c.KeyFile == "" {
		v.fault("store.key_file", "missing; without a key nothing can be sealed")
	}
	v.atLeast("store.keep_history", c.KeepHistory, 24*time.Hour)
	v.atLeast("store.keep_audit", c.KeepAudit, 24*time.Hour)
}

func (v validator) slack() {
	c := &v.cfg.Slack
	v.token("slack.bot_token", c.BotToken, "xapp-", "it belongs into slack.app_token")
	v.token("slack.bot_token", c.BotToken, "xoxp-", "it is a person's; copy the Bot User OAuth Token beside it, xoxb-")
	v.token("slack.app_token", c.AppToken, "xoxb-", "it belongs into slack.bot_token")
	if v.endpoint("slack.api_url", c.APIURL) {
		c.APIURL = strings.TrimRight(c.APIURL, "/") + "/" // the library appends the method
	}
	names := []setting{{path: "slack.commands.mystats"}, {path: "slack.commands.floor"}}
	for i, name := range []string{c.Commands.Mystats, c.Commands.Floor} {
		if !slashCommand.MatchString(name) {
			v.fault(names[i].path, "%s is not a command; write a slash and up to 31 lower-case letters, digits, - or _", quote(name))
		}
	}
	if c.Commands.Mystats == c.Commands.Floor {
		v.fault("slack.commands.floor", "both commands are called %s", quote(c.Commands.Floor))
	}
	if c.BotToken.IsZero() && !c.AppToken.IsZero() {
		v.warn("slack.app_token", "Slack stays off: it has an app_token, and no bot_token")
	}
}

var slashCommand = regexp.MustCompile(`^/[\p{Ll}\p{Lo}\p{Mn}\p{Mc}\p{Nd}_-]{1,31}$`)

// token notes a token that was put into the place of another.
func (v validator) token(path string, token secret.Secret, prefix, next string) {
	if strings.HasPrefix(token.Reveal(), prefix) {
		v.fault(path, "a token that begins with %s is not this one; %s", prefix, next)
	}
}

// variable matches a text that other programs would replace: $NAME, ${NAME},
// {{NAME}}, <NAME>.
var variable = regexp.MustCompile(`^(\$\w+|\$?\{.*\}|<.*>)$`)

// unfilled says why a text still stands in the place of a secret, "" if it does
// not seem to.
func unfilled(text string) string {
	switch {
	case variable.MatchString(text):
		return "this is the name of something, and nothing is put into its place here"
	case strings.Contains(text, "…"), strings.HasSuffix(text, "..."):
		return "this is still the example, or was cut off"
	}
	return ""
}

func (v validator) discord() {
	c := &v.cfg.Discord
	if v.endpoint("discord.api_url", c.APIURL) {
		c.APIURL = strings.TrimRight(c.APIURL, "/")
	}
	if c.BotToken.IsZero() && c.ApplicationID != "" {
		v.warn("discord.application_id", "Discord stays off: it has an application_id, and no bot_token")
	}
	v.digits("discord.application_id", c.ApplicationID)
	v.digits("discord.guild_id", c.GuildID)
	if key, err := hex.DecodeString(c.PublicKey); c.PublicKey != "" && (err != nil || len(key) != 32) {
		v.fault("discord.public_key", "this is not 64 hexadecimal digits; copy it from the application's page, General Information")
	}
}

func (v validator) digits(path, id string) {
	if strings.Trim(id, "0123456789") != "" || len(id) > 20 {
		v.fault(path, "%s is not an id of Discord; those are up to 20 digits", quote(id))
	}
}

// endpoint notes what is wrong with the URL of an API, and reports whether
// nothing is.
func (v validator) endpoint(path, text string) bool {
	if err := checkURL(text, true); err != nil {
		v.fault(path, "%v", err)
		return false
	}
	return true
}

// checkURL says what is wrong with a URL. It quotes none, since a password or a
// token may be in it.
func checkURL(text string, secure bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("this is not a URL with a host, such as https://floor.example")
	case u.User != nil:
		return errors.New("the URL holds a user name; leave it out")
	case secure && (u.RawQuery != "" || u.Fragment != ""):
		return errors.New("the URL has a part after ? or #; leave it out")
	case secure && u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fmt.Errorf("plain http to %s can be read on the way; write https (http is for this machine only)", quote(u.Hostname()))
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// listeners checks the addresses this program is reached at.
func (v validator) listeners() {
	h, o := &v.cfg.HTTP, v.cfg.Ops
	v.listen("http.listen", h.Listen)
	v.listen("ops.listen", o.Listen)
	if h.Listen != "" && h.Listen == o.Listen && !strings.HasSuffix(h.Listen, ":0") {
		v.fault("ops.listen", "http.listen has the same address; the two must not share one, as ops is not for the public")
	}
	if h.PublicURL != "" && v.endpoint("http.public_url", h.PublicURL) {
		h.PublicURL = strings.TrimRight(h.PublicURL, "/")
		if h.Listen == "" {
			v.warn("http.public_url", "nobody listens there: http.listen is empty, so there is no link page")
		}
	}
	for i, p := range h.TrustedProxies {
		if p.IsValid() && p.Bits() == 0 {
			v.warn(fmt.Sprintf("http.trusted_proxies[%d]", i), "%s is everybody, so anybody can claim any address", p)
		}
	}
	if !o.HeartbeatURL.IsZero() {
		if err := checkURL(o.HeartbeatURL.Reveal(), false); err != nil {
			v.fault("ops.heartbeat_url", "%v", err)
		}
	}
}

func (v validator) listen(path, address string) {
	if address == "" {
		return
	}
	_, port, err := net.SplitHostPort(address)
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n > 65535 {
		v.fault(path, "%s is not an address to listen at; write host:port, such as 127.0.0.1:8080 or :8080", quote(address))
	}
}

// addresses checks a list of addresses.
func (v validator) addresses(path string, list []chat.Address) {
	first := map[chat.Address]int{}
	for i, a := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		v.address(at, a)
		if j, twice := first[a]; twice && !a.IsZero() {
			v.fault(at, "%s is there already, as %s[%d]", a, path[strings.LastIndex(path, ".")+1:], j)
		}
		first[a] = i
	}
}

// address checks what can be said of an address without asking its network.
func (v validator) address(path string, a chat.Address) {
	switch {
	case a.IsZero(): // noted when it was read
	case !slices.Contains(chat.Networks(), a.Network):
		var names []string
		for _, n := range chat.Networks() {
			names = append(names, string(n))
		}
		v.fault(path, "there is no network %s%s", quote(string(a.Network)), didYouMean(string(a.Network), names))
	case isName(a):
		v.fault(path, "%s is a name; write the id (%s)", quote(a.ID), idMenu[a.Network])
	}
}

// channelID matches what Slack calls conversations; people's ids begin with U or W.
var channelID = regexp.MustCompile(`^[CDG][A-Z]*[0-9]`)

// persons notes channels in the place of people.
func (v validator) persons(there []placed) {
	for _, p := range there {
		if p.address.Network == chat.Slack && channelID.MatchString(p.address.ID) {
			v.fault(p.path, "%s is a channel; write a person's id, which begins with U or W", p.address)
		}
	}
}

// isName reports whether what stands in the place of an id cannot be one on its
// network: ids are capitals and digits on Slack, and digits on Discord.
func isName(a chat.Address) bool {
	var capitals bool
	switch a.Network {
	case chat.Slack:
		capitals = true
	case chat.Discord:
	default:
		return false
	}
	return strings.ContainsFunc(a.ID, func(r rune) bool { return (r < '0' || r > '9') && (!capitals || r < 'A' || r > 'Z') })
}

// idMenu says where a network shows the id of a person or a channel.
var idMenu = map[chat.Network]string{
	chat.Slack:   "in Slack: Copy member ID, in a person's profile, or the end of a channel's details",
	chat.Discord: "in Discord: Copy ID, in the context menu, once developer mode is on",
}
