package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"floorwalker/bot/secret"
)

func TestSecretFiles(t *testing.T) {
	clearEnvironment(t)
	folder := t.TempDir()
	file := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	load := func(text string) (*Config, string) {
		file("config.yaml", small+text)
		cfg, warnings, err := Load(LoadOptions{Path: filepath.Join(folder, "config.yaml")})
		return cfg, strings.ReplaceAll(messages(warnings, err), folder+string(filepath.Separator), "")
	}
	file("lf", "token\n")
	file("crlf", "token\r\n")
	file("bare", "token")
	file("two", "token\n\n")
	file("empty", "\n")
	file("huge", strings.Repeat("x", maxSecretFile+1))
	for _, name := range []string{"lf", "crlf", "bare"} {
		cfg, said := load("slack: {bot_token_file: " + name + "}")
		if said != "" || cfg.Slack.BotToken.Reveal() != "token" {
			t.Errorf("%s: %s", name, said)
		} else if out := printed(t, cfg); !strings.Contains(out, "# from bot_token_file\n") {
			t.Errorf("where the token is from is not in\n%s", out)
		}
	}
	for text, want := range map[string]string{
		"slack: {bot_token_file: two}":                                "config.yaml:2: slack.bot_token: the secret holds white space; was it cut off or pasted twice?\n",
		"slack: {bot_token_file: empty}":                              "config.yaml:2: slack.bot_token_file: empty is empty\n",
		"slack: {bot_token_file: huge}":                               "config.yaml:2: slack.bot_token_file: huge is too large for a secret\n",
		"slack: {bot_token_file: none}":                               "config.yaml:2: slack.bot_token_file: none cannot be read: no such file or directory\n",
		"slack: {bot_token_file: lf, bot_token: xoxb-1}":              "config.yaml:2: slack.bot_token_file: slack.bot_token is given as well; keep one of the two\n",
		"slack: {bot_token_file: lf, bot_token: \"\"}":                "",
		"slack: {bot_token_file: \"\", bot_token: xoxb-1}":            "",
		"slack: {bot_token_file: ~/token}":                            "config.yaml:2: slack.bot_token_file: \"~/token\": ~ means a home folder to a shell, and nothing here; write the whole path\n",
		"store: {path: ~/floorwalker.db}":                             "config.yaml:2: store.path: \"~/floorwalker.db\": ~ means a home folder to a shell, and nothing here; write the whole path\n",
		"store: {key_file: k, key: " + strings.Repeat("A", 43) + "=}": "config.yaml:2: store.key_file: store.key is given as well; keep one of the two\n",
		"store: {key_file: \"\"}":                                     "config.yaml:2: store.key_file: missing; without a key nothing can be sealed\n",
	} {
		if _, said := load(text); said != want {
			t.Errorf("%s\n got %s want %s", text, said, want)
		}
	}
	cfg, said := load("store: {key: " + strings.Repeat("A", 43) + "=}")
	if said != "" || cfg.Store.KeyFile != "" || cfg.Store.Key.IsZero() {
		t.Errorf("a key beside the default key_file: %s, key file %q", said, cfg.Store.KeyFile)
	}
	t.Setenv("FLOORWALKER_SLACK_BOT_TOKEN_FILE", "lf")
	if cfg, said := load(""); said != "" || cfg.Slack.BotToken.Reveal() != "token" {
		t.Errorf("a file from the environment: %s", said)
	}
	if _, said := load("slack: {bot_token: xoxb-1}"); said != "FLOORWALKER_SLACK_BOT_TOKEN_FILE: slack.bot_token_file: slack.bot_token is given as well; keep one of the two\n" {
		t.Errorf("a file from the environment beside a token in the file: %s", said)
	}
	t.Setenv("FLOORWALKER_SLACK_BOT_TOKEN_FILE", "")
	t.Setenv("FLOORWALKER_SLACK_BOT_TOKEN", "from-the-environment")
	if cfg, said := load("slack: {bot_token: xoxb-1}"); said != "" || cfg.Slack.BotToken.Reveal() != "from-the-environment" {
		t.Errorf("a token in the environment does not win: %s", said)
	}
}

