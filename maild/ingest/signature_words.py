# ruff: noqa: RUF001 - mail is written in many scripts
"""The words of signatures in many tongues: what phones append, how people close a letter, what they print below it."""

from maild.ingest.quote_words import words

DEVICES = tuple(
    sorted(
        words(
            "iphon|ipad|ipod|android|samsung|galaxy|blackberry|windows|nokia|huawei|xiaomi|redmi|xperia|motorola|oneplus|outlook|yahoo|gmail|"
            "web.de|proton|mailbird|thunderbird|sparrow|spark|airmail|mobil|handy|smartphone|tablet|t-mobile|verizon|at&t|fairphone|telefon|téléphone|teléfono|"
            "telefone|móvil|cellulare|celular|phone|mailspring|superhuman|bluemail|fairemail|tutanota|macbook|matkapuhelin|puhelim|телефон|телефону|смартфон|мобильн|"
            "яндекс|mail.ru|手机|手機|携帯|スマートフォン|휴대|κινητό"
        )
    )
)
"""Stems of devices and mail programs: other letters may follow, as in iPhonesta or iPhonu."""

DEVICE_NAMES = words(
    "ios|lg|htc|sony|pixel|oppo|aol|gmx|nine|zoho|hey|k-9|tuta|zimbra|spike|canary|edison|libero|seznam|vodafone|o2|mail"
)
"""Names that are one only as they stand."""

LEADS = tuple(
    sorted(
        words(
            "sent from|sent from my|sent via|sent with|sent using|sent by|sent on|get outlook for|outlook for|gesendet von|gesendet mit|gesendet über|gesendet aus|gesendet vom|"
            "diese nachricht wurde von meinem|diese e-mail wurde von meinem|diese mail wurde von meinem|diese nachricht wurde mit|outlook für|envoyé de|envoyé depuis|envoyé avec|"
            "envoyé à partir|envoyé par|envoyé via|télécharger outlook|téléchargez outlook|obtenir outlook|obtenez outlook|outlook pour|enviado desde|"
            "enviado do|enviado de|enviado pelo|enviado a partir|enviado con|enviado com|enviado via|obtener outlook|obtén outlook|obter o outlook|"
            "obtenha o outlook|outlook para|inviato da|inviato dal|inviato con|scarica outlook|ottieni outlook|outlook per|verzonden vanaf|verzonden met|"
            "verzonden via|verzonden door|verzonden vanuit|verstuurd vanaf|verstuurd met|outlook voor|download outlook|wysłane z|wysłano z|wysłana z|pobierz outlook|outlook dla|"
            "odesláno z|odesláno ze|získat outlook|odoslané z|odoslané zo|küldve|elküldve|trimis de pe|trimis din|trimis de la|skickat från|skickades från|"
            "hämta outlook|outlook för|sendt fra|sendt via|hent outlook|få outlook|outlook til|lähetetty|hanki outlook|отправлено с|отправлено из|послано с|"
            "написано с|надіслано з|надіслано із|відправлено з|στάλθηκε από|发自|從我的|寄自|나의|내|נשלח|مرسل من|تم الإرسال من|أرسلت من|أُرسلت من"
        ),
        key=len,
        reverse=True,
    )
)
SENT_VERBS = words("gesendet|geschickt|versendet|versandt|verschickt|verfasst|gesandt|geschrieben")
MOBILE = words(
    "via mobile|via iphone|via ipad|via blackberry|from mobile|mobil gesendet|von unterwegs gesendet|sent from mobile|sent on the go|per handy gesendet"
)
SMALL = words(
    "my|the|a|an|for|on|from|with|via|by|using|wireless|4g|5g|lte|3g|mobile|device|handheld|network|mail|email|e-mail|app|powered|secure|smart|new|i",
    "meinem|meiner|mein|mit|der|dem|einem|einer|mobilen|gerät|für|wurde|und|ios",
    "mon|ma|un|une|appareil|de|du|depuis|pour|portable|partir|d'un",
    "mi|mis|una|para|dispositivo|il|mio|mia|dal|per|o|meu|minha|do|da|um|uma|partir|con|com|aparelho|terminal|posta",
    "mijn|mobiele|telefoon|voor|toestel|met|mojego|moje|mého|mojho|z|ze|zo|min|mitt|från|fra|til|för|dla|pro|pe|ul|meu",
    "мого|моего|с|из|для|приложения|почты|mobilní|zařízení|urządzenia|mobilního|από|το|τη|μου|la|en",
)
NO_DEVICE = words("account|bank|office|home|desk|address|company|website|house|garden|konto|department|hotel")

