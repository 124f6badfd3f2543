"""A matplotlib figure as SVG, the same bytes every time on one machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.report.figures.portable import portable


def drawn(name: str, size: tuple[float, float], paint: Callable[[Any], None]) -> str:
    """A figure as SVG; the same on other machines within `recmerge_bench.report.figures.portable`.

    Args:
        name: of the figure: names within the file follow from it.
        size: inches.
        paint: draws on the matplotlib figure that it is handed.

    Raises:
        HandledError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        mend = "pip install -c constraints.txt matplotlib"
        raise HandledError(f"drawing figures needs matplotlib: {mend}") from None
    from io import StringIO

    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure)
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    return portable(text)
