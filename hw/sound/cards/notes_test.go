package cards_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound/cards"
)

// stand is a machine with cards in it, and the notes of who opens them.
type stand struct {
	*card.Sys
	t     *testing.T
	notes cards.Notes
	known cards.Known
}

// newStand has a card in each of two ports, of which some are adopted.
func newStand(t *testing.T, one, two card.USB, adopt ...string) *stand {
	s := &stand{Sys: card.NewSys(t), t: t, notes: cards.Notes(t.TempDir()), known: cards.Known{}}
	s.Plug(one)
	s.Plug(two)
	for _, name := range adopt {
		s.adopt(name)
	}
	return s
}

var places = map[string]string{"left": left, "right": right}

// adopt gives the name of a place to the card that is in it.
func (s *stand) adopt(name string) {
	for _, c := range list(s.t, s.Sys) {
		if c.Place == places[name] {
			s.known[name] = cards.Adopted{Identity: c.Identity, Plugging: c.Plugging}
		}
	}
}

// open is what a line does.
func (s *stand) open(name string) error {
	all := list(s.t, s.Sys)
	c, err := s.known.Find(name, all)
	if err != nil {
		return err
	}
	note, err := s.notes.Judge(s.known, name, c, all)
	if err != nil {
		return err
	}
	return s.notes.Write(name, note)
}

// opens holds what becomes of each name against what should.
func (s *stand) opens(when string, want map[string]error) {
	s.t.Helper()
	for name, err := range want {
		if got := s.open(name); !errors.Is(got, err) {
			s.t.Errorf("%s: %s: %v", when, name, got)
		}
	}
}

var good = map[string]error{"left": nil, "right": nil}

func TestTwinsThatMayBeSwapped(t *testing.T) {
	s := newStand(t, codec(1, "1.4"), codec(2, "1.3"), "left", "right")
	s.opens("first", good)
	s.opens("again", good)
	s.Pull(1)
	s.opens("one pulled out", map[string]error{"left": cards.ErrAbsent, "right": nil})
	s.Plug(codec(1, "1.4"))
	s.opens("and put back", map[string]error{"left": cards.ErrSwapped, "right": nil})
	s.adopt("left")
	s.opens("adopted", good)
	s.Pull(1)
	s.Pull(2)
	s.Plug(codec(1, "1.3"))
	s.opens("the one in the other's place", map[string]error{"left": cards.ErrAbsent, "right": cards.ErrSwapped})
	s.Plug(codec(2, "1.4"))
	s.opens("both swapped", map[string]error{"left": cards.ErrSwapped, "right": cards.ErrSwapped})
	err := s.open("left")
	for _, says := range []string{"device_swapped: left (08bb:2912)", "follow the cable", "flattone devices adopt left " + left} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
	s.adopt("left")
	s.opens("one adopted", map[string]error{"left": nil, "right": cards.ErrSwapped})
	s.Pull(2)
	s.Plug(codec(2, "1.4"))
	s.opens("and pulled out since", map[string]error{"left": cards.ErrSwapped})
}

// A card that no other is like comes back by itself: one of its kind, one with a serial number, one that is the only one adopted and there.
func TestACardWithoutATwinComesBack(t *testing.T) {
	for name, s := range map[string]*stand{
		"another kind beside it":   newStand(t, codec(1, "1.4"), numbered(2, "1.3", "Y7X"), "left", "right"),
		"another serial beside it": newStand(t, numbered(1, "1.4", "Y7X"), numbered(2, "1.3", "Y8Z"), "left", "right"),
	} {
		s.opens(name, good)
		one := codec(5, "1.4")
		if strings.Contains(name, "serial") {
			one = numbered(5, "1.4", "Y7X")
		}
		s.Pull(1)
		s.Plug(one)
		s.opens(name+", plugged in again", good)
	}
}

// A twin that nobody adopted can be put in a card's place as well.
func TestATwinWithoutAName(t *testing.T) {
	s := newStand(t, codec(1, "1.4"), codec(2, "1.3"), "left")
	s.opens("first", map[string]error{"left": nil})
	s.Pull(1)
	s.Pull(2)
	s.Plug(codec(1, "1.4"))
	s.opens("the only one now", map[string]error{"left": cards.ErrSwapped})
	s.adopt("left")
	s.opens("adopted", map[string]error{"left": nil})
	s.Pull(1)
	s.Plug(codec(1, "1.4"))
	s.opens("as long as it is remembered", map[string]error{"left": cards.ErrSwapped})
}

func TestANoteOfAnotherBootCountsForNothing(t *testing.T) {
	s := newStand(t, codec(1, "1.4"), codec(2, "1.3"), "left", "right")
	note := filepath.Join(string(s.notes), "left.plugged")
	if err := os.WriteFile(note, []byte("00000000-0000-0000-0000-000000000000/99 twin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.opens("after a boot", good)
	text, err := os.ReadFile(note)
	if all := list(t, s.Sys); err != nil || string(text) != all[1].Plugging+" twin\n" {
		t.Errorf("the note is %q, %v", text, err)
	}
}

func TestNotesThatCantBe(t *testing.T) {
	s := newStand(t, codec(1, "1.4"), codec(2, "1.3"), "left")
	s.notes = cards.Notes(os.DevNull)
	if err := s.open("left"); err == nil || !strings.Contains(err.Error(), "look whether left was swapped") {
		t.Error(err)
	}
	s.notes = "/nowhere/at/all"
	if err := s.open("left"); err == nil || !strings.Contains(err.Error(), "note which card left is") {
		t.Error(err)
	}
}
