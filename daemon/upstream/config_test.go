package upstream

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNewTellsAllFaults(t *testing.T) {
	db, err := open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = New(Config{Destinations: []Destination{{Name: "crm", BackOff: time.Hour}, {Sender: newFake(hang)}, {Name: "erp", Sender: newFake(hang)}, {Name: "erp", Sender: newFake(hang)}}},
		Deps{Store: db, Log: slog.New(slog.DiscardHandler)})
	for _, want := range []string{`"crm": it needs a sender`, "times", "it needs a name", `"erp": its name`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v doesn't tell of %s", err, want)
		}
	}
}
