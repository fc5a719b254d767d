"""What a script of a replay is made of: what is to be sent, and what has to have come before."""

from __future__ import annotations

from typing import Final, NamedTuple

from kspy.replay.client.extent import NO_TEXTS, Texts

REPLY: Final = "reply"
FINISH: Final = "idle"
"""What a `Wait` is for where it is no message of a type: a request's reply, or its end."""

NOBODY: Final = -1
"""The place of the request of what a kernel publishes without one."""

MAKERS: Final = frozenset(("comm_open", "create_subshell_reply", "debug_reply"))
"""Types of messages in which a kernel makes names that clients use later on."""

PIECES: Final = "stream"
"""Messages that may come in more or fewer pieces: they are not counted."""


class Running(NamedTuple):
    """A request that the kernel worked on when it was interrupted.

    place         of the request
    messages      that it had published for it, pieces of streams not counted
    since_busy_ns, since_last_ns   how long it had been busy, and silent
    """

    place: int
    messages: int
    since_busy_ns: int
    since_last_ns: int


class Send(NamedTuple):
    """A client's message is to be sent.

    running   of an `interrupt_request`: what it interrupted
    answers   of an `input_reply`: the request that asked, and how many questions it had asked
    """

    place: int
    time_ns: int
    client: int
    running: Running | None = None
    answers: tuple[int, int] | None = None


class Interrupt(NamedTuple):
    """The kernel is to be interrupted, as it was by a user or a frontend."""

    time_ns: int
    running: Running | None


class Restart(NamedTuple):
    """The kernel is to be started again. `told`: an event says so, not only its server."""

    time_ns: int
    told: bool


class Death(NamedTuple):
    """The kernel is to have died. `told`: an event says so, not only its server."""

    time_ns: int
    told: bool


class Wait(NamedTuple):
    """Something is to have come that belongs to the request at `place`.

    what      REPLY, FINISH, or the type of a message, of which the `number`-th is waited for
    texts     of PIECES, which are not counted: how far their texts have to have come
    certain   False: it may be that another run of the same never brings it
    within    it came before the request's idle, so it never comes after that
    """

    place: int
    time_ns: int
    what: str
    number: int = 1
    certain: bool = True
    within: bool = True
    texts: Texts = NO_TEXTS


Item = Send | Interrupt | Restart | Death | Wait
