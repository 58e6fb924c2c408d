"""What people say when they only say thank you, phrase by phrase, in the languages of most of the mail.

Phrases stand between bars. What leaves something open ("problem", "still") stands in none of them, and neither does yes:
it answers a question that we do not know. Danish tak alone is Polish for yes.
"""

# ruff: noqa: RUF001 - other languages have letters that look like ours

THANKS = """
thanks|thank you|thankyou|thank u|thx|thnx|tks|tnx|ty|many thanks|thanks a lot|thanks so much|thank you so much
|thank you very much|thanks very much|much appreciated|appreciate it|i appreciate it|we appreciate it|really appreciate it
|i really appreciate it|i really appreciate your help|i appreciate your help|we appreciate your help|greatly appreciated
|much obliged|thanks a million|thanks a bunch|thanks a ton|kudos
|danke|dankeschön|danke schön|danke sehr|danke dir|danke ihnen|danke euch|vielen dank|herzlichen dank|besten dank
|tausend dank|ich danke|ich danke ihnen|ich danke dir|wir danken|wir danken ihnen|vielen lieben dank|lieben dank
|merci|merci beaucoup|mille mercis|grand merci|un grand merci|je vous remercie|nous vous remercions|merci bien
|je te remercie|avec mes remerciements|merci infiniment
|gracias|muchas gracias|mil gracias|muchísimas gracias|le agradezco|te lo agradezco|se lo agradezco|muy agradecido
|muy agradecida|agradecido|agradecida
|grazie|grazie mille|mille grazie|tante grazie|molte grazie|la ringrazio|ti ringrazio|vi ringrazio|vi ringraziamo
|grazie tante|grazie infinite
|obrigado|obrigada|muito obrigado|muito obrigada|agradeço|agradecemos|obg|brigado
|bedankt|dank je|dank u|dank je wel|dank u wel|dankjewel|dankuwel|hartelijk dank|heel erg bedankt|hartelijk bedankt
|veel dank|alvast bedankt
|dziękuję|dzięki|dziękuje|dziekuje|dziekuję|dzieki|dziękujemy|dziękuję bardzo|bardzo dziękuję|wielkie dzięki|serdecznie dziękuję
|děkuji|děkuju|díky|děkujeme|moc děkuji|mockrát děkuji|díky moc|děkuji mnohokrát|diky|dekuji
|tack|tack så mycket|tusen tack|stort tack|tackar|tack ska du ha
|mange tak|tusind tak|takker|tak skal du have|mange mange tak|tak for
|takk|tusen takk|mange takk|takk skal du ha|takk så mye|hjertelig takk
|kiitos|kiitokset|paljon kiitoksia|suuret kiitokset|kiitti|kiitos paljon|kiitän|kiitoksia
|спасибо|спасибо большое|большое спасибо|огромное спасибо|благодарю|благодарим|благодарю вас|спасибо вам|спасибо огромное
|teşekkürler|teşekkür ederim|teşekkür ederiz|çok teşekkürler|çok teşekkür ederim|sağolun|sağ olun|çok sağ olun
|ありがとうございます|ありがとうございました|ありがとう|有難うございます|有り難うございます|有難うございました|感謝します
|感謝いたします|感謝致します|感謝申し上げます|御礼申し上げます|お礼申し上げます|助かりました|大変助かりました
|谢谢|谢谢你|谢谢您|谢谢你们|多谢|非常感谢|感谢|十分感谢|万分感谢|謝謝|多謝|非常感謝|感謝|谢谢大家|太感谢了
"""