CLOSINGS = words(
    "regards|best regards|kind regards|kindest regards|warm regards|warmest regards|many regards|with regards|best wishes|kind wishes|with best wishes|with best regards|with kind regards|"
    "with warm regards|sincerely|sincerely yours|yours sincerely|yours truly|yours faithfully|yours|respectfully|cheers|best|all the best|br|rgds|kr|very best",
    "mit freundlichen grüßen|mit freundlichem gruß|mit freundlichen grüssen|mit freundlichen gruessen|mit freundlichem gruss|mit besten grüßen|mit besten grüssen|mit herzlichen grüßen|"
    "mit vielen grüßen|mit lieben grüßen|freundliche grüße|freundliche grüsse|beste grüße|beste grüsse|viele grüße|viele grüsse|liebe grüße|herzliche grüße|schöne grüße|gruß|grüße|mfg|lg|vg|bg|"
    "hochachtungsvoll|mit freundlicher empfehlung|mit besten empfehlungen",
    "cordialement|bien cordialement|très cordialement|cdt|cdlt|salutations|meilleures salutations|sincères salutations|salutations distinguées|bien à vous|sincèrement|respectueusement|amicalement",
    "saludos|un saludo|saludos cordiales|un cordial saludo|atentamente|cordialmente|reciba un cordial saludo|atte|muchos saludos",
    "cordiali saluti|distinti saluti|saluti|un saluto|un cordiale saluto|cari saluti",
    "atenciosamente|att|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|abraços|saudações",
    "met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|met hartelijke groet|groet|groeten|groetjes|mvg|hoogachtend",
    "z poważaniem|z powazaniem|pozdrawiam|pozdrawiam serdecznie|serdecznie pozdrawiam|z wyrazami szacunku|pozdrowienia",
    "s pozdravem|s přátelským pozdravem|s úctou|s pozdravom|zdravím|üdvözlettel|tisztelettel|üdv|baráti üdvözlettel|cu stimă|cu stima|cu respect|toate cele bune",
    "med vänliga hälsningar|med vänlig hälsning|vänliga hälsningar|vänlig hälsning|vänligen|mvh|hälsningar|med venlig hilsen|venlig hilsen|venlige hilsner|hilsen|de bedste hilsner|kh|"
    "med vennlig hilsen|vennlig hilsen|beste hilsen|ystävällisin terveisin|terveisin|yt|terv",
    "с уважением|всего доброго|с наилучшими пожеланиями|з повагою|з найкращими побажаннями|saygılarımla|saygılar|iyi çalışmalar|sevgiler|με εκτίμηση|με φιλικούς χαιρετισμούς",
    "敬具|草々|此致|敬礼|此致敬礼|顺颂商祺|祝好|敬上|드림|בברכה|בכבוד רב|مع أطيب التحيات|مع خالص التحية|تحياتي|مع التحية",
)
THANKS = words(
    "thanks|thank you|many thanks|thx|thanks in advance|thank you very much|danke|vielen dank|besten dank|danke schön|merci|merci beaucoup|merci d'avance|gracias|muchas gracias|grazie|"
    "obrigado|obrigada|dank|bedankt|dank u wel|alvast bedankt|dziękuję|děkuji|ďakujem|köszönöm|mulțumesc|tack|tak|takk|kiitos|спасибо|дякую|teşekkürler|ευχαριστώ"
)
GREETINGS = words(
    "hello|hi|hey|dear|greetings|hallo|guten|moin|servus|liebe|lieber|bonjour|salut|bonsoir|hola|buenos|buenas|ciao|buongiorno|salve|buonasera|olá|ola|oi|bom|boa|beste|dag|"
    "goedemorgen|goedemiddag|cześć|czesc|dzień|witam|ahoj|dobrý|zdravím|szia|bună|hej|hejsan|hei|moi|terve|здравствуйте|привет|добрый|привіт|merhaba|selam|γεια|こんにちは|你好|您好|안녕하세요|"
    "שלום|مرحبا"
)
CONTACT_LABELS = words(
    "tel|tel no|telephone|phone|ph|fon|telefon|fax|telefax|mobile|mob|mobil|mobiltelefon|handy|cell|t|m|f|p|d|c|w|e|o|a|office|direct|direct line|durchwahl|tél|téléphone|portable|fixe|télécopie|teléfono|móvil|"
    "telefono|cellulare|cell|telefone|celular|telemóvel|telefoon|gsm|mobiel|tlf|mob tlf|puh|puhelin|gsm|тел|телефон|моб|факс|τηλ|τηλέφωνο|電話|携帯|电话|電話番号|手机|传真|전화|휴대폰|팩스|טלפון|נייד|هاتف|جوال|"
    "mail|e-mail|email|courriel|correo|e-post|epost|sähköposti|web|website|internet|www|homepage|url|skype|linkedin|twitter|x|xing|facebook|instagram|whatsapp|"
    "address|adresse|anschrift|vat|vat id|ust-id|ust-idnr|ust-id-nr|hrb|siret|cif|p iva|kvk|nip|ico|ičo|dič|bank|iban|bic|registergericht|amtsgericht|sitz|geschäftsführer|geschäftsführung|"
    "managing director|registered office|company number|handelsregister"
)
SPEECH = words(
    "i|i'm|i've|i'd|i'll|we|we're|we've|you|you're|he|she|they|please|is|isn't|are|was|were|have|has|had|can|can't|could|would|will|should|do|does|doesn't|don't|did|not|my|your|it|it's|this|that|these|"
    "if|when|there|here|what|why|how|because|but|thanks|thank|sorry|also|still|again|works|see|let|send|call|need|want|yes|one|more|thing|order|invoice|number|serial|ticket|error|version",
    "ich|wir|bitte|ist|sind|war|haben|habe|hat|kann|können|könnten|wird|werden|nicht|mein|meine|das|dass|wenn|warum|wie|noch|auch|aber|danke|hier|siehe|rufen|es|sie|bestellung|rechnung|kundennummer|seriennummer|fehler",
    "je|nous|vous|est|sont|était|avons|avez|pouvez|s'il|merci|pas|mais|encore|voici|ici|commande|facture|yo|nosotros|está|están|tengo|tenemos|puede|pueden|favor|pero|aquí|gracias|no|pedido|factura",
    "io|noi|è|sono|ho|abbiamo|può|potete|non|ma|ancora|ecco|qui|grazie|ordine|fattura|eu|nós|é|são|tenho|temos|pode|podem|não|mas|ainda|obrigado|obrigada|ik|wij|zijn|heb|hebben|kunt|kan|niet|maar|nog|bestelling|factuur",
    "proszę|jest|są|mam|mamy|nie|ale|jeszcze|zamówienie|faktura|prosím|jsem|jsme|není|ale|objednávka|jag|är|har|inte|men|snälla|jeg|ikke|vennligst|venligst|minä|olen|on|ei|mutta|я|мы|вы|не|это|пожалуйста|заказ|но|ben|değil|lütfen|ama",
)
