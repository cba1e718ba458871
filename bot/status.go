package bot

import (
	"encoding/json"
	"fmt"

	"floorwalker/bot/alert"
)

// A RulePhases counts the subjects of a rule by the phase in which it stands for
// them. Those for which nothing is wrong are not counted.
type RulePhases map[alert.Phase]int

// AlertPhases counts where the rules stand, by name: the enabled ones, and
// others for which something stands open still. It reads one record for each
// subject with which something is wrong, in one short transaction.
func (b *Bot) AlertPhases() (map[string]RulePhases, error) {
	counts := map[string]RulePhases{}
	for _, r := range b.config.Load().Rules {
		if r.Enabled {
			counts[r.Name] = RulePhases{}
		}
	}
	var records []Record
	err := b.store.View(func(tx Tx) error {
		for r, err := range tx.Records(RecordAlerts, "") {
			if err == nil { // one that cannot be read is the watch's to complain of
				records = append(records, r)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count the alerts: %w", err)
	}
	for _, r := range records {
		// No more of a standing than is counted.
		var s struct {
			Rules map[string]struct {
				State struct {
					Phase alert.Phase `json:"p"`
				} `json:"state"`
			} `json:"rules"`
		}
		if json.Unmarshal(r.Value, &s) != nil {
			continue
		}
		for name, rule := range s.Rules {
			if counts[name] == nil {
				counts[name] = RulePhases{}
			}
			if rule.State.Phase != alert.Inactive {
				counts[name][rule.State.Phase]++
			}
		}
	}
	return counts, nil
}