FILLERS = """
a lot|so much|very much|for your help|for the help|for all your help|for helping|for your support|for the support|for your quick help
|for the quick help|for your quick response|for the quick response|for your quick reply|for the quick reply|for the fast response
|for the fast reply|for your prompt response|for your prompt reply|for the prompt response|for your response|for your reply
|for the reply|for the answer|for your answer|for the update|for the info|for the information|for letting me know
|for letting us know|for your time|for your assistance|for the assistance|for your patience|for fixing it|for fixing this
|for fixing that|for the fix|for the great support|for the great service|for the great help|for everything|for your efforts
|for the quick fix|for the quick solution|for the solution|for solving it|for resolving this|for sorting this out|for that|for this
|for your quick support|for the clarification|for the explanation|for confirming|for getting back to me
|it works|it works now|works|works now|works great|works fine|works perfectly|works like a charm|it works fine|it works great
|it works fine now|it works perfectly now|it is working|it is working now|it's working|it's working now|now it works|that works|working now
|this works|that worked|it worked|that did it|that did the trick|that helped|this helped|that solved it|that fixed it|it's fixed
|it is fixed|all fixed|all is well|all is well now|all good|all good now|all set|problem solved|problem is solved|issue resolved|issue solved
|issue is resolved|the problem is solved|the issue is resolved|everything works|everything works now|everything is fine now
|everything is fine|solved|resolved|fixed|perfect|great|excellent|awesome|wonderful|brilliant|fantastic|super|cool|amazing|lovely
|good|nice|fine|ok|okay|got it|noted|understood|received|you are great|you're great|you are the best|you're the best|you rock
|great job|good job|great help|great support|great service|great work|well done|very helpful|very kind|that's great|that is great
|have a nice day|have a great day|have a good day|have a good one|have a nice weekend|have a great weekend|have a good weekend
|have a nice evening|and|all|everyone|from all of us|from all of us here|guys|team|everybody|sir|madam
|für ihre hilfe|für deine hilfe|für die hilfe|für eure hilfe|für die schnelle hilfe|für ihre schnelle hilfe|für deine schnelle hilfe
|für die unterstützung|für ihre unterstützung|für die schnelle unterstützung|für die schnelle antwort|für ihre schnelle antwort
|für die antwort|für ihre antwort|für die rückmeldung|für die schnelle rückmeldung|für ihre rückmeldung|für die info
|für die information|für die schnelle lösung|für die schnelle erledigung|für ihre mühe|für die mühe|für den schnellen support
|für alles|dafür|für die schnelle bearbeitung|für ihre bemühungen|für die erklärung
|es funktioniert|es funktioniert jetzt|jetzt funktioniert es|funktioniert|funktioniert jetzt|funktioniert wieder|es funktioniert wieder
|jetzt geht es|jetzt geht's|es geht wieder|geht wieder|es klappt|hat geklappt|das hat geklappt|jetzt klappt es|klappt|klappt jetzt
|läuft|läuft wieder|das hat geholfen|problem gelöst|das problem ist gelöst|alles gut|alles bestens|alles klar|alles in ordnung
|prima|perfekt|toll|klasse|wunderbar|sehr gut|gut|bestens|hervorragend|spitze|genial|passt|erledigt|in ordnung|und|sehr|ihnen|dir|euch
|schönen tag|einen schönen tag|schönes wochenende|ein schönes wochenende|schönen feierabend|schönen tag noch|vielmals|an alle|ganz herzlich
|pour votre aide|pour ton aide|pour l'aide|pour votre réponse|pour la réponse|pour votre réponse rapide|pour votre réactivité
|pour votre retour|pour votre soutien|pour l'information|pour tout|pour votre rapidité|beaucoup|ça marche|cela fonctionne|ça fonctionne
|tout fonctionne|tout est bon|c'est bon|c'est parfait|parfait|super|génial|très bien|bonne journée|bonne soirée|bon week-end|et|à vous
|excellente journée|à tous
|por su ayuda|por tu ayuda|por la ayuda|por su respuesta|por la respuesta|por su pronta respuesta|por la rápida respuesta|por todo
|por su apoyo|por la información|ya funciona|funciona|funciona bien|ahora funciona|funciona perfectamente|todo bien|todo perfecto|todo correcto
|perfecto|excelente|genial|estupendo|muy amable|muy amables|buen día|buen fin de semana|que tenga un buen día|y|muy bien|a todos
|per l'aiuto|per il vostro aiuto|per il tuo aiuto|per il suo aiuto|per la risposta|per la rapida risposta|per il supporto
|per l'assistenza|per tutto|per la disponibilità|ora funziona|adesso funziona|funziona|funziona tutto|tutto ok|tutto bene|tutto a posto
|perfetto|ottimo|benissimo|va bene|gentilissimo|gentilissima|gentilissimi|molto gentile|buona giornata|buona serata|buon weekend|e|a tutti
|pela ajuda|pela sua ajuda|pela resposta|pela rápida resposta|pelo apoio|pelo suporte|por tudo|pela atenção|agora funciona|já funciona
|está funcionando|está a funcionar|tudo certo|tudo bem|tudo ok|perfeito|ótimo|excelente|bom dia|bom fim de semana|tenha um bom dia|a todos
|voor uw hulp|voor je hulp|voor de hulp|voor jullie hulp|voor de snelle hulp|voor de snelle reactie|voor uw snelle reactie
|voor je snelle reactie|voor de reactie|voor het antwoord|voor de moeite|voor alles|voor de snelle service|het werkt|het werkt nu|werkt nu
|werkt|werkt prima|het is opgelost|opgelost|alles werkt|alles goed|perfect|top|prima|mooi|geweldig|fijn|fijne dag|prettige dag
|fijn weekend|prettig weekend|en|allemaal
|za pomoc|za szybką pomoc|za odpowiedź|za szybką odpowiedź|za wsparcie|za wszystko|za informację|działa|już działa|teraz działa|wszystko działa
|wszystko ok|super|świetnie|doskonale|rewelacja|w porządku|miłego dnia|miłego weekendu|bardzo|i|państwu|panu|pani
|za pomoc|za rychlou pomoc|za odpověď|za rychlou odpověď|za podporu|za info|za vše|funguje|už funguje|funguje to|už to funguje|vše funguje
|vše v pořádku|výborně|skvělé|super|perfektní|hezký den|pěkný den|hezký víkend|moc|mnohokrát|a
|för hjälpen|för din hjälp|för er hjälp|för svaret|för snabbt svar|för det snabba svaret|för snabb hjälp|för den snabba hjälpen|för allt
|det fungerar|det fungerar nu|nu fungerar det|fungerar|det funkar|funkar|det funkar nu|nu funkar det|perfekt|toppen|bra|jättebra|utmärkt
|allt bra|ha en bra dag|trevlig helg|så mycket|och|alla
|hjælpen|for hjælpen|hjælp|din hjælp|din hurtige hjælp|det hurtige svar|svaret|alt|for din hjælp|for jeres hjælp|for hurtigt svar|for det hurtige svar|for svaret|for hurtig hjælp|for den hurtige hjælp|for alt
|det virker|det virker nu|nu virker det|virker|fungerer|det fungerer nu|perfekt|super|fint|godt|dejligt|god dag|god weekend|ha en god dag|og
|for hjelpen|for din hjelp|for deres hjelp|for raskt svar|for rask hjelp|for svaret|for den raske hjelpen|for alt|det virker nå|nå virker det
|det fungerer|det fungerer nå|nå fungerer det|flott|bra|kjempebra|topp|god helg|ha en fin dag
|avusta|avustanne|avustasi|nopeasta avusta|vastauksesta|nopeasta vastauksesta|tuesta|kaikesta|toimii|nyt toimii|se toimii|kaikki toimii
|kaikki kunnossa|hienoa|mahtavaa|erinomaista|loistavaa|hyvä|selvä|hyvää päivänjatkoa|hyvää viikonloppua|mukavaa päivää|paljon
|за помощь|за вашу помощь|за быструю помощь|за ответ|за быстрый ответ|за оперативность|за поддержку|за всё|за все|за оперативный ответ|за информацию
|работает|всё работает|все работает|теперь работает|заработало|всё заработало|все заработало|отлично|прекрасно|супер|хорошо|понятно
|всё хорошо|все хорошо|всё в порядке|все в порядке|хорошего дня|хороших выходных|большое|очень|вам|и|всем
|yardımınız için|yardımların için|yardım için|hızlı yanıt için|hızlı yanıtınız için|hızlı dönüşünüz için|cevabınız için|desteğiniz için
|her şey için|ilginiz için|çalışıyor|şimdi çalışıyor|düzeldi|sorun çözüldü|çözüldü|harika|mükemmel|süper|tamam|tamamdır|çok iyi|iyi günler
|iyi çalışmalar|iyi hafta sonları|çok|ve
|ご対応|ご対応いただき|ご対応頂き|迅速な|迅速なご対応|早速の|早速のご対応|ご連絡|ご連絡いただき|ご返信|ご返信いただき|ご回答|ご回答いただき|ご協力
|ご丁寧に|どうも|本当に|誠に|大変|解決しました|無事解決しました|解決いたしました|動きました|動作しました|直りました|確認しました
|確認できました|了解しました|了解です|承知しました|承知いたしました|おかげさまで|お陰様で|おかげで|よろしくお願いします|よろしくお願いいたします
|よろしくお願い致します|今後ともよろしくお願いいたします|の|を|に|で|は
|您的帮助|你的帮助|你们的帮助|的帮助|帮助|您的支持|你们的支持|支持|您的回复|的回复|快速回复|及时回复|您|你|你们|现在可以了|可以了|已经可以了|已解决|已经解决
|已经解决了|解决了|问题已解决|问题解决了|好的|好了|很好|太好了|收到|明白|辛苦了|您辛苦了|非常|真的|祝好|祝工作顺利|大家|了
|您的幫助|你的幫助|幫助|收到了|可以了|已經解決|解決了|太好了|您的支援
"""

