"""The end of DATA and its dots (RFC 5321 sections 4.1.1.4 and 4.5.2), decided on chunks of any size. Pure."""

END = b"\r\n.\r\n"


class DotDecoder:
    r"""Collects what follows a 354 until CRLF "." CRLF, and takes out the stuffed dots.

    Only the five octets CR LF . CR LF end the data: a bare LF or a bare CR is content, so that nobody can smuggle a
    second mail past a neighbour who reads line ends more loosely. Octets are kept as they came. Over `limit` octets
    (counted without the stuffing, RFC 1870 section 3) or after `discard` nothing is kept, but the end is still found,
    because a reply is due only there.
    """

    __slots__ = ("_kept", "_limit", "_window", "discarded", "too_big")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # The data begins at the beginning of a line: a line end that was never sent stands before it, and is kept
        # as the first two octets until `take`.
        self._window = END[:2]
        self._kept = bytearray()
        self.too_big = False
        self.discarded = False

    @property
    def held(self) -> int:
        """Octets of content in memory."""
        return max(0, len(self._kept) - 2)

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
        """Give the octets and forget them. To be called once, after the end of data."""
        octets = bytes(memoryview(self._kept)[2:])
        self._kept.clear()
        return octets

    def _keep(self, piece: bytes) -> None:
        if self.discarded:
            return
        self._kept += piece.replace(b"\r\n.", b"\r\n")
        if self.held > self._limit:
            self.too_big = True
            self.discard()
