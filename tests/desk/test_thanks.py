from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.desk.thanks import MOST_LETTERS, MOST_PICTURE, only_thanks, says_thanks
from maild.mail import Address, Attachment

NAMES = ("Ann Agent", "Bob", "carol", "\u7530\u4e2d", "Eva")

ONLY = [
    "Thanks!",
    "thx",
    "Thank you so much.",
    "Thanks Ann",
    "Thanks, Bob!",
    "Many thanks for your quick help!",
    "Thank you, it works now.",
    "Perfect, thanks a lot :-)",
    "Great, that did the trick. Thank you!",
    "\N{THUMBS UP SIGN} thanks",
    "Hi Ann,\n\nthank you very much, problem solved!\n\nBest regards\nCarol Jones\nHead of Sales\nAcme Ltd\n+49 89 123 45\nwww.acme.example",
    "Hello Mrs. O\u2019Hara,\nthanks for everything.\nCheers,\nCarol",
    "Dear support team,\n\nmuch appreciated.\n\nKind regards,\nDr. Carol van den Berg",
    "Thanks\n\nSent from my iPhone",
    "Thanks & regards\nCarol",
    "Thanks for the update!\n\nCheers\nSarah\n\n\u2014\u2014\u2014\u2014\nSarah Johnson\nProduct Manager\nsarah@example.com",
    "Thanks!\nHave a nice weekend.",
    "Danke!",
    "Vielen Dank f\u00fcr die schnelle Hilfe.",
    "Hallo Herr M\u00fcller,\n\nherzlichen Dank, jetzt funktioniert es.\n\nMit freundlichen Gr\u00fc\u00dfen\nCarola Maier",
    "Super, danke dir!",
    "Besten Dank und viele Gr\u00fc\u00dfe\nCarol",
    "Danke \N{SMILING FACE WITH SMILING EYES}\nLG Carol",
    "Merci beaucoup !",
    "Bonjour,\n\nMerci pour votre aide, tout fonctionne.\n\nCordialement,\nJeanne Dupont",
    "Je vous remercie. Bonne journ\u00e9e",
    "\u00a1Muchas gracias!",
    "Hola Ann, gracias por su ayuda. Ya funciona.\nSaludos\nJuan",
    "Grazie mille, ora funziona!",
    "Buongiorno,\ngrazie per la disponibilit\u00e0.\nCordiali saluti\nMario Rossi",
    "Muito obrigado pela ajuda!",
    "Obrigada, tudo certo. Abra\u00e7os",
    "Bedankt voor de snelle reactie!",
    "Dank je wel, het werkt nu.\nMet vriendelijke groet,\nJan de Vries",
    "Dzi\u0119kuj\u0119 za pomoc!",
    "Dzie\u0144 dobry,\nbardzo dzi\u0119kuj\u0119, wszystko dzia\u0142a.\nPozdrawiam\nJan Kowalski",
    "D\u011bkuji, u\u017e to funguje.",
    "Dobr\u00fd den,\nd\u00edky moc.\nS pozdravem\nJan Nov\u00e1k",
    "Tack s\u00e5 mycket f\u00f6r hj\u00e4lpen!",
    "Hej,\ntack, nu fungerar det.\nMvh\nEva",
    "Mange tak for din hj\u00e6lp",
    "Tak for hj\u00e6lpen!\nVenlig hilsen\nSofie",
    "Tusen takk, det virker n\u00e5!",
    "Kiitos avusta!",
    "Hei,\npaljon kiitoksia, nyt toimii.\nTerveisin\nMatti",
    "\u0421\u043f\u0430\u0441\u0438\u0431\u043e \u0431\u043e\u043b\u044c\u0448\u043e\u0435 \u0437\u0430 \u043f\u043e\u043c\u043e\u0449\u044c!",
    "\u0414\u043e\u0431\u0440\u044b\u0439 \u0434\u0435\u043d\u044c!\n\u0421\u043f\u0430\u0441\u0438\u0431\u043e, \u0432\u0441\u0451 \u0440\u0430\u0431\u043e\u0442\u0430\u0435\u0442.\n\u0421 \u0443\u0432\u0430\u0436\u0435\u043d\u0438\u0435\u043c,\n\u0418\u0432\u0430\u043d",
    "\u00c7ok te\u015fekk\u00fcrler, \u015fimdi \u00e7al\u0131\u015f\u0131yor.",
    "Yard\u0131m\u0131n\u0131z i\u00e7in te\u015fekk\u00fcr ederim.",
    "\u3042\u308a\u304c\u3068\u3046\u3054\u3056\u3044\u307e\u3057\u305f\u3002",
    "\u304a\u4e16\u8a71\u306b\u306a\u3063\u3066\u304a\u308a\u307e\u3059\u3002\n\u8fc5\u901f\u306a\u3054\u5bfe\u5fdc\u3042\u308a\u304c\u3068\u3046\u3054\u3056\u3044\u307e\u3057\u305f\u3002\n\u7530\u4e2d",
    "\u8c22\u8c22\uff01",
    "\u60a8\u597d\uff0c\u975e\u5e38\u611f\u8c22\u60a8\u7684\u5e2e\u52a9\u3002",
]