GREETINGS = """
hi|hello|hey|dear|good morning|good afternoon|good evening|greetings|hi there|hello there|hey there|dear all|hi all|hi team|hello team
|dear team|dear support|dear support team|hi support|hello support|hi everyone|morning
|hallo|guten tag|guten morgen|guten abend|moin|servus|grüezi|liebe|lieber|liebes|sehr geehrte|sehr geehrter|sehr geehrte damen und herren
|sehr geehrtes team|liebes team|hallo zusammen|hallo team|lieber herr|liebe frau|hallo herr|hallo frau|sehr geehrter herr|sehr geehrte frau
|bonjour|bonsoir|salut|cher|chère|chers|bonjour madame|bonjour monsieur|bonjour à tous|madame|monsieur
|hola|buenos días|buenas tardes|buenas noches|buenas|estimado|estimada|estimados|querido|querida
|ciao|buongiorno|buonasera|salve|gentile|gentili|caro|cara|buon giorno
|olá|oi|bom dia|boa tarde|boa noite|prezado|prezada|prezados|caro|cara
|beste|geachte|goedemorgen|goedemiddag|goedenavond|goedendag|dag|hoi
|dzień dobry|witam|cześć|szanowni państwo|szanowny panie|szanowna pani|dobry wieczór|hej
|dobrý den|ahoj|dobré ráno|vážený pane|vážená paní|zdravím
|hej|hejsan|god morgon|god dag|hej alla|kära|tjena
|hej|kære|goddag|god morgen|godmorgen|hei|kjære|heisann|hyvä|hei kaikki|moi|terve|päivää|hyvää päivää|hyvää huomenta
|здравствуйте|добрый день|доброе утро|добрый вечер|привет|уважаемый|уважаемая|уважаемые|уважаемые коллеги|коллеги
|merhaba|merhabalar|selam|sayın|iyi günler|günaydın
|お世話になっております|お世話になります|お世話になりました|いつもお世話になっております|お疲れ様です|こんにちは|ご担当者様|サポートご担当者様
|你好|您好|各位好|大家好|早上好|下午好
"""

