"""Were requests answered in the order in which they were answered then?

A kernel does what it was asked on a channel, and in a subshell, one after the other. So among the
requests of a client there, the order of what it says of them on iopub, first and last, and that of
its replies are the same; requests that were sent alike and answered in another order are not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from kspy.analysis.sameness.pairing import Pair, increasing
from kspy.analysis.table import Table


def answered_elsewhere(
    pairs: Iterable[Pair], old: Table, new: Table, order_of: Callable[[int], Hashable]
) -> set[int]:
    """Old places of requests whose answers are not where they were among those of the others.

    order_of   among which requests the order of one counts, by its old place
    """
    groups: dict[Hashable, list[tuple[int, int]]] = {}
    for first, second, moved in pairs:
        if first is not None and second is not None and not moved:
            groups.setdefault(order_of(first), []).append((first, second))
    found: set[int] = set()
    for members in groups.values():
        for kind in (_on_iopub, _replies):
            marks = sorted(
                {  # the first on iopub may be the last, too
                    (a, b, first)
                    for first, second in members
                    for a, b in zip(
                        kind(old, old.thread(first)), kind(new, new.thread(second)), strict=True
                    )
                    if a is not None and b is not None
                }
            )
            kept = increasing([b for _, b, _ in marks])
            found.update(place for n, (_, _, place) in enumerate(marks) if n not in kept)
    return found


def _on_iopub(table: Table, thread: int) -> Sequence[int | None]:
    return table.first_output(thread), table.idle(thread)


def _replies(table: Table, thread: int) -> Sequence[int | None]:
    return (table.reply(thread),)
