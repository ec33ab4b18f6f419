package capture

// Event is one thing that a capture has to say. It is one flat struct for all kinds; fields that a kind
// doesn't name are zero. No event carries more of a card than may be told to everyone.
type Event struct {
	Kind EventKind
	// Field is the field concerned, for Stars and Verdict.
	Field Field
	// Stars is how many digits the field now holds.
	Stars int
	// Code is OK or why not.
	Code Code
	// Length is how many digits a judged field had.
	Length int
	// Tries is how often the field has been refused so far.
	Tries int
	// Brand of a card number that was taken, or refused for its brand.
	Brand Brand
	// Last4 are the last four digits of a card number that was taken.
	Last4 string
	// ExpiryMonth is 1 to 12, ExpiryYear has four digits; 0 where the profile asks for no expiry.
	ExpiryMonth, ExpiryYear int
}

// EventKind says what an [Event] is about.
type EventKind uint8

// The kinds of events, and the fields they use.
const (
	Stars    EventKind = iota + 1 // Field, Stars; with 0 stars where a field is opened or emptied
	Verdict                       // Field, Code, Length, Tries; Brand and Last4 as told there
	Warning                       // Code
	Complete                      // Brand, Last4, ExpiryMonth, ExpiryYear: the card is there to be taken
	Void                          // Code: the capture is over, and nothing of it is left
)
