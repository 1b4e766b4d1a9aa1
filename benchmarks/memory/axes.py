"""A chart's axes: where a value is on the picture, and the lines and labels that say so."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

INK, SOFT, GRID = (38, 38, 44), (110, 110, 120), (228, 228, 232)
TICK_PX, LABEL_PX, TITLE_PX = 13, 14, 17
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """A picture to draw on."""

    image: Image.Image
    draw: ImageDraw.ImageDraw

    @classmethod
    def of(cls, width_px: int, height_px: int) -> "Canvas":
        """Return an empty one."""
        image = Image.new("RGB", (width_px, height_px), "white")
        return cls(image=image, draw=ImageDraw.Draw(image))

    def text(
        self,
        at: tuple[float, float],
        text: str,
        *,
        size_px: int = TICK_PX,
        ink: tuple[int, int, int] = INK,
        anchor: str,
    ) -> None:
        """Write a line; `anchor` is Pillow's, such as `mm` for the middle."""
        self.draw.text(at, text, ink, ImageFont.load_default(size_px), anchor=anchor)


@dataclass(frozen=True, kw_only=True)
class Axes:
    """A box on a canvas, in pixels: sizes along it by their logarithm, values up it from `low` to `high`."""

    box: tuple[int, int, int, int]
    sizes: Sequence[int]
    high: float
    low: float = 0.0
    logarithmic: bool = False

    def x(self, size: float) -> float:
        """Return where a memory size is."""
        left, _, right, _ = self.box
        first, last = math.log(self.sizes[0]), math.log(self.sizes[-1])
        part = (math.log(size) - first) / (last - first) if last > first else 0.5
        return left + 24 + part * (right - left - 48)

    def y(self, value: float) -> float:
        """Return where a value is; what is above the box is at its edge."""
        _, top, _, bottom = self.box
        if self.logarithmic:
            part = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return bottom - min(max(part, 0.0), 1.0) * (bottom - top)

    def draw(self, canvas: Canvas, title: str) -> None:
        """Draw grid, ticks and title."""
        left, top, right, bottom = self.box
        canvas.text((left, top - 14), title, size_px=LABEL_PX, anchor="ls")
        for value in self._ticks():
            y = self.y(value)
            canvas.draw.line((left, y, right, y), GRID, 1)
            canvas.text((left - 8, y), f"{value:,g}", ink=SOFT, anchor="rm")
        last_end = 0.0
        for size in self.sizes:
            x, label = self.x(size), f"{size:,}"
            canvas.draw.line((x, bottom, x, bottom + 5), SOFT, 1)
            width = ImageFont.load_default(TICK_PX).getlength(label)
            if x - width / 2 > last_end:
                canvas.text((x, bottom + 8), label, ink=SOFT, anchor="mt")
                last_end = x + width / 2 + 8
        canvas.draw.line((left, bottom, right, bottom), INK, 1)

    def _ticks(self) -> list[float]:
        """Return round values: some five of them, or by logarithm 1, 2 and 5 of each decade."""
        if self.logarithmic:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            marks = [step * 10.0**decade for decade in decades for step in STEPS[:-1]]
            return [mark for mark in marks if self.low <= mark <= self.high]
        decade = 10 ** math.floor(math.log10((self.high - self.low) / 5))
        step = next(step * decade for step in STEPS if step * decade * 5.5 >= self.high - self.low)
        return [step * number for number in range(math.floor(self.high / step) + 1)]
