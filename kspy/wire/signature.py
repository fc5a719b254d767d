"""Is a message's signature right?

Rule: messaging specification, "The Wire Protocol": the HMAC hex digest over header,
parent_header, metadata and content as serialized; an empty key turns signing off.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence


class SignatureChecker:
    """Checks signatures made with one key. `scheme` is a connection file's, as "hmac-sha256"."""

    def __init__(self, key: bytes, scheme: str = "hmac-sha256") -> None:
        self._key = key
        self._digest = scheme.removeprefix("hmac-")
        if key:
            hmac.digest(key, b"", self._digest)  # ValueError now, not at the first message

    def __call__(self, frames: Sequence[bytes], at: int) -> bool:
        """True where the signature is right, or signing is off. `at`: the delimiter's place."""
        if not self._key:
            return True
        signed = b"".join(frames[at + 2 : at + 6])
        expected = hmac.digest(self._key, signed, self._digest).hex().encode()
        return hmac.compare_digest(expected, frames[at + 1])
