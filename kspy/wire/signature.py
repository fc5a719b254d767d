"""Is a message's signature right?

Rule: messaging specification, "The Wire Protocol": the HMAC hex digest over header,
parent_header, metadata and content as serialized; an empty key turns signing off.
"""

from __future__ import annotations

import hmac

from kspy.wire.frames import Parts


class SignatureChecker:
    """Checks signatures made with one key. `scheme` is a connection file's, as "hmac-sha256"."""

    def __init__(self, key: bytes, scheme: str = "hmac-sha256") -> None:
        self._key = key
        self._digest = scheme.removeprefix("hmac-")
        if key:
            hmac.digest(key, b"", self._digest)  # ValueError now, not at the first message

    def __call__(self, parts: Parts) -> bool:
        """True where the signature is right, or where signing is off."""
        if not self._key:
            return True
        signed = b"".join((parts.header, parts.parent_header, parts.metadata, parts.content))
        expected = hmac.digest(self._key, signed, self._digest).hex().encode()
        return hmac.compare_digest(expected, parts.signature)
