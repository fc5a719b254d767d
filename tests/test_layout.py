"""The columns of the list, at every width."""

from __future__ import annotations

import pytest
from piloting import piloted
from viewing import RECORDINGS, viewing

from kspy.analysis.units import short_size
from kspy.tui.stream.layout import SIZE, lay_out


@pytest.mark.parametrize("threads", [False, True])
def test_a_column_that_has_come_stays_as_the_list_gets_wider(threads: bool) -> None:
    wide = [lay_out(width, time="start", clients=2, threads=threads) for width in range(40, 96)]
    for name in ("channel", "type", "client", "size"):
        widths = [getattr(layout, name) for layout in wide]
        assert widths == sorted(widths), name
    assert all(layout.summary >= 10 for layout in wide[20:])


@pytest.mark.parametrize("terminal", [80, 100, 120])
def test_a_scroll_bar_takes_no_column_away(terminal: int) -> None:
    for width in (terminal, terminal * 3 // 5):
        for threads in (False, True):
            with_, without = (
                lay_out(cells, time="start", clients=1, threads=threads)
                for cells in (width - 1, width)
            )
            assert with_.fixed == without.fixed
            assert with_.right == without.right


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
@piloted
async def test_sizes_are_shown(size: tuple[int, int]) -> None:
    async with viewing(RECORDINGS / "error.kspy", "n", size=size) as viewer:
        assert "1.6 KB" in viewer.row


def test_no_size_is_wider_than_its_column() -> None:
    sizes = [short_size(count * 10**power) for count in (1, 9, 99, 999) for power in range(12)]
    assert max(map(len, sizes)) == SIZE
