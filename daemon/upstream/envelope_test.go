package upstream

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"pgregory.net/rapid"
)

// TestIsACloudEvent, as CloudEvents' own library reads it: whatever the event and the box are called.
func TestIsACloudEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[!-~äß€][ -~äß€]{0,19}`)
		e := Event{ID: word.Draw(t, "id"), Type: word.Draw(t, "type"), Key: word.Draw(t, "key"), Time: time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "time"), 123000)}
		data, err := json.Marshal(map[string]string{"said": word.Draw(t, "said")})
		if err != nil {
			t.Fatal(err)
		}
		e.Data = data
		box := word.Draw(t, "box")
		media, body, err := CloudEvents.write(e, box)
		if err != nil || media != event.ApplicationCloudEventsJSON {
			t.Fatalf("%s, %v", media, err)
		}
		var got event.Event
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if err := got.Validate(); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if got.SpecVersion() != event.CloudEventsVersionV1 || got.ID() != e.ID || got.Type() != e.Type || got.Subject() != e.Key || !got.Time().Equal(e.Time) ||
			got.DataContentType() != event.ApplicationJSON || got.DataBase64 || len(got.Extensions()) != 0 {
			t.Fatalf("%s is read as %s", body, got)
		}
		if source, err := url.Parse(got.Source()); err != nil || source.Path != "/flattone/"+box {
			t.Fatalf("the source of box %q is %s (%v)", box, got.Source(), err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, e.Data); err != nil || !bytes.Equal(got.Data(), compact.Bytes()) {
			t.Fatalf("%s is read as %s (%v)", compact.Bytes(), got.Data(), err)
		}
	})
}
