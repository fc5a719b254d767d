"""Is a message's signature right, and what is the right one?

Rule: messaging specification, "The Wire Protocol": the HMAC hex digest over header,
parent_header, metadata and content as serialized; an empty key turns signing off.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class SignatureChecker:
    """Checks and makes signatures with one key. `scheme` is a connection file's, as "hmac-sha256".

    HMAC (RFC 2104) with the states after the key kept and copied: half the time of `hmac.digest`.
    """

    def __init__(self, key: bytes, scheme: str = "hmac-sha256") -> None:
        """Raises ValueError or TypeError for a scheme that is not known."""
        name = scheme.removeprefix("hmac-")
        hmac.digest(b"", b"", name)  # some hashes cannot be used for it
        self._signing = bool(key)
        self._inner, self._outer = hashlib.new(name), hashlib.new(name)
        if len(key) > self._inner.block_size:
            key = hashlib.new(name, key).digest()
        key = key.ljust(self._inner.block_size, b"\0")
        self._inner.update(key.translate(_INNER))
        self._outer.update(key.translate(_OUTER))

    def __call__(self, frames: Sequence[bytes], at: int) -> bool:
        """True where the signature is right, or signing is off. `at`: the delimiter's place."""
        if not self._signing:
            return True
        return hmac.compare_digest(self.sign(frames[at + 2 : at + 6]), frames[at + 1])

    def sign(self, serialized: Sequence[bytes]) -> bytes:
        """The signature of header, parent_header, metadata and content; b"" with signing off."""
        if not self._signing:
            return b""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(b"".join(serialized))
        outer.update(inner.digest())
        return outer.hexdigest().encode()
