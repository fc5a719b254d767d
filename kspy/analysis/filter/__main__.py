"""Writes docs/filter.md anew: `python -m kspy.analysis.filter`, from the top of the repository."""

from __future__ import annotations

from pathlib import Path

from kspy.analysis.filter.help import markdown

if __name__ == "__main__":
    Path("docs/filter.md").write_text(markdown(), encoding="utf-8")
