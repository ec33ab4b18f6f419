package wire

// Modem is what the modem at a port answered, and which profiles fit it. It is no message, but part of [Found].
type Modem struct {
	Answers []ModemAnswer
	// Fits are the profiles that fit; else Draft is one to begin with.
	Fits  []ModemFit
	Draft string
}

// ModemAnswer is what it said to a question, and whether that ended in OK.
type ModemAnswer struct {
	Ask   string
	Lines []string
	OK    bool
}

// ModemFit is a profile with the modem's ports. SoundPort is empty where there is none, and where it isn't known though there must be one (NeedsSoundPort).
type ModemFit struct {
	Profile, Make, Port, SoundPort string
	NeedsSoundPort                 bool
}
