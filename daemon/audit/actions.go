package audit

// Requirement is what an action is in the log for: a row of PCI DSS 4.0.1.
type Requirement string

// The requirements of the log. 10.2.1.1 to 10.2.1.7 are the events that must be there, 10.2.2 what each of them must say, which is [Event].
const (
	CardAccess    Requirement = "10.2.1.1"      // somebody gets at cardholder data
	AdminAct      Requirement = "10.2.1.2"      // somebody does what takes a role
	LogAccess     Requirement = "10.2.1.3"      // somebody reads the log
	BadAccess     Requirement = "10.2.1.4"      // somebody is turned away
	Credentials   Requirement = "10.2.1.5"      // what lets people or boxes in is made, changed or removed
	LogEdge       Requirement = "10.2.1.6"      // the log begins, stops, goes on
	Objects       Requirement = "10.2.1.7"      // what the box is there to keep is made or deleted
	Review        Requirement = "10.4.1.1"      // the log is reviewed, every day, by machine
	Timekeeping   Requirement = "10.6.3"        // the clock's settings
	ControlFailed Requirement = "10.7.2/10.7.3" // a critical control fails, works again
)

// Action is something that may be in the log.
type Action struct {
	// Name is noun.verb, the verb in the past once it is done. It never changes: logs are kept for years.
	Name string
	// Is says why it is there.
	Is Requirement
	// Says is what happened, in one clause for whoever reads the log.
	Says string
}