CLOSINGS = """
best|best regards|kind regards|regards|warm regards|many regards|with best regards|with kind regards|sincerely|yours sincerely|yours
|all the best|best wishes|cheers|br|kr|rgds|take care|yours truly|thanks and regards|thanks & regards|thanks and best regards|with thanks
|many thanks and best regards|thank you and best regards
|viele grüße|viele grüsse|viele gruesse|liebe grüße|liebe grüsse|liebe gruesse|beste grüße|beste grüsse|beste gruesse|mit freundlichen grüßen
|mit freundlichen grüssen|mit freundlichen gruessen|mit freundlichem gruß|freundliche grüße|freundliche grüsse|schöne grüße|schöne grüsse
|gruß|gruss|grüße|grüsse|mfg|vg|lg|bg|herzliche grüße|herzliche grüsse|mit besten grüßen|viele liebe grüße|freundlichen grüßen
|cordialement|bien cordialement|bien à vous|cdlt|cdt|salutations|meilleures salutations|sincères salutations|amicalement|à bientôt
|bien à toi|belle journée|très cordialement
|saludos|un saludo|saludos cordiales|atentamente|cordialmente|un cordial saludo|atte|abrazos|un abrazo
|cordiali saluti|saluti|distinti saluti|cordialità|un saluto|un caro saluto|a presto|buon lavoro
|atenciosamente|cumprimentos|com os melhores cumprimentos|att|abraços|abraço|um abraço|melhores cumprimentos
|met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|groet|groeten|groetjes|mvg|hartelijke groet
|pozdrawiam|z poważaniem|pozdrowienia|serdecznie pozdrawiam|pozdrawiam serdecznie
|s pozdravem|zdravím|hezký den|pěkný den|s přáním hezkého dne|s přátelským pozdravem
|med vänlig hälsning|med vänliga hälsningar|vänliga hälsningar|vänlig hälsning|hälsningar|mvh|vh|bästa hälsningar
|med venlig hilsen|venlig hilsen|mange hilsner|hilsen|de bedste hilsner|bedste hilsner|med vennlig hilsen|vennlig hilsen|hilsen
|ystävällisin terveisin|terveisin|t|yst terv|parhain terveisin|terv
|с уважением|с наилучшими пожеланиями|всего доброго|всего хорошего|с наилучшими
|saygılarımla|saygılar|sevgiler|iyi çalışmalar|kolay gelsin
|敬具|以上|此致|敬礼|祝好
"""

