package acquirer

import (
	"slices"
	"strconv"

	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

func parse(amount string) int64 {
	minor, _ := strconv.ParseInt(amount, 10, 64)
	return minor
}

// encode writes an answer: what anybody may see, a card to repeat if there is one, and field 48.
func encode(page []byte, form message.Form, mti string, texts map[int]string, pan []byte, more string) (int, [][2]int, error) {
	var fields []message.Field
	for number, text := range texts {
		if text != "" {
			fields = append(fields, message.Field{Number: number, Text: text})
		}
	}
	if len(pan) > 0 {
		fields = append(fields, message.Field{Number: 2, Secret: pan})
	}
	if more != "" {
		fields = append(fields, message.Field{Number: 48, Secret: []byte(more)})
	}
	slices.SortFunc(fields, func(x, y message.Field) int { return x.Number - y.Number })
	return message.Encode(page, form, mti, fields...)
}

// manage answers a sign-on or an echo.
func (a *Acquirer) manage(c *client, m message.Message) bool {
	a.mu.Lock()
	refuses, deaf := a.refuses, a.deaf
	a.mu.Unlock()
	code := "00"
	switch signOn := m.Text(70) == "001"; {
	case signOn && refuses:
		code = "05"
	case !signOn && deaf:
		return true
	}
	page := make([]byte, 256)
	n, _, err := encode(page, a.form, "0810", map[int]string{7: m.Text(7), 11: m.Text(11), 39: code, 41: m.Text(41), 70: m.Text(70)}, nil, "")
	if err != nil {
		return false
	}
	c.write(page[:n], nil)
	return true
}
