package payment

import (
	"testing"

	"pgregory.net/rapid"
)

func TestMinor(t *testing.T) {
	for _, c := range []struct {
		amount, currency string
		want             int64
	}{
		{"12.34", "EUR", 1234}, {"12.3", "EUR", 1230}, {"12", "EUR", 1200}, {"0.01", "GBP", 1}, {"007", "USD", 700}, {"500", "JPY", 500}, {"1.234", "BHD", 1234}, {"9999999999.99", "EUR", mostMinor},
	} {
		if got, err := Minor(c.amount, c.currency); err != nil || got != c.want {
			t.Errorf("%s %s is %d, %v; want %d", c.amount, c.currency, got, err, c.want)
		}
	}
	for _, c := range [][2]string{{"", "EUR"}, {".5", "EUR"}, {"5.", "EUR"}, {"1.234", "EUR"}, {"1.5", "JPY"}, {"0", "EUR"}, {"0.00", "EUR"}, {"-1", "EUR"}, {"+1", "EUR"}, {"1,50", "EUR"}, {"1e3", "EUR"},
		{"1 000", "EUR"}, {"10000000000", "EUR"}, {"99999999999999999999", "EUR"}, {"1", ""}, {"1", "eur"}, {"1", "EURO"}, {"1", "QQQ"}, {"1.-5", "EUR"}, {"1.+5", "EUR"}} {
		if got, err := Minor(c[0], c[1]); err == nil {
			t.Errorf("%q %q is taken for %d", c[0], c[1], got)
		}
	}
}

// TestAmountsGoThereAndBack: what is shown is what was meant.
func TestAmountsGoThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minor := rapid.Int64Range(1, mostMinor).Draw(t, "minor")
		code := rapid.SampledFrom([]string{"EUR", "JPY", "BHD", "USD", "CLF"}).Draw(t, "currency")
		if got, err := Minor(Amount(minor, code), code); err != nil || got != minor {
			t.Fatalf("%d %s is shown as %s, which is %d, %v", minor, code, Amount(minor, code), got, err)
		}
	})
}
