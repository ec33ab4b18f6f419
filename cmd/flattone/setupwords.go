package main

import "github.com/flattone/flattone/daemon/config"

// What setup says. It is all that somebody knows of flattone who reads nothing else: each question comes with why it is asked.
const (
	wordsSetupLong = `Set up a line of this box: ask for its name and place, its devices, who tells of
calls, what becomes of cards, who receives tokens, who reads the audit log; one
question at a time, each with a reason and mostly with an answer that Enter
takes. What comes of the answers is shown as the configuration it makes, with
comments, and checked as flattone check does. Once you agree, the box goes over
to it as by flattone apply: the old configuration is kept beside the new one,
and lines that you didn't touch go on. Then it shows the levels, and offers the
tuning and the first rehearsal.

Until you agree nothing is changed, and Ctrl-C leaves at any moment. Say it
again to add a line, or to change one: answers are then what they are now. It
wants a terminal, and as it writes the configuration, root on most boxes.`
	wordsSetupBegins = "This sets up a telephone line of this box, from its name to the first rehearsal. Enter takes the answer in brackets. Until you agree at the end nothing is " +
		"changed; Ctrl-C leaves at any moment."
	wordsSetupDraft   = "what you answered"
	wordsSetupLines   = "The lines of this box are:"
	wordsSetupLine    = "Every screen and log calls the line by its name. That of a line that is there changes that one; any other name makes a new line."
	wordsSetupWaiting = "Line %s waits for sound cards that nobody has named: a new box has such a line."
	wordsSetupPlace   = "Where the box stands in the call decides what leaves PCI DSS scope."
	wordsSetupParts   = "A line stands between two devices, one towards the caller and one towards the agent. Without any it can be tried on recordings."
	wordsSetupDevices = "sound cards, or modems at serial ports"

	wordsSetupRecordings = "of a call, to try flattone out: nobody telephones on it"
	wordsSetupFolder     = "The folder has the two sides of a recorded call, caller.wav and agent.wav. The call is played once the line is armed."
	wordsSetupHeard      = "What caller and agent would have heard is written into a folder, so that you can listen."
	wordsSetupNoDevice   = "There is no sound device that a line could use. Plug one in, and have another look."
	wordsSetupProbing    = "Asking the modem what it is: that takes some seconds."
	wordsSetupFits       = "By its answers the modem is one of these."
	wordsSetupSoundPort  = "The sound of its calls comes in on another of the modem's ports: its manual says which."
	wordsSetupChannel    = "Both sides are on one device, so each has a channel of it."

	wordsSetupCalls    = "What a caller keys is void once his call is over, lest it join what the next caller keys: so somebody should tell the line when calls begin and end."
	wordsSetupAudio    = "nobody: the line may be armed for three minutes at most, and tones or silence end it"
	wordsSetupAPI      = "a telephone system, by flattone call began and flattone call ended"
	wordsSetupGPIO     = "a contact at a GPIO chip"
	wordsSetupSerial   = "a contact at a serial port"
	wordsSetupHID      = "a USB headset's hook switch"
	wordsSetupInput    = "The contact is wired to one input of it."
	wordsSetupSays     = "What the contact does decides what is known of a call."
	wordsSetupHook     = "it is closed as long as a call lasts"
	wordsSetupRing     = "it closes while it rings, so nobody tells of a call's end"
	wordsSetupInverted = "Is the contact between the input and ground (closed while low)?"

	wordsSetupKey      = "The key that seals the cards was there before the first card, and stays: a vault takes no other."
	wordsSetupKeep     = "What becomes of a card once it was taken. Upstream gets a token for it in any case, and the security code is never kept."
	wordsSetupNone     = "it is gone once what it is for has come out, and after a day at most"
	wordsSetupVault    = "it is kept for %d days, to be charged again: takes a key off the disk"
	wordsSetupOnce     = "it is kept for one charge, soon: takes a key off the disk"
	wordsSetupOneWay   = "the token says that there was a card: nobody can charge it by this box"
	wordsSetupSame     = "The answer is that of %s, too, by the same profile."
	wordsSetupUpstream = "Tokens are sent to a web address of yours, with https, or http on this machine itself. With - they wait in this box until there is one."
	wordsSetupSecret   = "Each message is signed, so that the receiver knows it is from this box. Paste the secret (whsec_...) that the receiver gave you, which isn't shown; or press Enter, " +
		"and have the receiver take the one in %s."
	wordsSetupAuditor = "The audit log says who did what with this box. Nobody reads it but an auditor, who better isn't who installs it. A user's name, or several; - for nobody yet."

	wordsSetupShown = "This is what your answers make of %s:"
	wordsSetupNames = "%s in %s gets the name %s."

	wordsSetupStays  = "What you agreed to stays: %s."
	wordsSetupLevels = "Now the levels: have a call on the line, and somebody speak on either side for ten seconds, as loud as in any call."
	wordsSetupTune   = "A line of sound devices takes no card until it was measured: that nothing of a key gets past its mask, through these devices. It takes two telephones, two people, " +
		"a cable and two minutes, and each step is said."
	wordsSetupRehearse = "Now the first rehearsal, with a caller and an agent in a call on this line: the caller keys 4242 4242 4242 4242 and #, a date ahead, and any three digits. " +
		"The agent hears flat tones. Nothing is stored, and nothing told upstream."
	wordsSetupRehearseRecording = "Now the first rehearsal: the recorded call is played, in which a test card is keyed. Nothing is stored, and nothing told upstream."
	wordsSetupDone              = "Line %[1]s is set up. flattone arm %[1]s readies it for a card, flattone top shows how it is, and flattone doctor examines the machine."
)

// wordsSetupSide asks for a side of the line, and wordsSetupContact where a contact is.
var (
	wordsSetupSide = map[string]string{
		"caller": "Which of them goes to the caller: the trunk's, or the phone's? Its number, the path of a modem's port (/dev/...), or l to have another look. " +
			"Of two that are alike, pull one out, look again, and see which is gone.",
		"agent": "Which goes to the agent: the PBX's, or the headset's? The same card as before will do, by another channel.",
	}
	wordsSetupContact = map[config.Source]string{
		config.SourceGPIO:   "The chip, as a device; its lines have numbers.",
		config.SourceSerial: "The serial port that the contact is wired to.",
		config.SourceHID:    "Where the headset is plugged in: HID_PHYS in /sys/class/hidraw/*/device/uevent, such as usb-0000:00:14.0-2/input3.",
	}
)
