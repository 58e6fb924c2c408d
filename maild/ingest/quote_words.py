# ruff: noqa: RUF001 - mail is written in many scripts
"""Words around quotes in many tongues, beside those of `forwarded_words`."""


def words(*lists: str) -> frozenset[str]:
    """Give the words of lists that are parted by |."""
    return frozenset(word for one in lists for word in one.split("|"))


ORIGINAL = words(
    "original|original nachricht|original appointment|originaltermin|ursprünglicher termin|urspr. nachricht|urspr.nachricht|mail original|courriel original",
    "correo original|message d´origine|origineel bericht|original besked|original meddelelse|oprindelig mail|oprindelig meddelse|oprindelig e-mail",
    "original melding|original bericht|original meddelande|pôvodná správa|eredeti üzenet|mesajul original|mesaj original|вихідне повідомлення|оригінальне повідомлення",
    "початкове повідомлення|orijinal ileti|orijinal e-posta|αρχικό μήνυμα|原邮件|原始訊息|원본 메시지|원본 이메일|הודעה מקורית|ההודעה המקורית",
    "الرسالة الأصلية|رسالة أصلية|reply above this line|previous message|previous messages|previous reply|previous replies|antwort|svar|reply",
)
"""What stands between dashes above an old mail."""

FORWARDED = words(
    "begin forwarded text|start of forwarded message|forwarded text|begin included message|included message",
    "továbbított üzenet|továbbított levél|továbbított levél kezdete|mesaj redirecționat|mesaj redirecţionat|mesaj transmis",
    "переслане повідомлення|початок переадресованого повідомлення|προωθημένο μήνυμα|αρχή προωθημένου μηνύματος|הודעה שהועברה|תחילת הודעה שהועברה",
    "الرسالة المعاد توجيهها|بدء الرسالة المعاد توجيهها|رسالة معاد توجيهها|preposlaná správa|začiatok preposlanej správy|iletilen iletinin başlangıcı",
)
"""What stands above a forwarded one."""

PREVIOUS = words("previous replies|previous messages|previous discussion|vorherige nachrichten")
"""What needs no dashes."""

PEOPLE = words(
    "i|we|you|he|she|they|your|our|my|his|her|their|the|this|who|which|someone|somebody|ich|wir|du|er|sie|ihr|ihre|mein|meine|unser|unsere|dein|der",
    "j'ai|je|nous|vous|avez|avons|elle|mon|notre|votre|yo|nosotros|usted|nuestro|io|noi|lei|ho|abbiamo|mio|suo|nostro|eu|nós|você|meu|nosso",
    "ik|wij|jij|mijn|onze|uw|jag|jeg|minä|hän|я|мы|вы|он|она|мой|наш|ваш|and|und|et|y|e|that|dass|que|che|not|nicht|what|was|when|wann",
)
"""Words of sentences, which no mail program puts into an attribution."""

PARTICLES = words(
    "von|van|de|der|den|da|di|du|del|la|le|zu|und|and|al|el|bin|ten|ter|dos|das|do",
)
"""What may stand in a name in small letters."""
