"""A matplotlib figure as SVG, the same bytes every time on one machine."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from recmerge_bench.errors import HandledError
from recmerge_bench.report.figures.portable import portable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Told apart by people who do not see some colours (after Okabe and Ito).
COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6a00", "#56b4e9", "#b3264f", "#4d5761",
)  # fmt: skip
#: Characters that a drawing has room for: in its title, in names.
LONGEST_TITLE, LONGEST = 120, 48
#: Largest print of a title, points, and the width of a character as a share of that.
TITLE_SIZE, TITLE_WIDTH = 10.0, 0.62


def label(text: str, longest: int = LONGEST) -> str:
    """A name as a drawing shows it: one line of printable characters, shortened in the middle.

    A dollar in it is a dollar and begins no formula, unlike those in the numbers of an axis.
    """
    line = "".join(c if c.isprintable() else "?" for c in text)
    half = longest // 2
    short = line if len(line) <= longest else f"{line[: half - 1]}…{line[-half:]}"
    return short.replace("$", r"\$")


def head(figure: Figure, title: str) -> None:
    """A title over all panels, in print that the figure is wide enough for."""
    text = label(title, LONGEST_TITLE)
    room = 72 * figure.get_figwidth() / (TITLE_WIDTH * max(1, len(text)))
    figure.suptitle(text, fontsize=min(TITLE_SIZE, room))


def drawn(name: str, size: tuple[float, float], paint: Callable[[Figure], None]) -> str:
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
        remedy = "pip install -c constraints.txt matplotlib"
        raise HandledError(f"drawing figures needs matplotlib: {remedy}") from None
    from io import StringIO

    # The SVG holds text, so the viewer's fonts have the glyphs.
    with (
        matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure)
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    return portable(text)