SENT_FROM = """
sent from|get outlook for|von meinem|gesendet von|envoyé de|envoyé depuis|enviado desde|enviado do|inviato da|verzonden vanaf
|verstuurd vanaf|wysłane z|wysłano z|odesláno z|skickat från|sendt fra|lähetetty|отправлено|iphone'dan|iphoneから送信|发自我的|sent via
"""

BETWEEN = frozenset(
    "of and und et y e i der die das de la le da do du di del van von den the for at in og och ja".split()  # noqa: SIM905 - reads better as words
)
"""Words in lower case that stand inside of names and titles."""

AGAIN = """
thanks again|many thanks again|thank you again|thanks so much again|thank you so much again|thank you very much again
|thanks a lot again|again thanks|again thank you|once again thanks|once again thank you|thx again
|danke nochmal|danke nochmals|danke noch mal|danke noch einmal|nochmal danke|nochmals danke|nochmal vielen dank|nochmals vielen dank
|vielen dank nochmal|vielen dank nochmals|noch einmal vielen dank|vielen dank noch einmal|nochmals herzlichen dank|nochmals besten dank
|merci encore|encore merci|merci encore une fois|encore une fois merci|encore un grand merci|merci beaucoup encore
|gracias de nuevo|de nuevo gracias|muchas gracias de nuevo|gracias otra vez|otra vez gracias|muchas gracias otra vez
|grazie ancora|ancora grazie|grazie di nuovo|di nuovo grazie|grazie mille ancora|ancora grazie mille
|obrigado novamente|obrigada novamente|obrigado mais uma vez|obrigada mais uma vez|mais uma vez obrigado|mais uma vez obrigada
|nogmaals bedankt|bedankt nogmaals|nogmaals dank|nogmaals hartelijk dank
|jeszcze raz dziękuję|dziękuję jeszcze raz|jeszcze raz dzięki|jeszcze raz bardzo dziękuję
|ještě jednou děkuji|děkuji ještě jednou|ještě jednou díky|ještě jednou moc děkuji
|tack igen|tack än en gång|än en gång tack|tak igen|mange tak igen|tusind tak igen|endnu en gang tak
|takk igjen|tusen takk igjen|nok en gang takk|kiitos vielä kerran|vielä kerran kiitos
|спасибо ещё раз|спасибо еще раз|ещё раз спасибо|еще раз спасибо|ещё раз большое спасибо|еще раз большое спасибо
|tekrar teşekkürler|tekrar teşekkür ederim|tekrar çok teşekkürler
|改めてありがとうございます|改めてお礼申し上げます|重ねてお礼申し上げます|再次感谢|再次谢谢|再次感謝|再次謝謝
"""
"""Thanks that hold a word of NEVER: only there does it leave nothing open."""

