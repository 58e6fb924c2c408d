"""What a stranger may use up: the limits of an SMTP door, and how many mails one sender may send. Pure."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address


@dataclass(frozen=True, slots=True)
class SmtpLimits:
    """Sizes in octets, times in seconds.

    `message` is announced as SIZE (RFC 1870). `session` is for a whole connection, `data_idle` for the silence between
    two chunks of DATA, `command_idle` for that between two commands. `errors` is the number of 5xx replies since the last accepted mail
    after which a connection ends. `sender_hourly` counts accepted mails of one reverse-path. `trusted_exempt` spares
    trusted hops `per_address` and `sender_hourly`: an MTA in front of us sends everybody's mail from one address.
    `min_free` octets stay free on the disk. `proxy` is how long a proxy may take to say whom it speaks for. Who was
    silent for `crowded`, between two commands, makes room where there are `connections` already.
    """

    message: int = 25 * 1024 * 1024
    recipients: int = 100
    per_address: int = 20
    connections: int = 200
    session: float = 600
    data_idle: float = 60
    command_idle: float = 300
    errors: int = 20
    sender_hourly: int = 60
    trusted_exempt: bool = True
    min_free: int = 0
    proxy: float = 10
    crowded: float = 10


@dataclass(slots=True)
class Budget:
    """Octets of mail that are in memory, of all connections together, and how many may be."""

    most: int = 256 * 1024 * 1024
    held: int = 0

    @property
    def is_spent(self) -> bool:
        """Say whether no further mail may begin."""
        return self.held >= self.most

    @property
    def is_exceeded(self) -> bool:
        """Say whether a mail that grows must give up."""
        return self.held > self.most


def neighbourhood(peer: str) -> str:
    """Give what counts as one address: an IPv4 address, or the /64 that an IPv6 subscriber has all to himself."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if not isinstance(address, IPv6Address):
        return peer
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


class SenderWindow:
    """How many mails each sender had accepted in the last hour; `now` is in seconds of any steady clock."""

    __slots__ = ("_hourly", "_most_senders", "_seen")

    def __init__(self, hourly: int, most_senders: int = 20_000) -> None:
        self._hourly = hourly
        self._most_senders = most_senders
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def allows(self, sender: str, now: float) -> bool:
        """Say whether one more mail of that sender is within his hour."""
        times = self._seen.get(sender.lower())
        if times is None:
            return True
        while times and times[0] <= now - 3600:
            times.popleft()
        return len(times) < self._hourly

    def take(self, sender: str, now: float) -> None:
        """Count a mail. Beyond the most senders that are remembered, whoever was silent longest is forgotten."""
        key = sender.lower()
        times = self._seen.setdefault(key, deque(maxlen=self._hourly))
        times.append(now)
        self._seen.move_to_end(key)
        while len(self._seen) > self._most_senders:
            self._seen.popitem(last=False)

    def give_back(self, sender: str) -> None:
        """Uncount the last mail of that sender: it was not accepted."""
        times = self._seen.get(sender.lower())
        if times:
            times.pop()
