package upstream

import (
	"encoding/json"
	"net/url"
	"time"
)

// Format is how an event is written.
type Format int

const (
	Standard    Format = iota // as Standard Webhooks has it: type, timestamp, data
	CloudEvents               // CloudEvents 1.0 in the JSON event format, structured mode
)

// The media types of the formats.
const (
	mediaStandard    = "application/json"
	mediaCloudEvents = "application/cloudevents+json"
)

// standard is the body of Standard Webhooks 1.0, "payload structure".
type standard struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// cloudEvent is CloudEvents 1.0, section 3, by the JSON event format, section 3. Source and id together are unique; subject is
// the key, in whose order events come.
type cloudEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        time.Time       `json:"time"`
	ContentType string          `json:"datacontenttype"`
	Data        json.RawMessage `json:"data"`
}

// write is the event as bytes, from a box.
func (f Format) write(e Event, box string) (media string, body []byte, err error) {
	if f == CloudEvents {
		body, err = json.Marshal(cloudEvent{SpecVersion: "1.0", ID: e.ID, Source: "/flattone/" + url.PathEscape(box), Type: e.Type, Subject: e.Key,
			Time: e.Time.UTC(), ContentType: mediaStandard, Data: e.Data})
		return mediaCloudEvents, body, err
	}
	body, err = json.Marshal(standard{e.Type, e.Time.UTC(), e.Data})
	return mediaStandard, body, err
}
