package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"floorwalker/bot/secret"
)

const (
	// envPrefix begins the names of the environment's variables.
	envPrefix = "FLOORWALKER_"

	// envConfig names the configuration file where no flag does.
	envConfig = envPrefix + "CONFIG"

	// maxSecretFile bounds the file that a _file key names.
	maxSecretFile = 64 << 10
)

// LoadOptions say what to load.
type LoadOptions struct {
	// Path is the file; "" means FLOORWALKER_CONFIG, else config.yaml.
	Path string

	// Flags are the command's. A flag called like a setting, log-level for
	// log.level, overrides it if it was given. May be nil.
	Flags *pflag.FlagSet

	// Serving asks also for what only serve, check and doctor need: whatever a
	// network that is on requires, and that no address is on one that is off.
	Serving bool
}

// Load reads, layers and validates the configuration. It returns the warnings
// also when it fails. The error is [Faults], all of them at once.
//
// It reads the file, the environment and the files that secrets are in, and
// changes nothing: to reload, call it again and use the new Config or keep the
// old.
//
// The file is read twice over. A strict pass of our own finds every fault with
// its line; viper then lays the sources over one another. Viper is given texts
// only, and the names of variables one by one, because left to itself it takes
// 5 for five nanoseconds, folds the case of keys and ignores variables it was
// not told about.
func Load(opts LoadOptions) (*Config, []Warning, error) {
	path := cmp.Or(opts.Path, os.Getenv(envConfig), "config.yaml")
	d := &decoder{report: newReport(path), scalars: map[string]string{}}
	cfg := &Config{options: opts, file: path, origins: d.origins}
	data, private, ok := d.readFile(path)
	if ok {
		d.load(cfg, data, private, opts)
	}
	warnings := d.sorted(d.warnings)
	if len(d.faults) > 0 {
		return nil, warnings, Faults(d.sorted(d.faults))
	}
	return cfg, warnings, nil
}

// load does what Load does once the file is read.
func (d *decoder) load(cfg *Config, data []byte, private bool, opts LoadOptions) {
	root, ok := d.parseYAML(data)
	if !ok {
		return // everything would seem to be missing
	}
	if root != nil {
		d.value(root, reflect.ValueOf(cfg).Elem(), "", "")
	}
	d.layer(cfg, opts.Flags)
	d.homes(cfg)
	d.secrets(cfg, private)
	d.paths(cfg)
	d.validate(cfg, opts.Serving)
	d.unknownVariables(cfg)
}

// readFile returns the file's content, and whether only its owner can read it.
func (r *report) readFile(path string) (data []byte, private, ok bool) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.fault("", notFound)
		return nil, false, false
	}
	if err != nil {
		r.fault("", "cannot be read: %v", reason(err))
		return nil, false, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	}
	if err != nil {
		r.fault("", "cannot be read: %v", reason(err))
		return nil, false, false
	}
	if len(data) > maxFile {
		r.fault("", "the file is larger than 1 MiB; is it the right one?")
		return nil, false, false
	}
	return data, info.Mode().Perm()&0o077 == 0, true
}

// reason returns an I/O error without the operation and the path, which stand
// in the sentence already.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// layer sets the settings from the source that comes first, and notes which.
func (d *decoder) layer(cfg *Config, flags *pflag.FlagSet) {
	v := viper.New()
	all := settings(cfg)
	for _, s := range all {
		v.SetDefault(s.path, s.tag.Get("default"))
		_ = v.BindEnv(s.path, s.env()) // fails only without a key
		if flag := lookup(flags, s.flag()); flag != nil {
			_ = v.BindPFlag(s.path, flag) // fails only for a nil flag
		}
	}
	// The map is all texts in maps, which viper cannot fail to merge.
	_ = v.MergeConfigMap(nest(d.scalars))
	for _, s := range all {
		d.origin(s, flags)
		text := v.GetString(s.path)
		if _, given := d.origins[s.path]; !given && text == "" || d.faulty[s.path] {
			continue
		}
		if err := setScalar(s.value, text, s.tag); err != nil {
			d.fault(s.path, "%v%s", err, curly(text))
		}
	}
}

// origin notes where the value of a setting comes from, unless that is the file,
// which is noted already.
func (d *decoder) origin(s setting, flags *pflag.FlagSet) {
	if flag := lookup(flags, s.flag()); flag != nil && flag.Changed {
		d.origins[s.path] = origin{name: "--" + flag.Name}
	} else if os.Getenv(s.env()) != "" {
		d.origins[s.path] = origin{name: s.env()}
	}
}

