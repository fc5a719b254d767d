"""One script being played to one client: what is said next, and when?

The time is in seconds, as `time.monotonic` has it; it only grows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from kspy.replay.serving.renaming import Generation
from kspy.replay.serving.request import Request
from kspy.replay.serving.script import Gate, Line, Script, Step, Waited

FAST: Final = float("inf")


@dataclass(eq=False, slots=True)
class Performance:
    """`speed` 2.0: twice as fast as recorded; `FAST`: with no pauses.

    request   what is answered; None for what the kernel says of its own accord
    retold    was the script played before? What nobody asked for is said once only
    said      headers of what was said, by the places in the recording, as they went out
    answers   headers of what the client answered meanwhile, by the recorded answers' places
    naming    how ids are called in it, where there is a request
    """

    script: Script
    request: Request | None
    began: float
    speed: float = FAST
    retold: bool = False
    position: int = 0
    said: dict[int, bytes] = field(default_factory=dict)
    answers: dict[int, bytes] = field(default_factory=dict)
    naming: Generation | None = None
    _opened: set[Waited] = field(default_factory=set)
    _hurries: bool = False

    @property
    def step(self) -> Step | None:
        """What is to come next; None at the end."""
        steps = self.script.steps
        return steps[self.position] if self.position < len(steps) else None

    @property
    def over(self) -> bool:
        """Is it the next request's turn?"""
        return self.position >= self.script.over

    def due(self, step: Step) -> float:
        """When it is time for a step."""
        if self._hurries or self.speed == FAST:
            return self.began
        return self.began + step.at_ns / 1e9 / self.speed

    def next(self) -> None:
        """Go on to the next step."""
        self.position += 1

    def skip(self, waits_for: Waited) -> None:
        """Do not wait at the next gate of this kind: what it waits for will not come."""
        self._opened.add(waits_for)

    def open(self, waits_for: Waited) -> None:
        """What such a gate waits for came, perhaps before the gate was reached."""
        self._opened.add(waits_for)
        if waits_for == "interrupt":
            self._hurries = True  # who interrupts does not wait for what was to come before

    def passes(self, gate: Gate, now: float) -> bool:
        """May it go on at this gate? Pauses count from now on, then."""
        if gate.waits_for == "interrupt" and gate.waits_for in self._opened:
            self._hurries = False
        elif self._hurries and gate.waits_for == "input":
            return True
        if gate.waits_for not in self._opened:
            return False
        self._opened.discard(gate.waits_for)
        if self.speed != FAST:
            self.began = now - gate.at_ns / 1e9 / self.speed
        return True

    def awaited(self, waits_for: Waited) -> Gate | None:
        """The next gate of this kind."""
        for step in islice(self.script.steps, self.position, None):
            if isinstance(step, Gate) and step.waits_for == waits_for:
                return step
        return None

    @property
    def interruptible(self) -> bool:
        """Is there a gate ahead that an interrupt opens?"""
        return self.awaited("interrupt") is not None

    @property
    def unheard(self) -> bool:
        """Was nothing said yet of what answers the request?"""
        steps = self.script.steps[: self.position]
        return not any(isinstance(step, Line) and step.asked for step in steps)
