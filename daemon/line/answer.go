package line

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/flattone/flattone/daemon/wire"
)

// Answer reads one [wire.Question] and answers it, by what there is on this machine and in the config file. What can't be found out is an answer too; an
// error says that nobody heard it.
func Answer(from io.Reader, to io.Writer, file string) error {
	var found wire.Found
	q, err := wire.ReadQuestion(from)
	switch {
	case err != nil:
	case q.Devices:
		found.Devices, err = soundDevices(file)
	default:
		var m wire.Modem
		if m, err = modemAt(q.Probe, file); err == nil {
			found.Modem = &m
		}
	}
	if err != nil {
		found = wire.Found{Error: err.Error()}
	}
	if err := json.NewEncoder(to).Encode(found); err != nil {
		return fmt.Errorf("answer the question: %w", err)
	}
	return nil
}