// actions is everything that may be in the log. To log something new, add a line here: [Log.Append] refuses what isn't declared, and a test finds every
// name that nobody logs.
var actions = []Action{
	// The log itself.
	{"daemon.started", LogEdge, "flattoned began, and with it the log"},
	{"daemon.stopped", LogEdge, "flattoned ended, and with it the log until it starts again; the result is why"},
	{"audit.begun", LogEdge, "the log began, in the place of one whose signing key is lost; the result names that"},
	{"audit.rolled_up", Review, "what was logged since the last roll-up, by action, and what somebody should look at"},
	{"audit.read", LogAccess, "somebody read the end of the log"},
	{"audit.exported", LogAccess, "somebody exported the log"},
	{"clock.checked", Timekeeping, "flattoned first learnt how the clock is"},
	{"condition.raised", ControlFailed, "a critical control failed; the result is the condition's code"},
	{"condition.cleared", ControlFailed, "a critical control works again"},
	// Cards.
	{"card.sealed", Objects, "a card went into the vault, and has a token"},
	{"card.used", CardAccess, "a card was opened for a connector, or refused to; the origin is what for and by which"},
	{"card.exported", CardAccess, "a card leaves, sealed for another provider; the origin is which export"},
	{"card.shredded", Objects, "a card's key was destroyed, and with it the card"},
	{"card.resolved", Objects, "what a card was kept for has come out, and it was shredded"},
	{"card.held", AdminAct, "somebody keeps a card from being shredded; the origin is why"},
	{"card.consented", Objects, "a card's holder agreed that it is used without him; the origin is the payment that he agreed with"},
	{"card.released", AdminAct, "somebody ended that"},
	{"vault.purged", Objects, "cards whose time was over were shredded; the result is how many"},
	{"card.rehearsed", Objects, "a test card was taken in a rehearsal, and nothing stored"},
	// Payments.
	{"payment.wanted", AdminAct, "a card is to be charged, as soon as there is one; the result is how much, in the currency's minor unit, the origin which capture, or which token"},
	{"payment.confirmed", AdminAct, "somebody has a card charged that was charged the same amount within the last ten minutes; the result is how much"},
	{"payment.cancelled", AdminAct, "somebody has such a payment end without a charge"},
	{"payment.ended", Objects, "what became of a payment is known; the result is what, the origin by which provider"},
	{"payment.act_wanted", AdminAct, "somebody has the money of a payment taken, given back, or the payment undone; the result is which, and how much, the origin which payment"},
	{"payment.act_ended", Objects, "what became of that is known; the result is what, the origin by which provider"},
	// Upstream: who has something told, or not told.
	{"upstream.replayed", AdminAct, "somebody has dead letters sent again; the object is which, and how many"},
	{"upstream.dropped", AdminAct, "somebody gave up dead letters, or what waited for a destination that isn't configured; the object is which, and how many, the result why"},
	{"upstream.resumed", AdminAct, "somebody has a destination tried again that said that it is gone"},
	// Clients: what the owner's systems ask.
	{"client.answered", CardAccess, "a client asked for something by a token; the result is ok or why not, the origin what, what for and under which id"},
	{"client.refused", BadAccess, "a client was turned away, or somebody who says that he is one; the result is why"},
	// Keys.
	{"key.created", Credentials, "the first version of the key-encryption key was made"},
	{"key.rotated", Credentials, "a version of the key-encryption key was made; the origin is why"},
	{"key.destroyed", Credentials, "a version of the key-encryption key was destroyed: nothing lay under it"},
	{"key.fingerprint_made", Credentials, "the key of a destination's fingerprints was made"},
	{"key.fingerprint_lost", Credentials, "the key of a destination's fingerprints is gone, and the vault wasn't opened"},
	{"key.fingerprint_given_up", Credentials, "such a key may be made anew, as the configuration did without it"},
	{"key.root_added", Credentials, "a further root opens the vault"},
	{"key.root_dropped", Credentials, "a root no longer opens the vault"},
	// What leaves the box as a whole, and comes back.
	{"export.refused", AdminAct, "somebody asked for cards to leave for another provider, and no custodian was asked to agree; the result is why"},
	{"export.began", CardAccess, "custodians agreed that cards leave for another provider; the object is the export's name, the result for whom and how many"},
	{"export.finished", CardAccess, "the file of an export is whole, and has its name next; the result is how many cards it holds, and its SHA-256"},
	{"export.failed", CardAccess, "an export came to nothing, and there is no file of it; the result is why"},
	{"backup.began", AdminAct, "somebody makes a backup of the data; the object is its name"},
	{"backup.ended", AdminAct, "such a backup is made, or isn't"},
	{"backup.restored", LogEdge, "the store was made from a backup; the result is how many entries of the log were in it, the origin who gave their shares"},
	{"backup.purge_log", AdminAct, "somebody takes the purge log off the box"},
	{"key.backed_up", Credentials, "somebody takes the keys off the box, as the custodians have them; the origin is which versions"},
	// Lines: what could open a way for a card or its digits is logged as it is asked and as it ends.
	{"line.arm", AdminAct, "somebody asked for a line to take a card"},
	{"line.armed", AdminAct, "a line takes a card, or refused to"},
	{"recorder.paused", AdminAct, "the recorder in front of the box was told to pause, before a line was armed; the result is ok or why it didn't say yes, the origin which capture"},
	{"recorder.resumed", AdminAct, "it was told to go on; the result is ok or why it didn't say yes"},
	{"line.rehearse", AdminAct, "somebody asked for a rehearsal"},
	{"line.rehearsing", AdminAct, "a line rehearses, or refused to"},
	{"line.disarmed", AdminAct, "somebody gave a capture up"},
	{"line.more_time", AdminAct, "somebody gave a caller more time"},
	{"line.again", AdminAct, "somebody had a caller key a field anew"},
	{"line.covered", AdminAct, "somebody had a caller replaced by noise"},
	{"line.uncover", AdminAct, "somebody asked for a caller to be heard again"},
	{"line.uncovered", AdminAct, "a caller is heard again, or wasn't"},
	{"line.acknowledge", AdminAct, "somebody asked for a held line to be released"},
	{"line.acknowledged", AdminAct, "a held line may be released, or refused to"},
	{"line.tune", AdminAct, "somebody asked for a line to be measured"},
	{"line.tuning", AdminAct, "a line is measured, or refused to be"},
	{"line.tuned", AdminAct, "a line was measured; the result is the verdict"},
	{"line.tone", AdminAct, "somebody tested a leg with a tone"},
	{"line.loopback", AdminAct, "somebody tested a leg with its own sound"},
	{"line.test_ended", AdminAct, "somebody ended a leg's test"},
	{"line.restart", AdminAct, "somebody asked for a line's process to be restarted"},
	{"line.restarted", AdminAct, "a line's process was restarted, or wasn't"},
	{"line.call_began", AdminAct, "somebody told a line of a call"},
	{"line.call_ended", AdminAct, "somebody told a line of a call's end"},
	{"line.answered", AdminAct, "somebody took a call"},
	{"line.dialled", AdminAct, "somebody began a call"},
	{"line.hung_up", AdminAct, "somebody ended a call"},
	{"line.bound", AdminAct, "an agent proved that his call is on a line, and has it until that call is over"},
	{"line.bind_refused", BadAccess, "an agent who said so didn't hear what was spoken there; the result is why"},
	{"line.unbound", AdminAct, "a line is no longer that agent's; the result is why"},
	{"line.voided", AdminAct, "a capture was given up because the machine stops"},
	{"line.dropped", AdminAct, "a card was given up because the machine stops"},
	{"capture.closed", AdminAct, "no line takes a card, because the machine is about to stop or sleep"},
	{"capture.opened", AdminAct, "lines take cards again"},
	// The box and who may what.
	{"config.reload", AdminAct, "somebody asked for the configuration to be read anew"},
	{"config.reloaded", AdminAct, "the configuration was read anew, or couldn't be"},
	{"control.refused", BadAccess, "somebody was turned away from a call; the result is why"},
	{"factor.enrolled", Credentials, "somebody has a second factor"},
	{"factor.forgotten", Credentials, "somebody's second factor was removed"},
	{"factor.accepted", AdminAct, "a code of somebody's second factor was good"},
	{"factor.refused", BadAccess, "a code of somebody's second factor was wrong"},
	// Agents at the desk.
	{"agent.pairing", Credentials, "a technician made a code that names an agent"},
	{"agent.paired", AdminAct, "an agent signed in by such a code"},
	{"agent.refused", BadAccess, "a code for the desk wasn't good"},
	// Custodians: what takes several of them.
	{"custody.began", AdminAct, "a ceremony of custodians began; the object is what for"},
	{"custody.agreed", AdminAct, "enough custodians agreed; the result is what came of it"},
	{"custody.aborted", AdminAct, "somebody ended a ceremony"},
	{"custody.expired", AdminAct, "a ceremony's time was over"},
	{"custody.enrolled", Credentials, "custodians are in force, in the place of those before them"},
	{"custodian.acknowledged", Credentials, "a custodian acknowledged his duty"},
	{"custodian.took", Credentials, "a custodian was shown his share"},
	{"custodian.confirmed", Credentials, "a custodian typed his share back"},
	{"custodian.gave", AdminAct, "a custodian agreed, by his share"},
	{"custodian.refused", BadAccess, "no share of somebody's was taken; the result is why"},
}

var byName = func() map[string]Action {
	m := make(map[string]Action, len(actions))
	for _, a := range actions {
		m[a.Name] = a
	}
	return m
}()

// Lookup finds a declared action.
func Lookup(name string) (Action, bool) {
	a, ok := byName[name]
	return a, ok
}
