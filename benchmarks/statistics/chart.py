"""The power curves as an SVG, from the record alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 360, 60, 20, 170, 50
COLOURS = ("#1b6ca8", "#c05621", "#2f855a", "#6b46c1")


def power(curves: Sequence[dict[str, Any]]) -> str:
    """Share of the verdict "better" by true relative lift, a line for each curve."""
    top = max(p["lift"] for c in curves for p in c["points"])
    steps = [n / 20 for n in range(int(top * 20) + 2)]
    across, up = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(lift: float, share: float) -> tuple[float, float]:
        return LEFT + across * lift / steps[-1], TOP + up * (1 - share)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for n in range(6):
        x, y = place(0, n / 5)
        end = place(steps[-1], 0)[0]
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{end:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{n * 20} %</text>')
    for step in steps:
        x, y = place(step, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{step:+.0%}</text>')
    x, y = place(steps[-1] / 2, 0)
    parts.append(f'<text x="{x:.1f}" y="{y + 38:.1f}" text-anchor="middle">true difference</text>')
    for n, curve in enumerate(curves):
        colour = COLOURS[n]
        points = [place(p["lift"], p["verdicts"].get("better", 0.0)) for p in curve["points"]]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
        label = f"{curve['seeds']} seeds, {curve['users']:,} users"
        at = TOP + 14 + 20 * n
        parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{at}" fill="{colour}">{label}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
