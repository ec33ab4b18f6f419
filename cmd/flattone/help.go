package main

// The help texts. What docs/man/flattone.1 says at length, these say briefly.
const (
	wordsRootShort = "see and command the box between a caller and an agent"
	wordsRootLong  = `flattone asks a running flattoned, over its admin socket, how its lines are,
readies them for cards, and lets you watch. It never shows more of a card than
its brand and last four digits.

Who may do what is said by roles, in the box's configuration. Unless it says
otherwise, root and the members of the group flattone-admin are technicians, and
root is the installer.

Exit codes: 0 done; 1 failed; 2 the command line makes no sense; 3 no flattoned
answers; 4 you may not; 5 the box can't do that now; 6 what was waited for did
not come; 7 the capture ended without a card; 8 the line was measured and
refused; 9 something is a fault; 10 the audit log was tampered with.`
	wordsGroupTechnician = "At the box (these ask flattoned):"
	wordsGroupOffline    = "Without a box:"

	wordsHelpShort = "say more about a verb"

	wordsFlagSocket = "where flattoned listens; FLATTONE_SOCKET sets the default"
	wordsFlagJSON   = "print JSON, for programs"

	wordsStatusLong = `Say how the box is: which lines are up, what keeps the vault's key, whether
upstream takes the tokens, and what each line takes out of PCI DSS scope. Lines
marked ! are what an owner should know, those marked > say what to do about it.
Ends with exit code 9 while anything is a fault: see flattone status --json.`
	wordsArmLong = `Ready a line for a card. From now on the caller's keys are captured, and the
agent hears flat tones in their place. Prints the id of the capture; with
--wait, follows it to the token, and fails with exit code 7 if it ends without a
card.`
	wordsChargeLong = `Ready a line for a card that is charged as soon as it is in the vault, by the
gateway of the line's profile. The agent is told approved or declined; with
--wait, so are you, and it fails with exit code 11 if nothing was charged. Where
the provider doesn't answer, he is asked until it is known what became of the
payment, and the card is never sent twice: don't take it again meanwhile. While
he can't be reached, the line isn't armed; or, where the profile says so, the
card is kept and charged later, which is said at once.
--consent says that the caller agrees that his card is charged again without a
call, as upstream may ask for; it needs a profile that keeps cards in the vault.

Several cards may pay one bill: --total says of how much --amount is a part, and
then --bill PAYMENT, with another card, pays what is left, or --amount of it.`
	wordsChargedLater = "the provider is away: the card is kept, and charged later without its security code; tell the caller that it may be declined then"
	wordsDuplicate    = "this card was charged the same amount within the last ten minutes; flattone payment confirm charges it again, flattone payment cancel doesn't; without a word it soon ends"
	wordsConfirmLong  = `A card that was charged the same amount within the last ten minutes, or may have
been, isn't charged again at once: the payment is held for 45 seconds. Confirm
has it charged in that time, with its security code. Cancel ends it, as does
silence: not charged, duplicate. Ask the caller before you confirm.`
	wordsPaymentLong = `See what became of payments: wanted, approved, declined, not charged, or not
known yet. The newest come first. What was only authorised can be captured or
voided; what was taken can be refunded.`
	wordsActLong = `Have something done with an approved payment. The provider is asked until he
answers, also after a restart, and does it once. capture takes the money of a
payment that is only authorised: all of it or less, once. void undoes a payment
whose money hasn't moved: an authorisation, or a sale that the provider hasn't
settled yet. refund gives back money that was taken: all of it or some. With
--wait, waits for the end, and fails with exit code 11 unless it is done.`
	wordsRehearseLong = `Ready a line for a test card: caller, agent and box go through all that they do
with a real one, and every surface says TEST. No number is taken but the public
ones of tests, such as 4242 4242 4242 4242; nothing is stored, and nothing told
upstream. With --wait, follows it to its end, and fails with exit code 7 if that
comes without a complete card.`
	wordsDisarmLong = `Give up the capture of a line. What was keyed is forgotten. Keys stay masked
until it has been quiet for a while, so that a late one is not heard.`
	wordsAgainLong = `Have the caller key a field of the card anew: pan, expiry or cvv, or the one
that is being keyed where none is named. One that was taken already is keyed
anew as well, and then the rest goes on where it was. What was keyed is wiped,
and no try is counted. Keys count again once none has sounded for a second and a
half.`
	wordsCoverLong = `Cover the caller, who is about to say digits: from the next millisecond on the
agent hears noise in his place. He hears the agent all the same, keys are
captured, and what masks goes on masking. Uncover him once he is done: the agent
hears what he says from then on. It ends by itself with the call. What he has
said by the time he is covered was heard.`
	wordsAckLong = `Release a line that is held. A line is held when it can't know whether a card is
being keyed, after a restart in the middle of one for instance: the agent then
can't hear the caller. Make sure that the caller has stopped keying; the line
opens once it has been quiet. On a line that takes no card because an emergency
number was dialled on it, it says that this call is over.`
	wordsRestartLong = `Stop a line's process, and start it again: what cures a line that is broken. Its
caller and agent hear nothing of each other for a moment, and it goes by what
the configuration says of it now. A line on which a card is being taken, or that
is being tuned, is not stopped but with --force; it comes up held then.`
	wordsCompletionLong = `Print a script that has a shell complete flattone's verbs, flags, and the names
of the lines that the box has now. The package installs all three. By hand, for
bash:

    flattone completion bash >/etc/bash_completion.d/flattone`
	wordsPhoneLong = `Answer the call that rings on the modem at a line's caller's side, call a number
on it, or end the call there is. Each comes back once the modem was told so;
flattone watch shows what comes of it. A number is digits, with a + before them
perhaps. Who calls is shown while it rings, and neither numbers that call nor
those that are called are in any log.`
	wordsFactorLong = `What only custodians and installers may takes a second factor from whoever is
not logged in at the box itself. Enroll, at the box, prints what an
authenticator on your telephone reads, once; from then on the tool asks you for
its codes on the terminal. A code is good for five minutes in your session, and
never taken twice; five wrong ones lock the factor for half an hour. Forget is
the installer's, for a telephone that is lost.`
	wordsDeskLong = `Make an agent known to the desk. Pair prints a code for a person whom you know
by that name; he types it on the desk's page within ten minutes, once, and then
is signed in until the end of his shift. Whatever he does is in the audit log
under that name. A new code takes the place of an older one for the same name.
After ten wrong codes in a row none is looked at for half an hour.`
	wordsCustodyLong = `Custodians keep a key of the vault together: each has a share, on paper, and
enough of them open it, whatever machine it is on. An installer or a custodian
begins with enrol, naming the people and how many it takes; each of them then
takes his share, logged in as himself: it is shown once, and he types it back.
Once all have, they are in force. Where there were others before, those agree to
it first, and their shares are worth nothing afterwards.

Unlock opens a vault that is locked; approve agrees to whatever else custodians
are asked. Each gives his own share, on the terminal or on standard input, and
never on the command line. A ceremony lasts 15 minutes; abort ends it. After ten
wrong attempts a custodian's own account is locked for half an hour.`
	wordsDuty = `A custodian of the vault's key
  keeps his share to himself, on paper, sealed, in a place that locks, and never
  in a computer, a photograph or together with another's;
  gives it only to this box, logged in as himself, for what he agrees to;
  says at once when it may have been seen or is lost, and when he leaves: then
  other custodians are enrolled.
That you acknowledge this is in the audit log (PCI DSS 3.7.9).`
	wordsCallLong = `Tell a line when a call begins, or that it has ended, on behalf of a telephone
system. The line must be set to be told so: source = "api" in its [line.calls].
What is being keyed is void, and the line can only be armed while there is a
call.`
	wordsWatchLong = `Follow the lines live. On a terminal it is a screen: state, levels, what is
masked, stars, verdicts, token and delivery; q or Ctrl-C leaves, and the last
picture stays behind. Elsewhere it is one line of text for each event, or with
--json one JSON object.

With --until it leaves by itself: "delivered", when a token has been delivered
upstream from now on; "idle", as soon as a line is idle; or a number of events
from now on. Exit code 0 says that it came, 6 that it didn't.

With --arm it readies the line for a card as soon as the watch has begun, so
that nothing of the capture is missed.`
	wordsTopLong = `Show all lines at once, and how the box is, over and over: of each line its
state, the levels of its two sides, how much of what the agent hears is masked,
the look-ahead that it has and, where keys are suspected too late for that, the
one that it needs; how often its process was started again. Below that is what
is wrong: of the box, of the line chosen, of the others.

On a terminal it is a screen: up and down choose a line, q or Ctrl-C leaves.
Elsewhere, and with --plain, it is a table every two seconds; with --json one
JSON object each time, as status prints it. It waits for a flattoned that went
away while it was looking.`
	wordsTuneLong = `Measure a line of sound devices that is being installed, through its own
devices, and accept or refuse it: until it is accepted it takes no card. It
takes two telephones, two people, a cable and two minutes, and says at each step
what to do: quiet; eight keys on the caller's telephone; three on the agent's; a
hiss on either side; the agent's output joined to his input by the cable; and
keys on the caller's telephone once more, none of which may come out past the
shut mask.

While it runs the agent hears nothing of the caller, nothing is captured, and of
a key it is only told that it was there. Ctrl-C or flattone disarm ends it, and
leaves what was known of the line as it was. So does a step that waits in vain
for two minutes.

The report is printed, kept in the state folder as acceptance/LINE.json, and
with --last printed again. It holds for the devices and settings it names, and
for no others. Exit code 0 says that the line is accepted, 8 that it is refused.`
	wordsToneLong = `Play a test tone on one side of a line, caller or agent, and silence on the
other: to find which plug is which, and to set levels with a meter. It goes out
as loud as it is asked for, whatever gain the line has. Each second the levels
that come in on both sides are shown.

The line must be idle and in no call: where nobody tells it of calls, that is
for you to know. A call, arming, flattone disarm, a fault and Ctrl-C end it at
once; else it ends by itself. Neither side hears the other meanwhile.

It may be 300 to 3400 Hz, 60 Hz away from all signalling tones (1004 Hz is too
near to one; 1020 Hz is the ITU's), at -45 to 0 dBm0, for up to 60 s.`
	wordsLoopbackLong = `Give one side of a line, caller or agent, its own sound back, half a second
later: one person with one telephone proves both ways of a device. Before that
a hiss of a second goes out, and it is said how loud and how late it comes back:
by an echo, by a cable, or by a loopback far away. What comes back nearly as
loud as it went out is not looped, since it would howl.

When a line may be tested, and what ends it, is as for flattone tone.`
	wordsRecorder = "not judged yet. Record a test call on which keys are keyed, with whatever records behind the box, have the recording " +
		"judged blind (flattone judge --blind, in lab builds), and write file, judged_by and verdict into the report's recorder."
	wordsTokensLong = `List the newest tokens in the vault. More than brand, last four and expiry is
not known outside of it.`
	wordsVaultLong = `How the vault is: whether it is open, and by which root; which version of its
key seals, since when, and how much lies under it; how many cards there are of
each kind, and when the next is shredded. For custodians and auditors.`
	wordsRotateLong = `Make a new version of the vault's key, which seals everything from now on. What
lies under older ones is sealed anew while the box goes on taking cards; then
they are destroyed, and a certificate says so. Says how far that is until it is
done: leaving, or --detach, doesn't end it. For custodians; from afar it takes a
second factor.`
	wordsVaultRootLong = `What opens the vault is a root: a TPM, an HSM, a credential of systemd's, a key
file, custodians. Add has the one that the configuration file names now open it,
too, while another has it open: before a change of that one, or once custodians
have unlocked it after. Drop has one no longer open it, rotates the key, and
refuses the one that opened it: so a new one has proved itself by then.

flattone vault status lists the roots. Where there are custodians they agree to
either first. For custodians; from afar it takes a second factor. docs/keys.md
says when it is needed.`
	wordsCertificatesLong = `Print what the vault has certified, newest first: of each key that was destroyed
(key-VERSION), of what was shredded in each quarter (purge-YEARQn), and of each
fingerprint key that was made (fingerprint-DESTINATION). Each is a note, signed
with the audit log's key. A KIND, or how it begins, picks some.
For custodians and auditors.`
	wordsExportLong = `Ask custodians to let cards leave for another provider, whom a table
[vault.export.NAME] of the configuration names with his public key. They are
told how many cards, whose, for whom and by which key, and agree each as
himself: flattone custody approve. With the last share that it takes the box
writes a file that only that key opens, and flattone vault exports says where.
The cards stay in the vault. See docs/export.md.

For custodians; from afar it takes a second factor.`
	wordsExportsLong = `Say what came of exports that custodians agreed to since flattoned started: how
many cards, which file on the box, and its SHA-256; or why there is no file. For
custodians and auditors.`
	wordsCardLong = `One card of the vault, by its token. Show says what may be known of it, or when
and why it was shredded. Hold keeps it from being shredded, for a dispute say,
until release ends that; holds lists those, with who held them, since when and
why. Shred destroys its key, and no backup brings it back
once that version of the vault's key is destroyed too; upstream is told.

Who may see the list of tokens may show; the rest is for custodians, and takes a
second factor from afar.`
	wordsUpstreamLong = `What upstream doesn't have: events that wait, for each destination, and those
that were refused for good or given up after days (dead letters). A dead letter
holds up whatever else is told there of the same capture, until it is sent again
(replay), or dropped for a reason that is in the audit log. Both take the id of
an event, or --destination for all that are for one, or both. What events say
isn't shown.

A destination that answered 410 Gone gets nothing until flattoned starts again,
or resume. Drop with a --destination that is no longer in the configuration
gives up all that waits for it. docs/upstream.md says more.`
	wordsReplayed  = "%s: sent again"
	wordsDropped   = "%s: dropped"
	wordsResumed   = "%s: tried again"
	wordsHoldsLong = `List the cards that are on hold, held last first: who keeps each from being
shredded, since when and why.`
	wordsRotated     = "key %d seals from now on; what lies under older ones is sealed anew"
	wordsRootAdded   = "%s opens the vault, too: restart flattoned with it (flattone apply), and when that has opened the vault, drop the old one"
	wordsRootDropped = "%s no longer opens the vault, and what it opened is sealed anew"
	wordsRootAsked   = "custodians have to agree, within 15 minutes: flattone custody approve, each as himself"
	wordsHeld        = "%s: on hold"
	wordsReleased    = "%s: no longer on hold"
	wordsShredded    = "%s: shredded"
	wordsReallyShred = "Shred it? Nothing brings it back."
	wordsEventsLong  = `List the end of the audit log: who did what to which line or token, by what way,
and with what result.`
	wordsBackupLong = `Write a backup to a new file, while the box takes cards. It is sealed under the
vault's key, which is not in it: backup keys writes that to a file of its own,
as the custodians have it, to be kept elsewhere. flattoned --restore makes a
vault of both on another box, with as many custodians as it takes to unlock;
docs/backup.md says how.

Backup purge-log writes which cards were shredded, so that a restore of an older
backup shreds them again. Data and purge log are for custodians and installers,
keys for custodians.`
	wordsAuditLong = `Export writes the whole audit log to a new file, key prints the log's public
key: both for auditors, at the box. Verify checks such a file anywhere, without
a box, and names the first entry that isn't what was written; exit code 10 says
that there is one.

What proves something is what was kept elsewhere: the key (--key), and
checkpoints that left the box (--checkpoint), in files as checkpoint_file of the
configuration or the journal has them. Without them, a file that a thief made
anew, with a key of his own, is good; and so is one of an earlier day.`
	wordsOwnKey      = "         ! the key is the file's own: whoever made the file could have made the key (--key)"
	wordsNoneKept    = "         ! no checkpoint that left the box was given: an old log, or one cut short, would look as good (--checkpoint)"
	wordsDevicesLong = `List the sound cards: the name that each was adopted under, what it calls itself
and the numbers of its maker and product, its channels in and out, the rates it
runs at, the lines that use it; below that its place, and what is to be done
about it. Channels and rates are only known of a card that nobody plays on.

What is no card, such as a client of JACK, comes last, under its own name.`
	wordsAdoptLong = `Give the sound card in a place a name, which a [line.sound] table then uses.
From now on the name stands for this card in this place, whatever number the
kernel gives it, and for nothing else. A card that comes back elsewhere, or
another in its place, is refused until it is adopted.

Of two cards that are alike only their places tell which is which. Once one of
them was pulled out and plugged in while the machine runs, adopt it again: that
says that the cables are right.

PLACE is as flattone devices lists it. The names are kept in devices.toml beside
the configuration, which only root may write on most boxes.`
	wordsForgetLong = `Take a sound card's name away. A line that uses it goes on until it opens its
devices the next time.`
	wordsAdopted   = "%s is now %s in %s"
	wordsForgotten = "%s: forgotten"
	wordsModemLong = `Modems at serial ports, which may be a line's side.`
	wordsProbeLong = `Ask the modem at a serial port, which no line has, what it is and can do, by
commands that change nothing, and say which profile fits it: what to write into
a line's [line.caller_modem] or [line.agent_modem] table. For a make that no
profile fits, print a profile to begin with.

A module has several ports, of which one takes commands: try one after the
other.`
	wordsModemFits      = "By its answers it is one of: %s. For a line whose caller's side it is, write:"
	wordsModemSoundPort = "the modem's port for sound"
	wordsModemDraft     = "No profile fits. This is one to begin with, for a file NAME.toml in the folder modems beside flattone.toml; " +
		"correct it by the maker's manual:"
	wordsCheckLong = `Read a configuration file as flattoned would, the files it names, the adopted
devices (devices.toml) and the profiles of its modems beside it. Every fault is
listed with its place and its remedy. A good file is summed up: what each line
takes out of PCI DSS scope, and, marked !, which settings weaken that.

Run it as the user that flattoned runs as, or as root, who looks on behalf of
the user flattone: it judges what that user may read. With --desk it is the
configuration of the agents' desk, /etc/flattone/desk.toml, and the user is
flattone-desk.`
	wordsDoctorLong = `Examine the machine that flattone runs on, and flattone on it: configuration,
PCI DSS scope, what flattoned finds wrong itself, systemd units, sound devices,
real-time priority, who can read what is secret, core dumps, swap, disk, clock,
TPM, and who may command the box. Each with a verdict, what it means, and the
command that mends it. Nothing is changed, and no secret is read.

It needs neither root nor a running flattoned; but what it could not see is
marked ?, and root sees more. Exit code 9 says that something is bad.`
	wordsSupportLong = `Collect what a supporter needs to see in a new file: versions, status, lines,
the end of the audit log, sound devices, what flattone doctor finds, the
configuration, and the journal of flattone's units. Ask as root for the last
two.

It has no card: whatever in it could be a card number, a telephone number or a
secret is taken out, however it is written, and tokens are shortened. Files of
secrets are named, and not opened. At the end it says what is in it.`
	wordsApplyLong = `Have the box go over to a configuration: FILE, or the one that it has, once that
was edited. The file is checked as flattone check does, and compared with what
runs. Then it is said what would become of flattoned and of each line; and once
you agree, or with --yes, it is done: FILE takes the place of the configuration,
which is kept beside it with .before at the end of its name; flattoned reads it;
lines whose settings are others start again, and those that it no longer has
end. All other lines are left alone, and so are their calls.

A line on which a card is being taken, or that is being tuned, is not stopped:
nothing is done then, but with --force. If the file has a fault, nothing is done
either. Where settings have changed that flattoned reads only once, systemd
starts it again, and lines go on meanwhile; where no systemd does, you do.

It needs a flattoned that runs, and writes as you, so most boxes need root for
it. Exit code 5 says that a line takes a card.`
	wordsKeyLong = `Make a new key-encryption key for the vault: 32 random bytes in a file that only
its owner may read. A file that is there already is never touched: its key may
be all that opens a vault.

A key in a file is for demonstrations only. Whoever copies it together with the
vault has every card. With --tpm nobody learns the key: this machine's TPM seals
it, and unseals it only here, and only while the machine boots as it does now.`
	wordsSecretLong = `Make a new webhook secret (whsec_...) in a file that only its owner may read.
Give the same secret to the receiver, which checks signatures with it. A file
that is there already is never touched.`

	wordsKeyMade = `%s: a new vault key. Keep a copy apart from the vault: without it nothing in there can be read again.
For demonstrations only: whoever copies this file and the vault has every card.`
	wordsTPMKeyMade = `%s: a new vault key, which this TPM alone opens, as long as the machine boots as it did now. The file must be the user's that flattoned runs as.
Firmware, secure boot or main board changed, it opens no more: have another root for that day (docs/keys.md).`
	wordsSecretMade = "%s: a new webhook secret. Give the receiver the same one."
	hintKeepFile    = "name another file; if it is no longer needed, move it away yourself"
)
