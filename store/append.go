package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
)

// AppendHistory stores samples, see [bot.History]. The samples of one UTC date
// are one transaction. What is known of an agent and a tick stays as it is.
// Times are kept to the second. An agent that is not linked is no error and
// leaves nothing.
//
// A day's file that turns out to be damaged is set aside under another name,
// loudly, and a new one begun: watching goes on, and [Store.History] says that
// samples are missing.
func (s *Store) AppendHistory(samples []bot.AgentSample) error {
	h := s.history
	h.writing.Lock()
	defer h.writing.Unlock()
	if err := s.Err(); err != nil {
		return err
	}
	days, err := s.byDay(samples)
	if err != nil {
		return err
	}
	for _, date := range slices.Sorted(maps.Keys(days)) {
		if err := h.appendDay(date, days[date]); err != nil {
			return err
		}
	}
	return nil
}

// byDay sorts samples of linked agents by the UTC date of their ticks. Unlinked
// agents must be recognized under h.writing: history forgets them under it.
func (s *Store) byDay(samples []bot.AgentSample) (map[schedule.Date][]bot.AgentSample, error) {
	days := map[schedule.Date][]bot.AgentSample{}
	err := s.view(func(t txn) error {
		linked := finder{t.in(bucketAgents).Cursor()}
		for _, sample := range samples {
			if year := sample.Tick.Year(); year < 1970 || year > 9999 {
				return fmt.Errorf("history: sample of agent %s at %s", sample.Agent, sample.Tick.Format(time.RFC3339))
			}
			if linked.get([]byte(sample.Agent)) == nil {
				continue
			}
			date := schedule.DateOf(sample.Tick, time.UTC)
			if days[date] == nil {
				days[date] = make([]bot.AgentSample, 0, len(samples)) // of one date, as a rule
			}
			days[date] = append(days[date], sample)
		}
		return nil
	})
	return days, err
}

// appendDay stores the samples of a date.
func (h *history) appendDay(date schedule.Date, samples []bot.AgentSample) error {
	err := h.writeDay(date, samples)
	if errors.Is(err, ErrDamaged) {
		if err := h.setAside(date, err); err != nil {
			return fmt.Errorf("history of %s: %w", date, err)
		}
		err = h.writeDay(date, samples)
	}
	switch {
	case err == nil:
		return nil
	case isFull(err) && !errors.Is(err, bot.ErrNotSaved):
		return fmt.Errorf("history of %s: %w (%w)", date, bot.ErrNotSaved, err)
	}
	return fmt.Errorf("history of %s: %w", date, err)
}

func (h *history) writeDay(date schedule.Date, samples []bot.AgentSample) error {
	d, _ := h.of(date)
	if d == nil {
		var err error
		if d, err = h.create(date); err != nil {
			return err
		}
	}
	return h.write(d, samples)
}

// create makes the file of a new day.
func (h *history) create(date schedule.Date) (*day, error) {
	if err := os.Mkdir(h.dir, 0o700); err == nil {
		if err := syncDir(filepath.Dir(h.dir)); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	d := h.day(date)
	if err := createBolt(d.path, d.initialize); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.days[date] = d
	return d, nil
}

// setAside gives a damaged file another name, under which it is kept as long as
// its day.
func (h *history) setAside(date schedule.Date, why error) error {
	d, others := h.of(date)
	name := fmt.Sprintf("%s%s-%d", filepath.Base(d.path), damagedSuffix, len(others)+1)
	d.file.Lock()
	err := d.close()
	d.gone = errDeleted
	d.file.Unlock()
	if err := errors.Join(err, os.Rename(d.path, filepath.Join(h.dir, name)), syncDir(h.dir)); err != nil {
		return err
	}
	h.log.Error("day of history is damaged and was set aside", "file", filepath.Join(h.dir, name), "error", why)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.days, date)
	h.damaged[date] = append(h.damaged[date], name)
	return nil
}
