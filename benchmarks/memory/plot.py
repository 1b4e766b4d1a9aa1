"""The plot: cost and latency against memory, and how images' times are spread, a row of charts for each function."""

import io
from collections.abc import Callable, Sequence

from benchmarks.memory.advice import Advice
from benchmarks.memory.axes import INK, LABEL_PX, SOFT, TITLE_PX, Axes, Canvas
from benchmarks.memory.report import MemoryReport
from benchmarks.memory.rows import Measurement

Colour = tuple[int, int, int]

CHART_PX, GAP_PX, LEFT_PX, ROW_PX, TOP_PX, FOOT_PX = 410, 80, 70, 350, 70, 60
CHARTS = 3
WIDTH_PX = LEFT_PX + CHARTS * CHART_PX + (CHARTS - 1) * GAP_PX + 30
CHART_TOP_PX, CHART_BOTTOM_PX = 66, 300
COST, BATCH, IMAGE, BAND, CHOSEN, REFUSED = (
    (34, 94, 168),
    (192, 80, 40),
    (60, 130, 90),
    (190, 220, 200),
    (250, 214, 120),
    (200, 50, 50),
)
DOT_PX, LABEL_SMALL_PX, LABEL_GAP_PX = 4, 12, 34
ROOM = 1.12


def plot(report: MemoryReport) -> bytes:
    """Return it as PNG."""
    functions = list(report.advice)
    canvas = Canvas.of(WIDTH_PX, TOP_PX + ROW_PX * len(functions) + FOOT_PX)
    canvas.text((LEFT_PX, 32), f"{report.title}: {report.question}", size_px=TITLE_PX, anchor="lm")
    for number, function in enumerate(functions):
        _row(canvas, report, function, TOP_PX + number * ROW_PX)
    _legend(canvas, TOP_PX + ROW_PX * len(functions) + 20)
    file = io.BytesIO()
    canvas.image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _row(canvas: Canvas, report: MemoryReport, function: str, top: int) -> None:
    rows, advice = report.of(function), report.advice[function]
    canvas.text((LEFT_PX, top + 14), function, size_px=TITLE_PX, anchor="lm")
    sizes = [row.memory_mb for row in rows]
    timed = [row for row in rows if row.cost_per_million is not None]
    if not timed:
        canvas.text((LEFT_PX, top + 80), "no size is large enough", size_px=LABEL_PX, ink=SOFT, anchor="lm")
        return
    cost, batch, spread = (_box(number, top) for number in range(CHARTS))
    times = [value for row in timed for value in row.image_ms_percentiles.values() if value > 0]
    batches = [value for row in timed for value in (row.batch_p50_ms, row.batch_p99_ms) if value]
    most = max(row.cost_high or 0 for row in timed)
    charts = (
        (Axes(box=cost, sizes=sizes, high=ROOM * most), "$ per million images", _cost),
        (_logarithmic(batch, sizes, batches), "ms a batch: median, and up to p99", _batch),
        (_logarithmic(spread, sizes, times), "ms an image: 5 to 95 %, half of them, median", _spread),
    )
    for axes, title, draw in charts:
        axes.draw(canvas, title)
        _mark_refused(canvas, axes, rows)
        if advice:
            _mark_chosen(canvas, axes, advice)
        draw(canvas, axes, timed)


def _box(number: int, top: int) -> tuple[int, int, int, int]:
    left = LEFT_PX + number * (CHART_PX + GAP_PX)
    return left, top + CHART_TOP_PX, left + CHART_PX, top + CHART_BOTTOM_PX


def _logarithmic(box: tuple[int, int, int, int], sizes: Sequence[int], values: Sequence[float]) -> Axes:
    return Axes(box=box, sizes=sizes, low=min(values) / ROOM, high=max(values) * ROOM, logarithmic=True)


