"""Jumping to what belongs together: parent, request, reply, the next of the same kind."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import numpy as np

from kspy.analysis.progress import Progress
from kspy.errors import KspyError
from kspy.recording.event import Event
from kspy.tui import jumps
from kspy.tui.actions.moving import Moving
from kspy.tui.desk import Job

_COMMS: Final = ("comm_open", "comm_msg", "comm_close")


class Jumping(Moving):
    """Goes through what the filter lets through, in stream order, folded threads included."""

    _looking: Job | None = None

    def action_jump(self, kind: str, step: int = 1) -> None:
        """`kind`: parent, request, reply, error, type, comm or client."""
        if self.stream.item is None:
            return
        if kind in ("parent", "request", "reply"):
            self._jump_in_thread(kind)
        elif kind == "comm":
            self._jump_comm(step)
        else:
            self._jump_like(kind, step)

    def _jump_in_thread(self, kind: str) -> None:
        table, place = self.viewing.table, self.place
        if place is None:
            self.say("an event has no thread")
            return
        thread = table.thread(place)
        found: int | None
        if kind == "parent":
            found = table.parent(place)
        elif thread < 0:
            found = None
        else:
            found = table.head(thread) if kind == "request" else table.reply(thread)
        if found is None:
            self.say("no reply has come" if kind == "reply" else f"no {kind} is known")
        else:
            self.jump_to(found, f"the {kind}")

    def _jump_like(self, kind: str, step: int) -> None:
        table, item = self.viewing.table, self.stream.item
        test: jumps.Test = jumps.is_error
        events, what = jumps.fatal_events(table), "error"
        if item is not None and kind == "type":
            if item < 0:
                name = table.event(-1 - item).name
                test, events = jumps.nobody, jumps.events_named(table, name)
            else:
                name = table.msg_type(item)
                test, events = jumps.of_type(name), set()
            what = name or "message without type"
        elif item is not None and kind == "client":
            client = table.client(item) if item >= 0 else 0
            test, events, what = jumps.of_client(client), set(), f"message of client {client}"
            if not client:
                self.say("its client is not known")
                return
        self._go_like(test, events, step, what)

    def _go_like(self, test: jumps.Test, events: set[int], step: int, what: str) -> None:
        viewing = self.viewing
        items = viewing.matched[: viewing.shown]
        found = jumps.find(viewing.table, items, self._here(step), step, test, events)
        if found is None:
            self.say(f"no {what} {'after' if step > 0 else 'before'} this")
        else:
            self.jump_to(int(items[found]), what)

    def _here(self, step: int) -> int:
        """Place among the matched items of the next one, in the direction of `step`."""
        viewing, item = self.viewing, self.stream.item
        if item is None:
            return 0
        wanted = 2 * item if item >= 0 else viewing.table.event_place(-1 - item) * 2 - 1
        near = int(np.searchsorted(viewing.matched_keys, wanted))
        items = viewing.matched
        while near < len(items) and items[near] != item and item < 0:
            if viewing.matched_keys[near] != wanted:
                break
            near += 1
        there = near < len(items) and items[near] == item
        return near + step if there else near if step > 0 else near - 1

    # Comms: which one a message is of, only the message itself knows

    def _jump_comm(self, step: int) -> None:
        place = self.place
        comm_id = self._comm_id(place) if place is not None else None
        if comm_id is None:
            self.say("this message belongs to no comm")
            return
        if self._looking:
            self._looking.cancel()
        self._looking = self.desk.run(
            self._look_for_comm(comm_id, self._here(step), step), self._comm_found
        )

    def _comm_found(self, item: int | None) -> None:
        if item is None:
            self.say("no other message of this comm in this direction")
        else:
            self.jump_to(item, "a message of this comm")

    def _look_for_comm(
        self, comm_id: str, at: int, step: int
    ) -> Generator[Progress, None, int | None]:
        viewing = self.viewing
        items = viewing.matched[: viewing.shown]
        test = jumps.of_types(_COMMS)
        while (found := jumps.find(viewing.table, items, at, step, test, set())) is not None:
            if self._comm_id(int(items[found])) == comm_id:
                return int(items[found])
            at = found + step
            yield Progress(found, len(items))
        return None

    def _comm_id(self, place: int) -> str | None:
        if self.viewing.table.msg_type(place) not in _COMMS:
            return None
        try:
            message = self.viewing.table.item(place)
        except KspyError:
            return None
        comm_id = None if isinstance(message, Event) else message.content.get("comm_id")
        return comm_id if isinstance(comm_id, str) else None