// TestSecretsAreFollowedByTheirFile keeps what Load relies on.
func TestSecretsAreFollowedByTheirFile(t *testing.T) {
	all := settings(&Config{})
	found := 0
	for i, s := range all {
		if _, ok := s.value.Interface().(secret.Secret); ok {
			found++
			if i+1 == len(all) || all[i+1].path != s.path+"_file" || all[i+1].tag.Get("path") != "relative" {
				t.Errorf("%s has no %s_file after it", s.path, s.path)
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d secrets found", found)
	}
}

func TestNoSecretIsPrinted(t *testing.T) {
	clearEnvironment(t)
	const token = "xoxb-11-S3CRET"
	t.Setenv("FLOORWALKER_DISCORD_BOT_TOKEN", "S3CRET in two words")
	t.Setenv("FLOORWALKER_"+"LOG_LEVEL", token)
	for _, text := range []string{
		"slack: {bot_token: [" + token + "]}",
		"slack: {bot_token: {a: " + token + "}}",
		"slack: {app_token: " + token + ", bot_token: " + token + " x}",
		"slack: {mode: " + token + ", api_url: https://u:S3CRET@slack.example, commands: {floor: " + token + "}}",
		"dashboard: {base_url: https://u:S3CRET@brand.example/}",
		"dashboard: {base_url: https://brand.example/?token=S3CRET, max_in_flight: " + token + ", timeout: " + token + ", timezone: " + token + "}",
		"http: {public_url: https://x.example/?S3CRET, trusted_proxies: [" + token + "]}",
		"store: {key: S3CRET}",
		"discord: {application_id: " + token + ", public_key: S3CRET}",
		"ops: {heartbeat_url: \"https://hc.example/%zzS3CRET\"}",
		"admins: [" + token + ", slack:" + token + "]",
		"teams: [{name: x, poll: " + token + ", holidays: [" + token + "], members: [{name: a, ids: [" + token + "]}]}]",
	} {
		_, warnings, err := Load(LoadOptions{Path: configFile(t, "config.yaml", text+"\n")})
		if err == nil {
			t.Errorf("no fault in %s", text)
		}
		if said := messages(warnings, err); strings.Contains(said, "S3CRET") {
			t.Errorf("a secret is printed:\n%s\n%s", text, said)
		}
	}
}

// TestUnfilledSecrets: what an editor or a template left in the place of a secret
// is no secret, and a person's token is not the bot's. Nothing of it is quoted.
func TestUnfilledSecrets(t *testing.T) {
	clearEnvironment(t)
	const slot, example = "this is the name of something, and nothing is put into its place here", "this is still the example, or was cut off"
	for text, why := range map[string]string{
		"$SLACK_BOT_TOKEN": slot, "${SLACK_BOT_TOKEN}": slot, "{{vault.token}}": slot, "<bot-token>": slot,
		"xoxb-…": example, "xoxb-...": example,
	} {
		_, warnings, err := Load(LoadOptions{Path: configFile(t, "config.yaml", small+"slack: {bot_token: "+strconv.Quote(text)+"}")})
		said := messages(warnings, err)
		if want := ": slack.bot_token: " + why + "; write the secret itself, or leave it out and set FLOORWALKER_SLACK_BOT_TOKEN\n"; !strings.HasSuffix(said, want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s\n got %s want …%s", text, said, want)
		}
	}
	_, warnings, err := Load(LoadOptions{Path: configFile(t, "config.yaml", small+"slack: {bot_token: xoxp-1-of-a-person}")})
	said := messages(warnings, err)
	if !strings.Contains(said, "slack.bot_token: a token that begins with xoxp- is not this one; it is a person's; copy the Bot User OAuth Token beside it, xoxb-") || strings.Contains(said, "of-a-person") {
		t.Errorf("a person's token: %s", said)
	}
}

// TestMissingFileOnce: a secret whose file cannot be read is one fault, not two.
func TestMissingFileOnce(t *testing.T) {
	clearEnvironment(t)
	text := small + "admins: [slack:U1]\nslack: {app_token: xapp-1, bot_token_file: none}"
	_, warnings, err := Load(LoadOptions{Path: configFile(t, "config.yaml", text), Serving: true})
	if said := messages(warnings, err); strings.Count(said, "slack.bot_token") != 1 || !strings.Contains(said, "none cannot be read") {
		t.Errorf("got %s", said)
	}
}
