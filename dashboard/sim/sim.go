package sim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// Config describes a floor. The zero Config is a dozen agents who work round
// the clock.
type Config struct {
	Seed   uint64           // who the agents are and what happens to them
	Agents int              // how many; 12
	Start  time.Time        // beginning of the first shift, later ones begin daily at the same time of day; zero: round the clock
	Shift  time.Duration    // length of a shift, at most 23 h; 9 h
	Zone   *time.Location   // of the vendor's day, at whose midnight counters start again; Asia/Kolkata
	Now    func() time.Time // the simulation's clock; time.Now
}

// A Sim is a simulated API. It is safe for concurrent use.
type Sim struct {
	now            func() time.Time
	agents         []Agent
	byUser, bySSID map[string]int // number of an agent on the floor
	floor          *floor
	mux            *http.ServeMux

	mu     sync.Mutex // guards what follows
	forced map[int]*forced
	faults map[int]*fault // by agent; everybody's under the key everybody
}

// forced is what a test made of an agent's counters.
type forced struct {
	row    row // nil: what the floor says
	deltas map[string]float64
	day    int // of the deltas: they end with the day, as all counters do
}

// everybody is the key of faults that hit all agents.
const everybody = -1

// zone is the time zone of the vendor we know. India has had no daylight saving since 1945,
// so a fixed offset spares the zone files.
func zone() *time.Location { return time.FixedZone("IST", 5*3600+1800) }

// New returns a simulation.
func New(cfg Config) *Sim {
	if cfg.Agents <= 0 {
		cfg.Agents = 12
	}
	if cfg.Shift <= 0 {
		cfg.Shift = 9 * time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Zone == nil {
		cfg.Zone = zone()
	}
	s := &Sim{
		now:    cfg.Now,
		agents: hire(cfg.Seed, cfg.Agents),
		floor: &floor{
			seed:     cfg.Seed,
			start:    cfg.Start,
			shift:    min(cfg.Shift, 23*time.Hour),
			zone:     cfg.Zone,
			sessions: map[shiftOf]session{},
		},
		byUser: map[string]int{},
		bySSID: map[string]int{},
		forced: map[int]*forced{},
		faults: map[int]*fault{},
	}
	for i, a := range s.agents {
		s.byUser[a.UserID], s.bySSID[a.SSID] = i, i
	}
	s.mux = s.routes()
	return s
}

// Agents returns who works on the floor, fixed by the seed. The first is Asha
// Rao.
func (s *Sim) Agents() []Agent { return slices.Clone(s.agents) }

// Set makes an agent's counters exactly row from now on; keys it does not have
// are missing from the answer. A nil row gives the agent back to the simulation.
// Either way what [Sim.Add] added is gone.
func (s *Sim) Set(userID string, row map[string]any) error {
	i, err := s.find(userID)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if row == nil {
		delete(s.forced, i)
		return nil
	}
	if _, err := json.Marshal(row); err != nil {
		return fmt.Errorf("row of user_id %s cannot be written as JSON: %w", userID, err)
	}
	s.forced[i] = &forced{row: rowOf(row)}
	return nil
}

// Add adds delta to one counter of an agent, until midnight: a burst of three
// missed calls is three more of TH, tC and MH.
func (s *Sim) Add(userID, key string, delta float64) error {
	i, err := s.find(userID)
	if err != nil {
		return err
	}
	today := s.floor.dayOf(s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.forced[i]
	if f == nil {
		f = &forced{}
		s.forced[i] = f
	}
	if f.deltas == nil || f.day != today {
		f.deltas, f.day = map[string]float64{}, today
	}
	f.deltas[key] += delta
	return nil
}

// Row returns the JSON texts of an agent's counters at any time, by key, as the
// simulation has them without Set, Add and faults. It returns nil when the agent
// is not logged in then. With it a history can be made up at once.
func (s *Sim) Row(userID string, at time.Time) (map[string]string, error) {
	i, err := s.find(userID)
	if err != nil {
		return nil, err
	}
	r, ok := s.floor.row(i, at)
	if !ok {
		return nil, nil
	}
	texts := make(map[string]string, len(r))
	for _, f := range r {
		text, err := json.Marshal(f.value, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		texts[f.key] = string(text)
	}
	return texts, nil
}

// find returns an agent's number on the floor.
func (s *Sim) find(userID string) (int, error) {
	i, ok := s.byUser[userID]
	if !ok {
		return 0, fmt.Errorf("no agent has user_id %q; the first one has %s", userID, s.agents[0].UserID)
	}
	return i, nil
}

// counters returns an agent's row at a time, forced values included, and false
// when they are not logged in.
func (s *Sim) counters(agent int, at time.Time) (row, bool) {
	s.mu.Lock()
	f := s.forced[agent]
	var fixed row
	deltas := map[string]float64{}
	if f != nil {
		fixed = f.row
		if f.day == s.floor.dayOf(at) {
			maps.Copy(deltas, f.deltas)
		}
	}
	s.mu.Unlock()

	r, ok := fixed, true
	if r == nil {
		r, ok = s.floor.row(agent, at)
	}
	if len(deltas) > 0 {
		r = r.plus(deltas)
	}
	return r, ok
}
