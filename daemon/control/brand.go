package control

// BrandName is a brand, as events and cards have it, as it is printed on the card. Of one that isn't known it is that.
func BrandName(brand string) string {
	switch brand {
	case "visa":
		return "Visa"
	case "mastercard":
		return "Mastercard"
	case "amex":
		return "American Express"
	case "discover":
		return "Discover"
	case "diners":
		return "Diners Club"
	case "jcb":
		return "JCB"
	case "unionpay":
		return "UnionPay"
	case "maestro":
		return "Maestro"
	}
	return brand
}