def _cost(canvas: Canvas, axes: Axes, rows: Sequence[Measurement]) -> None:
    for row in rows:
        x = axes.x(row.memory_mb)
        _whisker(canvas, x, axes.y(row.cost_low or 0), axes.y(row.cost_high or 0), COST)
    _line(canvas, axes, rows, lambda row: row.cost_per_million or 0, COST)
    last_x = -1.0 * LABEL_GAP_PX
    # The lowest cost is labelled in any case, others where there is room.
    lowest = min(rows, key=lambda row: row.cost_per_million or 0)
    keep_off = axes.x(lowest.memory_mb)
    for row in rows:
        x, y = axes.x(row.memory_mb), axes.y(row.cost_high or 0)
        if row is lowest or (x - last_x > LABEL_GAP_PX and abs(x - keep_off) > LABEL_GAP_PX):
            canvas.text((x, y - 5), f"{row.cost_per_million:,.2f}", size_px=LABEL_SMALL_PX, ink=COST, anchor="mb")
            last_x = x


def _batch(canvas: Canvas, axes: Axes, rows: Sequence[Measurement]) -> None:
    _line(canvas, axes, rows, lambda row: row.batch_p50_ms or 0, BATCH)
    for row in rows:
        x = axes.x(row.memory_mb)
        _whisker(canvas, x, axes.y(row.batch_p50_ms or 0), axes.y(row.batch_p99_ms or 0), BATCH)


def _spread(canvas: Canvas, axes: Axes, rows: Sequence[Measurement]) -> None:
    for row in rows:
        x, marks = axes.x(row.memory_mb), row.image_ms_percentiles
        _whisker(canvas, x, axes.y(marks["5"]), axes.y(marks["95"]), IMAGE)
        canvas.draw.rectangle((x - 7, axes.y(marks["75"]), x + 7, axes.y(marks["25"])), BAND, IMAGE)
        canvas.draw.line((x - 7, axes.y(marks["50"]), x + 7, axes.y(marks["50"])), IMAGE, 3)


def _line(
    canvas: Canvas, axes: Axes, rows: Sequence[Measurement], value: Callable[[Measurement], float], colour: Colour
) -> None:
    """Draw a curve; what is modelled has an empty dot."""
    points = [(axes.x(row.memory_mb), axes.y(value(row))) for row in rows]
    canvas.draw.line(points, colour, 2, joint="curve")
    for row, (x, y) in zip(rows, points, strict=True):
        inside = colour if row.how == "measured" else "white"
        canvas.draw.ellipse((x - DOT_PX, y - DOT_PX, x + DOT_PX, y + DOT_PX), inside, colour, 2)


def _whisker(canvas: Canvas, x: float, low: float, high: float, colour: Colour) -> None:
    canvas.draw.line((x, low, x, high), colour, 1)
    for y in (low, high):
        canvas.draw.line((x - 4, y, x + 4, y), colour, 1)


def _mark_chosen(canvas: Canvas, axes: Axes, advice: Advice) -> None:
    x, (_, top, _, bottom) = axes.x(advice.cheapest.memory_mb), axes.box
    canvas.draw.line((x, top, x, bottom), CHOSEN, 7)


def _mark_refused(canvas: Canvas, axes: Axes, rows: Sequence[Measurement]) -> None:
    """Put a cross where a size is too small."""
    y = axes.box[3] - 10
    for row in rows:
        if row.verdict != "ok":
            x = axes.x(row.memory_mb)
            canvas.draw.line((x - 5, y - 5, x + 5, y + 5), REFUSED, 2)
            canvas.draw.line((x - 5, y + 5, x + 5, y - 5), REFUSED, 2)


def _legend(canvas: Canvas, y: int) -> None:
    text = (
        "Along: memory in MB.   Full dot: measured, empty: modelled.   Yellow: the cheapest safe size.   "
        "Red cross: too small.   Bars of the cost: 95 % by bootstrap."
    )
    canvas.text((LEFT_PX, y), text, size_px=LABEL_PX, ink=INK, anchor="lm")
