"""Images as coloured half blocks, which any terminal with colours can show."""

from __future__ import annotations

import io
import warnings
from base64 import b64decode
from typing import Final, NamedTuple

from PIL import Image, UnidentifiedImageError
from rich.console import RenderableType
from rich_pixels import Pixels

PIXELS: Final = 8_000_000
"""Pixels of an image that is decoded: a small file can claim to have any number."""
_ROWS: Final = 60
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""Those of mime bundles. Others are never tried: to draw a PostScript file, Pillow would run it."""


class Picture(NamedTuple):
    """`drawn` is None where it cannot be drawn; `note` says format and size, or why not."""

    note: str
    drawn: RenderableType | None


def picture(data: str, width: int, background: tuple[int, int, int]) -> Picture:
    """The image in base64 `data` (as in a mime bundle), at most `width` cells wide."""
    try:
        raw = b64decode(data, validate=False)
    except ValueError:
        return Picture("not valid base64", None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=_FORMATS) as image:
                note = f"{image.format} {image.width} x {image.height}"
                if image.width * image.height > PIXELS:
                    return Picture(f"{note}: too large to be drawn here", None)
                return Picture(note, _drawn(image, width, background))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return Picture("claims to be too large to be decoded", None)
    except UnidentifiedImageError:
        return Picture("not an image of a known format", None)
    except Exception as error:  # decoders raise anything on bytes from strangers
        return Picture(f"cannot be decoded ({type(error).__name__})", None)


def _drawn(image: Image.Image, width: int, background: tuple[int, int, int]) -> RenderableType:
    """A cell is two pixels high, so the picture keeps its proportions."""
    whole = image.convert("RGBA")
    flat = Image.new("RGBA", whole.size, (*background, 255))
    flat.alpha_composite(whole)
    scale = min(width / flat.width, 2 * _ROWS / flat.height, 1 if flat.width <= width else 9e9)
    size = max(1, round(flat.width * scale)), max(1, round(flat.height * scale))
    drawn: RenderableType = Pixels.from_image(flat.convert("RGB"), resize=size)
    return drawn
