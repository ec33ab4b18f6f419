package control

// Device is a sound device of the box, one that was adopted and isn't there, or one that a line names.
type Device struct {
	// Name is what a line's config calls it: as it was adopted, or what ALSA or JACK call what is no card. Empty: a card that nobody adopted.
	Name string `json:"name,omitempty"`
	// Card is what a card calls itself. It is known again by Place, IDs and Serial; PCM is which of its devices this is.
	Card   string `json:"card,omitempty"`
	Place  string `json:"place,omitempty"`
	IDs    string `json:"ids,omitempty"`
	Serial string `json:"serial,omitempty"`
	PCM    int    `json:"pcm,omitempty"`
	// Plugging is another one each time the card is plugged in.
	Plugging string `json:"plugging,omitempty"`
	// Free says that nobody plays on it. Only then it is known how many channels it has, and at which of our rates it runs.
	Free  bool  `json:"free"`
	In    int   `json:"in,omitempty"`
	Out   int   `json:"out,omitempty"`
	Rates []int `json:"rates,omitempty"`
	// Trouble is why no line may use it: one of the codes below, or empty.
	Trouble string `json:"trouble,omitempty"`
	// Uses are the lines whose config names it.
	Uses []Use `json:"uses,omitempty"`
}

// Use is a line's of a device.
type Use struct {
	Line string `json:"line"`
	// Side is caller or agent.
	Side string `json:"side"`
	// Plays says that the line has the device, as far as flattoned knows.
	Plays bool `json:"plays"`
}

// Why no line may use a device.
const (
	DeviceAbsent   = "device_absent"   // it isn't there
	DeviceMoved    = "device_moved"    // it is on another port than it was adopted on
	DeviceReplaced = "device_replaced" // another card is in its place
	DeviceSwapped  = "device_swapped"  // it was plugged in anew, and may have been swapped with one that is like it
)
