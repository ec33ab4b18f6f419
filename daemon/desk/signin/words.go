package signin

import (
	"net/http"
	"strings"

	"github.com/flattone/flattone/daemon/config"
)

// words are what the pages say in one language.
type words struct {
	Title, Provider, Code, Hint, SignIn string
	// What went wrong.
	Wrong, Busy, Away, ProviderAway, NotYou, Again string
}

var all = map[config.Language]words{
	config.English: {"Sign in", "Sign in with your company's account", "Code from your technician", "8 letters and digits, good once and for ten minutes", "Sign in",
		"That code is not good, or no longer. Ask for a new one. After ten wrong codes nobody's is looked at for half an hour.", "Too many people are signing in just now. Try again in a moment.",
		"The box does not answer: no card can be taken now. Tell your technician.", "Your company's sign-in does not answer. Try again, or tell your technician.",
		"Your company's sign-in has not let you in here. Ask whoever looks after your account.", "That took too long, or was begun elsewhere. Sign in again."},
	config.Spanish: {"Iniciar sesión", "Iniciar sesión con la cuenta de su empresa", "Código de su técnico", "8 letras y cifras, válidas una vez y durante diez minutos", "Iniciar sesión",
		"Ese código no es válido o ya no lo es. Pida uno nuevo. Tras diez códigos erróneos no se admite ninguno durante media hora.", "Demasiadas personas están iniciando sesión. Inténtelo de nuevo en un momento.",
		"El equipo no responde: ahora no se pueden tomar tarjetas. Avise a su técnico.", "El inicio de sesión de su empresa no responde. Inténtelo de nuevo o avise a su técnico.",
		"El inicio de sesión de su empresa no le ha dado acceso. Pregunte a quien lleva su cuenta.", "Ha tardado demasiado o se empezó en otro lugar. Inicie sesión de nuevo."},
	config.German: {"Anmelden", "Mit dem Firmenkonto anmelden", "Code von der Technik", "8 Buchstaben und Ziffern, einmal und zehn Minuten lang gültig", "Anmelden",
		"Dieser Code gilt nicht oder nicht mehr. Lassen Sie sich einen neuen geben. Nach zehn falschen Codes wird eine halbe Stunde lang keiner angenommen.", "Gerade melden sich zu viele an. Versuchen Sie es gleich noch einmal.",
		"Die Box antwortet nicht: Karten können jetzt nicht angenommen werden. Sagen Sie der Technik Bescheid.", "Die Anmeldung Ihrer Firma antwortet nicht. Versuchen Sie es noch einmal, oder sagen Sie der Technik Bescheid.",
		"Die Anmeldung Ihrer Firma hat Sie hier nicht zugelassen. Fragen Sie, wer Ihr Konto betreut.", "Das hat zu lange gedauert oder wurde anderswo begonnen. Melden Sie sich noch einmal an."},
	config.French: {"Connexion", "Se connecter avec le compte de l’entreprise", "Code de votre technicien", "8 lettres et chiffres, valables une fois et pendant dix minutes", "Se connecter",
		"Ce code n’est pas valable, ou ne l’est plus. Demandez-en un autre. Après dix codes erronés, aucun n’est accepté pendant une demi-heure.", "Trop de personnes se connectent en ce moment. Réessayez dans un instant.",
		"Le boîtier ne répond pas : aucune carte ne peut être prise. Prévenez votre technicien.", "La connexion de votre entreprise ne répond pas. Réessayez, ou prévenez votre technicien.",
		"La connexion de votre entreprise ne vous a pas donné accès. Adressez-vous à qui gère votre compte.", "Cela a pris trop de temps, ou a commencé ailleurs. Reconnectez-vous."},
	config.Japanese: {"サインイン", "会社のアカウントでサインイン", "技術担当者から受け取ったコード", "英数字8文字。10分以内に1回だけ使えます", "サインイン",
		"このコードは使えません。新しいコードを受け取ってください。10回間違えると、30分間どのコードも受け付けません。", "ただいま混み合っています。少し待ってからもう一度お試しください。",
		"装置が応答しません。今はカードを受け付けられません。技術担当者に連絡してください。", "会社のサインインが応答しません。もう一度試すか、技術担当者に連絡してください。",
		"会社のサインインで許可されませんでした。アカウントの担当者に確認してください。", "時間がかかりすぎたか、別の場所で始められました。もう一度サインインしてください。"},
}

// languageOf is the first language that a browser asks for and that there are words in.
func languageOf(r *http.Request, otherwise config.Language) config.Language {
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ = strings.Cut(strings.TrimSpace(tag), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if _, spoken := all[config.Language(base)]; spoken {
			return config.Language(base)
		}
	}
	return otherwise
}
