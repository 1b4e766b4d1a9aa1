"""Charts by matplotlib, as PNG."""

import io
from collections.abc import Mapping

from matplotlib.figure import Figure

from benchmarks.measuring import Samples

WIDTH_INCHES, BAR_INCHES, AXIS_INCHES = 10.0, 0.35, 0.7
BAR, WHISKER = "#6096c8", "#c8503c"


def png(figure: Figure) -> bytes:
    """Return a figure's PNG."""
    file = io.BytesIO()
    figure.savefig(file, format="png", pil_kwargs={"optimize": True})
    return file.getvalue()


def bars(samples: Mapping[str, Samples]) -> bytes:
    """Draw a bar to each median, and a line from quartile to quartile; each unit has its own chart."""
    units = list(dict.fromkeys(one.unit for one in samples.values()))
    groups = [{name: one for name, one in samples.items() if one.unit == unit} for unit in units]
    heights = [BAR_INCHES * len(group) + AXIS_INCHES for group in groups]
    figure = Figure(figsize=(WIDTH_INCHES, sum(heights)), layout="constrained")
    grid = figure.subplots(len(groups), squeeze=False, height_ratios=heights)
    for (chart,), unit, group in zip(grid, units, groups, strict=True):
        medians = [one.median for one in group.values()]
        low = [one.median - one.spread[0] for one in group.values()]
        high = [one.spread[1] - one.median for one in group.values()]
        drawn = chart.barh(list(group), medians, xerr=(low, high), color=BAR, ecolor=WHISKER)
        chart.bar_label(drawn, fmt="{:,.1f}", padding=4)
        chart.set_xlabel(unit)
        chart.invert_yaxis()
        chart.margins(x=0.1)
    return png(figure)
