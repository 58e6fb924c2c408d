"""Public mail providers: a shared domain there says nothing of who belongs together."""

PUBLIC = frozenset(
    """
    126.com 163.com 21cn.com abv.bg alice.it aliceadsl.fr aol.com arcor.de att.net bell.net bellsouth.net bigpond.com
    bk.ru blueyonder.co.uk bluewin.ch bol.com.br btinternet.com centrum.cz charter.net comcast.net cox.net daum.net
    duck.com earthlink.net eircom.net email.cz email.de fastmail.com fastmail.fm foxmail.com free.fr freemail.hu
    freenet.de frontier.com gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hanmail.net hey.com
    hotmail.be hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it hushmail.com icloud.com
    ig.com.br inbox.lv inbox.ru interia.pl iinet.net.au juno.com kpnmail.nl laposte.net libero.it list.ru live.ca
    live.co.uk live.com live.de live.fr live.nl lycos.com mac.com mail.com mail.de mail.ru mailbox.org me.com
    msn.com nate.com naver.com neuf.fr ntlworld.com o2.pl online.de online.no onet.pl optonline.net optusnet.com.au
    orange.fr outlook.at outlook.com outlook.de outlook.es outlook.fr outlook.it pm.me planet.nl poczta.onet.pl
    posteo.de proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com rogers.com
    sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sky.com skynet.be sympatico.ca t-online.de talktalk.net
    telenet.be telia.com telus.net terra.com.br tiscali.co.uk tiscali.it tuta.com tuta.io tutanota.com ukr.net
    uol.com.br verizon.net videotron.ca virgilio.it virginmedia.com vodafone.de wanadoo.fr web.de windstream.net
    wp.pl xs4all.nl yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br
    yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ymail.com zoho.com ziggo.nl
    """.split()  # noqa: SIM905 - a list of this length reads better as words
)
