package main

import "strings"

// glyphs are the characters a screen is drawn with.
type glyphs struct {
	across, full, rest, pick, star, dash, ok, bad string
	// parts are the eighths of a bar's last cell, from one to seven.
	parts []string
	// shades are a cell of the masking trace: open, partly, mostly, wholly masked.
	shades [4]string
	up     string // how the arrow keys are called
}

// glyphs suit the terminal: a serial console in the C locale gets ASCII.
func (t *tool) glyphs() glyphs {
	locale := t.getenv("LC_ALL")
	for _, name := range []string{"LC_CTYPE", "LANG"} {
		if locale == "" {
			locale = t.getenv(name)
		}
	}
	locale = strings.ToUpper(locale)
	if strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8") {
		return glyphs{across: "─", full: "█", rest: "─", pick: "▸", star: "★", dash: "–", ok: "✓", bad: "✗",
			parts: []string{"▏", "▎", "▍", "▌", "▋", "▊", "▉"}, shades: [4]string{"·", "░", "▒", "█"}, up: "↑ ↓"}
	}
	return glyphs{across: "-", full: "#", rest: ".", pick: ">", star: "*", dash: "-", ok: "ok:", bad: "no:",
		shades: [4]string{".", "-", "+", "#"}, up: "up, down"}
}
