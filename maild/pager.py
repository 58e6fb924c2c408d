"""The two ways to people that are no mail: a program that is run, and a URL that is posted to. Neither ever raises."""

import asyncio
import contextlib
import http.client
import os
import signal
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from maild import __version__
from maild.outbound.gate import clean
from maild.posting import Answer, post

SECONDS = 30.0
"""Within which a program is done, or a server has answered."""

FAREWELL = 2.0
"""Seconds that a program which was killed has to be gone."""

MOST_SAID = 4096
"""Octets of what a program prints, or a server answers, that are looked at."""

_LONGEST_WORDS = 300
_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ")
"""Of our environment: no secret stands in these, and no way to one."""

_SHORTEST_SECRET = 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a way took what was said, and what came back, in words for the log."""

    taken: bool
    words: str


async def run(command: Sequence[str], body: bytes, seconds: float = SECONDS) -> Outcome:
    """Run a program with `body` on its stdin. It took it where it ends with 0 in time.

    It runs without a shell, in a process group of its own that is killed when it is done, when the time is over and when
    we are cancelled: nothing that it started stays behind.
    """
    with _pipe() as (stdin, given), _pipe() as (heard, stdout):
        # It fits into the pipe, so nobody waits for a program that does not read.
        os.write(given.fd, body)
        given.close()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=stdin.fd,
                stdout=stdout.fd,
                stderr=stdout.fd,
                env=surroundings(os.environ),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return Outcome(taken=False, words=f"cannot be run: {getattr(error, 'strerror', None) or error}")
        stdin.close()
        stdout.close()
        said = bytearray()
        try:
            with _listening(heard.fd, said):
                async with asyncio.timeout(seconds):
                    code = await process.wait()
                _hear(heard.fd, said)
        except TimeoutError:
            return Outcome(taken=False, words=_with(f"was not done within {seconds:g} s, and is killed", said))
        finally:
            _end(process.pid)
            # One that became another user cannot be killed, and is not waited for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await process.wait()
    return Outcome(
        taken=code == 0, words=_with(f"ended with {code}" if code >= 0 else f"was ended by signal {-code}", said)
    )


async def post_to(url: str, body: bytes, tls: ssl.SSLContext | None = None, seconds: float = SECONDS) -> Outcome:
    """POST `body` as JSON. It is taken where the server answers 2xx; its words are given without the URL's secrets."""
    headers = {"Content-Type": "application/json", "Accept": "*/*", "User-Agent": f"maild/{__version__}"}
    host = host_of(url)
    try:
        async with asyncio.timeout(seconds):
            answer = await _in_a_thread(lambda: post(url, body, headers, seconds=seconds, most=MOST_SAID, tls=tls))
    except TimeoutError:
        return Outcome(taken=False, words=f"{host} did not answer within {seconds:g} s")
    except ssl.SSLCertVerificationError as error:
        return Outcome(taken=False, words=f"the certificate of {host} does not verify: {error.verify_message}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Outcome(
            taken=False, words=f"{host} cannot be reached: {without(url, f'{type(error).__name__}: {error}')}"
        )
    if 300 <= answer.status < 400:
        return Outcome(
            taken=False, words=f"{host} answered {answer.status}: it redirects, and nobody follows; name the new URL"
        )
    words = _with(f"{host} answered {answer.status}", without(url, answer.octets.decode("utf-8", "replace")).encode())
    return Outcome(taken=200 <= answer.status < 300, words=words)


def host_of(url: str) -> str:
    """Give what may be said of a URL: its host."""
    return urlsplit(url).hostname or "the host"


def without(url: str, words: str) -> str:
    """Give words of others without the parts of a URL that may be secret."""
    parts = urlsplit(url)
    whole = [url, f"{parts.path}?{parts.query}", parts.path, parts.query]
    pieces = [
        piece for part in (parts.path, parts.query) for piece in part.replace("&", "/").replace("=", "/").split("/")
    ]
    for secret in sorted({*whole, *pieces}, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            words = words.replace(secret, "***")
    return words


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a program: none of ours but what finds it its way about."""
    return {name: environment[name] for name in _PASSED_ON if name in environment}


def _with(words: str, said: bytes | bytearray) -> str:
    heard = clean(bytes(said).decode("utf-8", "replace"), _LONGEST_WORDS)
    return f"{words}: {heard}" if heard else words


def _end(group: int) -> None:
    # A program that became another user is beyond us.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


class _End:
    """One end of a pipe, closed once."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[_End, _End]]:
    # Pipes of asyncio would have us wait for the end of whatever holds them open: a child that the program left behind.
    ends = [_End(fd) for fd in os.pipe()]
    try:
        yield ends[0], ends[1]
    finally:
        for end in ends:
            end.close()


@contextlib.contextmanager
def _listening(fd: int, said: bytearray) -> Iterator[None]:
    """Take what is printed, so that nobody blocks on a full pipe; the beginning is kept."""
    loop = asyncio.get_running_loop()
    os.set_blocking(fd, False)

    def heard() -> None:
        if not _hear(fd, said):
            loop.remove_reader(fd)

    loop.add_reader(fd, heard)
    try:
        yield
    finally:
        loop.remove_reader(fd)


def _hear(fd: int, said: bytearray) -> bool:
    """Read what is there; False at the end."""
    try:
        octets = os.read(fd, 65536)
    except BlockingIOError:
        return True
    said += octets[: MOST_SAID - len(said)]
    return bool(octets)


async def _in_a_thread(work: Callable[[], Answer]) -> Answer:
    """Do what blocks in a thread that nobody waits for at the end of the process, as the executor's are waited for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Answer] = loop.create_future()

    def settle(result: Answer | None, error: BaseException | None) -> None:
        if done.done():
            return
        if result is not None:
            done.set_result(result)
        elif error is not None:
            done.set_exception(error)

    def run_it() -> None:
        result, error = None, None
        try:
            result = work()
        except (OSError, http.client.HTTPException, ValueError) as fault:
            error = fault
        # The loop may be closed by now: nobody wants to know any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run_it, name="alarm post", daemon=True).start()
    return await done
