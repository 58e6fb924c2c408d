"""The end of DATA and its dots (RFC 5321 sections 4.1.1.4 and 4.5.2), decided on chunks of any size. Pure."""

END = b"\r\n.\r\n"


class DotDecoder:
    r"""Takes what follows a 354 until CRLF "." CRLF, and takes out the stuffed dots.

    Only the five octets CR LF . CR LF end the data: a bare LF or a bare CR is content, so that nobody can smuggle a
    second mail past a neighbour who reads line ends more loosely; `bare` tells of them (RFC 5321 section 2.3.8). Octets
    are kept as they came. Over `limit` octets (counted without the stuffing, RFC 1870 section 3) or after `discard`
    nothing is kept, but the end is still found, because a reply is due only there.
    """

    __slots__ = ("_begun", "_kept", "_limit", "_window", "bare", "discarded", "size", "too_big")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # The data begins at the beginning of a line: a line end that was never sent stands before it.
        self._window = END[:2]
        self._begun = False
        self._kept = bytearray()
        self.size = 0
        self.bare = False
        self.too_big = False
        self.discarded = False

    def discard(self) -> None:
        """Keep nothing from now on, and forget what there is."""
        self.discarded = True
        self._kept.clear()

    def feed(self, chunk: bytes) -> bytes | None:
        """Take a chunk; give what follows the end of data (perhaps nothing), or None while the end is not reached."""
        window = self._window + chunk
        end = window.find(END)
        if end >= 0:
            self._keep(window[: end + 2])
            return window[end + len(END) :]
        held_back = next((n for n in range(len(END) - 1, 0, -1) if window.endswith(END[:n])), 0)
        cut = len(window) - held_back
        self._keep(window[:cut])
        self._window = window[cut:]
        return None

    def take(self) -> bytes:
        """Give the octets since the last call, and forget them."""
        octets = bytes(self._kept)
        self._kept.clear()
        return octets

    def _keep(self, piece: bytes) -> None:
        if self.discarded or not piece:
            return
        # A piece never ends between CR and LF: both are held back.
        line_ends = piece.count(b"\r\n")
        if piece.count(b"\n") != line_ends or piece.count(b"\r") != line_ends:
            self.bare = True
        content = piece.replace(b"\r\n.", b"\r\n")
        if not self._begun:
            self._begun = True
            content = content[2:]
        self._kept += content
        self.size += len(content)
        if self.size > self._limit:
            self.too_big = True
            self.discard()