DONE = """
you can close the ticket|you can close this ticket|you may close the ticket|you may close this ticket|the ticket can be closed
|this ticket can be closed|no further questions|no more questions|no other questions|i have no further questions
|we have no further questions|nothing else
|sie können das ticket schließen|sie können das ticket schliessen|du kannst das ticket schließen|ihr könnt das ticket schließen
|das ticket kann geschlossen werden|keine weiteren fragen|keine fragen mehr|ich habe keine weiteren fragen|wir haben keine weiteren fragen
|vous pouvez fermer le ticket|vous pouvez clôturer le ticket|tu peux fermer le ticket|le ticket peut être fermé|pas d'autres questions
|puede cerrar el ticket|pueden cerrar el ticket|puedes cerrar el ticket|no tengo más preguntas|sin más preguntas
|può chiudere il ticket|potete chiudere il ticket|puoi chiudere il ticket|non ho altre domande
|pode fechar o ticket|podem fechar o ticket|pode encerrar o chamado|não tenho mais perguntas|não tenho mais dúvidas
|u kunt het ticket sluiten|je kunt het ticket sluiten|het ticket kan gesloten worden|geen verdere vragen|geen vragen meer
|można zamknąć zgłoszenie|możecie zamknąć zgłoszenie|nie mam więcej pytań|můžete tiket uzavřít|tiket můžete uzavřít|další dotazy nemám
|ni kan stänga ärendet|du kan stänga ärendet|inga fler frågor|jag har inga fler frågor
|i kan lukke sagen|du kan lukke sagen|ingen flere spørgsmål|dere kan lukke saken|du kan lukke saken|ingen flere spørsmål
|tiketin voi sulkea|voit sulkea tiketin|ei muuta kysyttävää
|можно закрыть заявку|можете закрыть заявку|больше вопросов нет|вопросов больше нет|talebi kapatabilirsiniz|başka sorum yok
|没有其他问题|没有其他问题了|可以关闭工单|可以关闭工单了|工单可以关闭了
"""
"""What says that nothing is left open, though some of it holds a word of NEVER. It thanks for nothing by itself."""

APPROVES = "\U0001f44d\U0001f44c\U0001f64f\U0001f44f\u2764\U0001f4af\U0001f389"
"""Signs that say thanks where nothing else is said."""

NEVER = """
but|however|although|though|still|again|not|no|none|never|cannot|cant|dont|unfortunately|except|yet|please|pls|however|why|how|when|what
|error|fails|failed|failing|broken|wrong|another|also|nope|unless|without|ps|hardly|barely|almost
|aber|nicht|kein|keine|keinen|leider|noch|jedoch|trotzdem|allerdings|obwohl|nie|bitte|nochmal|nochmals|nein|fehler|doch|nur|auch|warum|wann|wie
|mais|pas|encore|toujours|cependant|malheureusement|jamais|aucun|aucune|non|pourtant|sauf|rien|pourquoi|aussi
|pero|todavía|aún|tampoco|nunca|sin|aunque|ningún|error|también|otra|otro
|ma|però|ancora|purtroppo|tuttavia|mai|nessun|senza|errore|anche|invece
|mas|não|ainda|porém|contudo|infelizmente|nem|nenhum|erro|também|sem
|maar|niet|geen|nog|helaas|echter|toch|weer|nooit|nee|fout|ook
|ale|nie|jednak|jeszcze|niestety|wciąż|nadal|bez|błąd|też|proszę
|však|bohužel|ještě|stále|ne|není|nejde|nefunguje|chyba|také|prosím
|men|inte|ej|ännu|fortfarande|tyvärr|ingen|aldrig|dock|fel|också|nej
|ikke|stadig|endnu|desværre|igen|fejl|også|ikkje|fortsatt|enda|dessverre|igjen|feil|nei
|mutta|ei|vielä|edelleen|valitettavasti|kuitenkin|taas|virhe|myös|en|eikä
|но|не|нет|однако|ещё|еще|снова|опять|пока|сожалению|ошибка|без|также|никак|пожалуйста
|ama|fakat|ancak|değil|hala|hâlâ|henüz|yine|maalesef|yok|hata|hayır|tekrar|lütfen
|ません|ない|しかし|ですが|でも|まだ|また|けど|ただ|ただし|残念|ください|下さい|エラー
|不|没|沒|但|可是|然而|仍|还是|還是|又|未|无法|無法|请|請|错误|再
"""