func lookup(flags *pflag.FlagSet, name string) *pflag.Flag {
	if flags == nil {
		return nil
	}
	return flags.Lookup(name)
}

// nest turns texts by path into the nested maps that viper takes.
func nest(scalars map[string]string) map[string]any {
	root := map[string]any{}
	for path, text := range scalars {
		keys := strings.Split(path, ".")
		m := root
		for _, key := range keys[:len(keys)-1] {
			inner, ok := m[key].(map[string]any)
			if !ok {
				inner = map[string]any{}
				m[key] = inner
			}
			m = inner
		}
		m[keys[len(keys)-1]] = text
	}
	return root
}

// secrets reads the files that hold secrets, and warns of secrets that others
// can read in the configuration.
func (d *decoder) secrets(cfg *Config, private bool) {
	all := settings(cfg)
	for i, s := range all {
		value, ok := s.value.Addr().Interface().(*secret.Secret)
		if !ok {
			continue
		}
		if o := d.origins[s.path]; o.line > 0 && !value.IsZero() && !private {
			d.warn(s.path, "a secret in a file that others can read; put it into %s or into a file that %s_file names, or chmod 600 %s", s.env(), s.path, d.file)
		}
		d.secret(cfg, value, all[i+1]) // its _file follows it
	}
}

// secret reads one secret from its file, if that is how it is given. A default
// does not count as given.
func (d *decoder) secret(cfg *Config, value *secret.Secret, file setting) {
	path := strings.TrimSuffix(file.path, "_file")
	switch name := file.value.String(); {
	case name == "":
	case !value.IsZero() && d.given(file.path):
		d.fault(file.path, "%s is given as well; keep one of the two", path)
	case !value.IsZero():
		file.value.SetString("")
	case value != &cfg.Store.Key: // the key's file is the store's, made with a new database
		d.secretFile(file.path, d.resolve(name), value)
	}
	if strings.ContainsAny(value.Reveal(), " \t\r\n") {
		d.fault(path, "the secret holds white space; was it cut off or pasted twice?")
	}
	if why := unfilled(value.Reveal()); why != "" {
		d.fault(path, "%s; write the secret itself, or leave it out and set %s", why, setting{path: path}.env())
	}
}

// secretFile reads a secret from a file, less one newline at its end.
func (d *decoder) secretFile(path, file string, into *secret.Secret) {
	f, err := os.Open(file)
	if err != nil {
		d.fault(path, "%s cannot be read: %v", file, reason(err))
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case err != nil:
		d.fault(path, "%s cannot be read: %v", file, reason(err))
	case len(data) > maxSecretFile:
		d.fault(path, "%s is too large for a secret", file)
	case text == "":
		d.fault(path, "%s is empty", file)
	default:
		*into = secret.New(text)
	}
}

// homes notes paths that count on a shell: a folder called ~ would be looked for.
func (d *decoder) homes(cfg *Config) {
	for _, s := range settings(cfg) {
		if s.tag.Get("path") == "relative" && strings.HasPrefix(s.value.String(), "~/") {
			d.fault(s.path, "%s: ~ means a home folder to a shell, and nothing here; write the whole path", quote(s.value.String()))
		}
	}
}

// paths makes relative paths relative to the configuration file.
func (d *decoder) paths(cfg *Config) {
	for _, s := range settings(cfg) {
		if s.tag.Get("path") == "relative" && s.value.String() != "" {
			s.value.SetString(d.resolve(s.value.String()))
		}
	}
}

// resolve returns a path of the configuration as one of this process.
func (r *report) resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(r.file), path)
}

// unknownVariables warns of variables that look like ours and are not: a slip,
// or something that an orchestrator injects.
func (d *decoder) unknownVariables(cfg *Config) {
	var known []string
	lists := map[string]bool{}
	for _, s := range settings(cfg) {
		known = append(known, s.env())
	}
	for _, path := range []string{"admins", "teams", "alerts", "dashboard.metrics", "http.trusted_proxies"} {
		lists[setting{path: path}.env()] = true
	}
	for _, entry := range slices.Sorted(slices.Values(os.Environ())) {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || name == envConfig || name == envNewKey || value == "" {
			continue
		}
		if message := strangeVariable(name, known, lists); message != "" {
			d.warnings = append(d.warnings, Warning{File: clip(name, 80), Message: message})
		}
	}
}

// strangeVariable says what is odd about a variable, "" if it is known.
func strangeVariable(name string, known []string, lists map[string]bool) string {
	if slices.Contains(known, name) {
		return ""
	}
	if lists[name] {
		return "ignored: a list can only be given in the file"
	}
	return fmt.Sprintf("ignored: no setting has this name%s", didYouMean(name, known))
}
