"""Over which UIDs sessions broke, so that one message holds up no other: fetched last, then alone, then given up. Pure.

A connection that ends says nothing about why. Whatever was asked for at that moment gets a strike, and loses it when it
is fetched.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

TOGETHER = 2
"""Strikes after which a UID is asked for alone, and behind all others: once is an ordinary cut."""

ALONE = 3
"""Sessions that must break over a UID alone before it is given up for a while."""

_AGAIN = (60.0, 300.0, 1800.0)
"""Seconds after which one that was given up is asked for again: the line may have been to blame."""


@dataclass(frozen=True, slots=True)
class Strikes:
    """The strikes of a folder under one UIDVALIDITY. Instants are monotonic seconds.

    `all` counts the sessions that broke while a UID was asked for, `alone` those in which it was the only one, and
    `again_at` is when one that was given up is asked for again.
    """

    uidvalidity: int = 0
    all: Mapping[int, int] = field(default_factory=dict)
    alone: Mapping[int, int] = field(default_factory=dict)
    again_at: Mapping[int, float] = field(default_factory=dict)

    def under(self, uidvalidity: int) -> "Strikes":
        """Give the strikes of this UIDVALIDITY: none where it is another one."""
        return self if uidvalidity == self.uidvalidity else Strikes(uidvalidity)

    def broke(self, uids: Collection[int], now: float) -> "Strikes":
        """Count a session that broke while these UIDs were asked for."""
        counted = {**self.all, **{uid: self.all.get(uid, 0) + 1 for uid in uids}}
        if len(uids) != 1:
            return replace(self, all=counted)
        (uid,) = uids
        times = self.alone.get(uid, 0) + 1
        again_at = dict(self.again_at)
        if times >= ALONE:
            again_at[uid] = now + _AGAIN[min(times - ALONE, len(_AGAIN) - 1)]
        return replace(self, all=counted, alone={**self.alone, uid: times}, again_at=again_at)

    def came(self, uids: Iterable[int]) -> "Strikes":
        """Forget what was held against UIDs that were fetched."""
        gone = set(uids) & set(self.all)
        if not gone:
            return self
        return replace(
            self,
            all={uid: times for uid, times in self.all.items() if uid not in gone},
            alone={uid: times for uid, times in self.alone.items() if uid not in gone},
            again_at={uid: at for uid, at in self.again_at.items() if uid not in gone},
        )

    def given_up(self, uids: Iterable[int], now: float) -> dict[int, str]:
        """Give those of `uids` that are not asked for now, each with why."""
        return {
            uid: f"the connection ended over it in {self.alone[uid]} sessions"
            for uid in uids
            if self.again_at.get(uid, now) > now
        }

    def portions(self, uids: Sequence[int], most: int) -> Iterator[list[int]]:
        """Cut UIDs into what is asked for at once, at most so many; suspects come alone, and the worst of them last."""
        fine = [uid for uid in uids if self.all.get(uid, 0) < TOGETHER]
        for start in range(0, len(fine), most):
            yield fine[start : start + most]
        suspects = (uid for uid in uids if self.all.get(uid, 0) >= TOGETHER)
        for uid in sorted(suspects, key=lambda uid: (self.alone.get(uid, 0), uid)):
            yield [uid]

    def next_at(self, now: float, latest: float) -> float:
        """Give when the next one that was given up is asked for again, `latest` at most."""
        return min((latest, *(at for at in self.again_at.values() if at > now)))
