"""How `maild doctor` says amounts and faults."""

import os
import ssl


def amount(octets: int) -> str:
    """Say octets in the largest unit that leaves a whole number before the point: 512 B, 1.5 GB (powers of 1,000)."""
    size, units = float(octets), ["B", "kB", "MB", "GB", "TB"]
    while size >= 999.95 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{octets} B" if units[0] == "B" else f"{size:.1f} {units[0]}"


def fault(error: BaseException) -> str:
    """Say why a connection failed, by what lies at the bottom of it."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate does not verify: {one.verify_message}"
    for one in causes:
        if isinstance(one, ssl.SSLError):
            return f"no TLS: {getattr(one, 'reason', '') or one.strerror}"
    for one in reversed(causes):
        if isinstance(one, OSError) and one.strerror:
            # asyncio puts the address there; a resolver's numbers are its own, and below 0.
            return os.strerror(one.errno) if one.errno is not None and one.errno > 0 else one.strerror
    return str(error) or type(error).__name__
