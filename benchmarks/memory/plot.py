"""The plot: cost and latency against memory, and the spread of images' times; a row of charts for each function."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from benchmarks.charts import png
from benchmarks.memory.advice import Advice
from benchmarks.memory.report import MemoryReport
from benchmarks.memory.rows import Measurement

CHARTS = 3
WIDTH_INCHES, ROW_INCHES, REST_INCHES = 14.6, 3.4, 1.0
COST, BATCH, IMAGE, BAND, CHOSEN, REFUSED = "#225ea8", "#c05028", "#3c825a", "#bedcc8", "#fad678", "#c83232"
ROOM = 1.1
BOX_WIDTH = 0.12
"""The width of a box, as a share of its memory size, because the axis is logarithmic."""
LEGEND = (
    "Horizontal: memory in MB.   Full dot: measured, empty: modelled.   Yellow: the cheapest safe size.   "
    "Red cross: too small.   Bars of the cost: 95 % by bootstrap."
)


def plot(report: MemoryReport) -> bytes:
    """Return it as PNG."""
    height = ROW_INCHES * len(report.advice) + REST_INCHES
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    figure.suptitle(f"{report.title}: {report.question}")
    figure.supxlabel(LEGEND, fontsize="medium")
    grid = figure.subplots(len(report.advice), CHARTS, squeeze=False)
    for charts, (function, advice) in zip(grid, report.advice.items(), strict=True):
        _row(charts, function, report.of(function), advice)
    return png(figure)


def _row(charts: Sequence[Axes], function: str, rows: Sequence[Measurement], advice: Advice | None) -> None:
    timed = [row for row in rows if row.cost_per_million is not None]
    cost, batch, image = charts
    cost.set_title(f"{function}: $ per million images", loc="left", fontsize="medium")
    batch.set_title(f"{function}: ms a batch, median, and up to p99", loc="left", fontsize="medium")
    image.set_title(f"{function}: ms an image, 5 to 95 %, quartiles and median", loc="left", fontsize="medium")
    if not timed:
        cost.text(0.5, 0.5, "no size is large enough", ha="center", transform=cost.transAxes)
        return
    _cost(cost, timed)
    _batch(batch, timed)
    _image(image, timed)
    for chart in (batch, image):
        chart.set_yscale("log")
        chart.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for chart in charts:
        _label_axes(chart, [row.memory_mb for row in rows])
        refused = [row.memory_mb for row in rows if row.verdict != "ok"]
        chart.plot(refused, [0.04] * len(refused), "x", color=REFUSED, transform=chart.get_xaxis_transform())
        if advice:
            chart.axvline(advice.cheapest.memory_mb, color=CHOSEN, linewidth=6, zorder=0)


def _cost(chart: Axes, rows: Sequence[Measurement]) -> None:
    costs = [row.cost_per_million or 0 for row in rows]
    lows, highs = [row.cost_low or row.cost_per_million or 0 for row in rows], list(map(_top, rows))
    _curve(chart, rows, costs, (lows, highs), COST)
    chart.set_ylim(0, ROOM * max(highs))
    lowest = min(rows, key=lambda row: row.cost_per_million or 0)
    for row in {lowest.memory_mb: lowest, rows[-1].memory_mb: rows[-1]}.values():
        at = (row.memory_mb, _top(row))
        chart.annotate(f"{row.cost_per_million:,.2f}", at, (0, 4), textcoords="offset points", ha="center", color=COST)


def _top(row: Measurement) -> float:
    return row.cost_high or row.cost_per_million or 0


def _batch(chart: Axes, rows: Sequence[Measurement]) -> None:
    medians = [row.batch_p50_ms or 0 for row in rows]
    _curve(chart, rows, medians, (medians, [row.batch_p99_ms or 0 for row in rows]), BATCH)


def _image(chart: Axes, rows: Sequence[Measurement]) -> None:
    sizes = [row.memory_mb for row in rows]
    names = {"whislo": "5", "q1": "25", "med": "50", "q3": "75", "whishi": "95"}
    chart.bxp(
        [{name: row.image_ms_percentiles[percent] for name, percent in names.items()} for row in rows],
        positions=sizes,
        widths=[BOX_WIDTH * size for size in sizes],
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": BAND, "edgecolor": IMAGE},
        medianprops={"color": IMAGE, "linewidth": 2},
        whiskerprops={"color": IMAGE},
        capprops={"color": IMAGE},
    )


def _curve(
    chart: Axes,
    rows: Sequence[Measurement],
    values: Sequence[float],
    bars: tuple[Sequence[float], Sequence[float]],
    colour: str,
) -> None:
    """Draw a curve with bars from the first of `bars` to the second; a modelled size has an empty dot."""
    sizes = [row.memory_mb for row in rows]
    lengths = [[abs(end - value) for end, value in zip(ends, values, strict=True)] for ends in bars]
    chart.errorbar(sizes, values, lengths, color=colour, capsize=3)
    inside = [colour if row.how == "measured" else "white" for row in rows]
    chart.scatter(sizes, values, s=30, c=inside, edgecolors=colour, zorder=3)


def _label_axes(chart: Axes, sizes: Sequence[int]) -> None:
    """Put a tick at each size that was run, with plain numbers."""
    chart.set_xscale("log")
    chart.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=90, fontsize="small")
    chart.xaxis.set_minor_locator(NullLocator())
    chart.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    chart.yaxis.set_minor_formatter(NullFormatter())
    chart.grid(axis="y", alpha=0.4)