MORE = [
    "",
    "OK",
    "Great!",
    "Hi Ann",
    "Best regards\nCarol",
    "Thanks?",
    "Thanks, but it is still broken.",
    "Thanks, however the export is empty.",
    "Thank you, works again. Not the second page.",
    "Thanks for nothing",
    "Thanks, it doesn't work",
    "Thanks. It doesn\u2019t work.",
    "Thanks, the problem is back",
    "Thanks for your help. I have a problem.",
    "Thanks. Please close it.",
    "Yes, thanks",
    "Thanks, see 17",
    "Thanks\nAnn, export is broken",
    "Thanks for your help.\nBest regards\nCarol\nPS: please call me",
    "Thanks\nCarol\nthe export stops after one page",
    "Thank you\n" + "Carol Jones\n" * 9,
    "Hi still broken,\nthanks",
    "Hello A B C D E,\nthanks",
    "Can you call me? Thanks!",
    "We cannot log in. Thanks",
    "Thanks in advance",
    "Thanks\nServer Ausfall",
    "Thanks\nCarol\nEXPORT HANGS",
    "THANKS\nSERVER HANGS",
    "Thanks\n\u7cfb\u7edf\u5d29\u6e83",
    "Thanks\nCarol\n\uc2dc\uc2a4\ud15c \ub2e4\uc6b4",
    "Thanks" + "!" * MOST_LETTERS,
    "Danke, aber es geht nicht.",
    "Danke, geht leider immer noch nicht",
    "Danke, noch eine Frage",
    "Ja, danke",
    "Danke f\u00fcr nichts",
    "Vielen Dank, bitte um R\u00fcckruf",
    "Merci mais \u00e7a ne marche pas",
    "Merci, encore une question",
    "Gracias, pero todav\u00eda falla",
    "\u00bfFunciona? Gracias",
    "Grazie, ma non funziona",
    "Obrigado, mas ainda n\u00e3o funciona",
    "Bedankt, maar het werkt niet",
    "Dzi\u0119kuj\u0119, ale nadal nie dzia\u0142a",
    "Tak",
    "D\u011bkuji, ale st\u00e1le nefunguje",
    "Tack, men det fungerar inte",
    "Mange tak, men det virker ikke",
    "Takk, men det fungerer fortsatt ikke",
    "Kiitos, mutta ei toimi",
    "\u0421\u043f\u0430\u0441\u0438\u0431\u043e, \u043d\u043e \u043d\u0435 \u0440\u0430\u0431\u043e\u0442\u0430\u0435\u0442",
    "Te\u015fekk\u00fcrler ama \u00e7al\u0131\u015fm\u0131yor",
    "\u3042\u308a\u304c\u3068\u3046\u3054\u3056\u3044\u307e\u3059\u3002\u3067\u3059\u304c\u307e\u3060\u52d5\u304d\u307e\u305b\u3093\u3002",
    "\u8c22\u8c22\uff0c\u4f46\u662f\u8fd8\u662f\u4e0d\u884c",
    "\u8c22\u8c22\uff1f",
]

HARMLESS = 5
"""So many of these say too little rather than too much."""


@pytest.mark.parametrize("text", ONLY)
def test_only_thanks(text):
    assert says_thanks(text, NAMES)


@pytest.mark.parametrize("text", MORE)
def test_more_than_thanks(text):
    assert not says_thanks(text, NAMES)


@given(st.text(max_size=200))
def test_any_text_gets_a_word(text):
    assert says_thanks(text, ("\u0130", text)) in {True, False}


@given(
    st.sampled_from(ONLY), st.sampled_from(["?", " but", "\nstill the same", "\nIt fails.", " n\u00e3o", "\naber nein"])
)
def test_a_doubt_behind_it_is_more(text, doubt):
    assert not says_thanks(text + doubt, NAMES)


@given(st.sampled_from(ONLY), st.sampled_from(MORE[HARMLESS:]))
def test_what_is_more_stays_more(thanks, more):
    assert not says_thanks(f"{more}\n{thanks}", NAMES)


@pytest.fixture
def file():
    return Attachment("a.png", "image/png", b"x", "0" * 64, inline=True, content_id="a")


@pytest.mark.parametrize(
    ("changes", "thanks"),
    [
        ({}, True),
        ({"subject": "Re: Checkout down"}, True),
        ({"subject": "[CSM #1042] Re: checkout down"}, True),
        ({"subject": ""}, True),
        ({"subject": "Thank you!"}, True),
        ({"subject": "Login broken"}, False),
        ({"from_": (Address("carol jones", "carol@acme.example"),), "new_text": "thanks\ncarol jones"}, True),
        ({"from_": (), "new_text": "thanks\ncarol jones"}, False),
        ({"from_": (Address("", "carol.jones@acme.example"),), "new_text": "thanks\nCarol Jones"}, True),
    ],
)
def test_the_mail_around_it(make_mail, changes, thanks):
    assert only_thanks(make_mail(**{"new_text": "Thanks!", **changes}), "checkout down", NAMES) is thanks


@pytest.mark.parametrize(
    ("changes", "thanks"),
    [
        ({}, True),
        ({"inline": False}, False),
        ({"content_type": "application/pdf"}, False),
        ({"content": b"x" * (MOST_PICTURE + 1)}, False),
    ],
)
def test_what_is_attached(make_mail, file, changes, thanks):
    mail = make_mail(new_text="Thanks!", attachments=(replace(file, **changes),))
    assert only_thanks(mail, "checkout down") is thanks


QUOTE = "<blockquote>Is it on? See <a href='https://www.example.com/manual/pages'>it</a></blockquote>"


@pytest.mark.parametrize(
    ("html", "thanks"),
    [
        ("", True),
        ("<p>Thanks!</p>" + QUOTE, True),
        ("<p>Thanks!</p>" + QUOTE + "<p>Mail App</p>", True),
        ("<p>Nothing works, call me</p>" + QUOTE, False),
        ("<p>Thanks!</p>" + QUOTE * 10_000, False),
    ],
)
def test_what_readers_of_the_html_see(make_mail, html, thanks):
    mail = make_mail(new_text="Thanks!", text="Thanks!\n\n> Is it on? See it", html=html)
    assert only_thanks(mail, "checkout down", NAMES) is thanks
