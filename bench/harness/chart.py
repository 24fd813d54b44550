# SPDX-License-Identifier: Apache-2.0
"""A bar chart of the runs as SVG, readable on light and dark pages alike."""

from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 720, 110, 90, 30, 56
STYLE = """\
  text { font: 14px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 16px; }
  .small { font-size: 12px; fill: #57606a; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  .floor { fill: #afb8c1; }
  .axis { stroke: #d0d7de; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .small { fill: #8d96a0; }
    .bar { fill: #6e7681; }
    .ours { fill: #4493f8; }
    .floor { fill: #484f58; }
    .axis { stroke: #30363d; }
  }"""


def bar_class(name):
    if name == "skiff":
        return "ours"
    return "floor" if name == "floor" else "bar"


def runs(cases, subtitle):
    """Bars of the medians in milliseconds, shortest first; a line from the bar to its p99."""
    rows = sorted(((name, row["median"], row["p99"]) for name, row in cases.items()
                   if "median" in row and name != "process"), key=lambda row: row[1])
    if not rows:
        return None
    longest = max(median for _, median, _ in rows)
    scale = (WIDTH - LEFT - RIGHT) / longest
    height = TOP + ROW * len(rows) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
           f'width="{WIDTH}" height="{height}" role="img" '
           'aria-label="time of one run --rm, in milliseconds">',
           f"<style>\n{STYLE}\n</style>",
           '<text class="title" x="12" y="22">run --rm --network none IMAGE true: '
           'the whole command, median ms</text>',
           f'<text class="small" x="12" y="42">{escape(subtitle)}</text>',
           f'<line class="axis" x1="{LEFT}" y1="{TOP - 4}" x2="{LEFT}" y2="{height - 16}"/>']
    for index, (name, median, _) in enumerate(rows):
        y = TOP + ROW * index
        width = max(1.5, median * scale)
        value = f"{median:.1f}" if median < 100 else f"{median:.0f}"
        out += [f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>',
                f'<rect class="{bar_class(name)}" x="{LEFT}" y="{y}" width="{width:.1f}" '
                f'height="{ROW - 9}" rx="2"/>',
                f'<text x="{LEFT + width + 8:.1f}" y="{y + 16}">{value}</text>']
    return "\n".join([*out, "</svg>", ""])
