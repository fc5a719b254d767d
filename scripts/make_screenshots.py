"""Draw screenshots/*.svg: commands and screens of the real kspy, run on recordings/."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import command_pictures
import viewer_pictures

ROOT: Final = Path(__file__).resolve().parent.parent


def main() -> None:
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    for source in (command_pictures, viewer_pictures):
        for name, svg in source.pictures(ROOT / "recordings"):
            (folder / f"{name}.svg").write_text(svg)
            print(f"screenshots/{name}.svg")


if __name__ == "__main__":
    main()
