"""The pictures of docs/: SVG, 420 wide with letters of 13 and more, so that they can be read on a phone, in the colours of
the page's theme, light or dark."""

import math
import sys
import textwrap
from html import escape

WIDTH = 420
MARGIN = 14

# The colours of docs/plots: paper, ink, and one for each part that a picture tells apart.
LIGHT = {"paper": "#ffffff", "ink": "#1c2128", "soft": "#57606a", "grid": "#c4cad1",
         "blue": "#0a68a8", "orange": "#cc5500", "green": "#00805d", "pink": "#b0467f"}
DARK = {"paper": "#14181d", "ink": "#e6e9ed", "soft": "#a3adb8", "grid": "#454e59",
        "blue": "#5ab4ef", "orange": "#f0913d", "green": "#2fc397", "pink": "#e58fbf"}


def number(value):
    return f"{value:.1f}".removesuffix(".0")


class Picture:
    """One SVG in the making; coordinates are pixels from the top left."""

    def __init__(self, name, title, description):
        self.name, self.title, self.description = name, title, description
        self.parts = []
        self.bottom = 0
        self.text(MARGIN, 26, title, size=16, weight=600)

    def box(self, x, y, width, height, colour, fill=0.0, line=1.0):
        """A rectangle: `fill` is how much of its colour covers the paper, `line` how wide its border is."""
        border = f'stroke="currentColor" stroke-width="{number(line)}"' if line else 'stroke="none"'
        self.parts.append(f'<rect class="{colour}" x="{number(x)}" y="{number(y)}" width="{number(width)}" '
                          f'height="{number(height)}" fill="currentColor" fill-opacity="{fill:g}" {border}/>')
        self.bottom = max(self.bottom, y + height)

    def cells(self, x, y, columns, rows, width, height, colour="grid", fill=0.0):
        """A grid of equal boxes."""
        self.box(x, y, columns * width, rows * height, colour, fill)
        path = [f"M{number(x + i * width)} {number(y)}v{number(rows * height)}" for i in range(1, columns)]
        path += [f"M{number(x)} {number(y + i * height)}h{number(columns * width)}" for i in range(1, rows)]
        if path:
            self.parts.append(f'<path class="{colour}" stroke="currentColor" fill="none" d="{"".join(path)}"/>')

    def text(self, x, y, words, colour="ink", size=14, anchor="start", weight=400):
        # Half of the size a letter is what the widest of the usual fonts takes.
        if anchor == "start" and x + len(words) * size / 2 > WIDTH - 6:
            sys.exit(f"{self.name}.svg: no room for \"{words}\"")
        bold = f' font-weight="{weight}"' if weight != 400 else ""
        self.parts.append(f'<text class="{colour}" x="{number(x)}" y="{number(y)}" font-size="{size}" '
                          f'text-anchor="{anchor}"{bold}>{escape(words)}</text>')
        self.bottom = max(self.bottom, y + 4)

    def lines(self, x, y, *lines, **how):
        """Lines of text one below the other."""
        for i, words in enumerate(lines):
            self.text(x, y + 19 * i, words, **how)

    def note(self, y, words, colour="soft"):
        """A paragraph over the whole width; where the next one may begin."""
        lines = textwrap.wrap(words, 51)
        self.lines(MARGIN, y, *lines, colour=colour)
        return y + 19 * len(lines) + 6

    def line(self, points, colour="soft", width=1.5):
        """A line through the points."""
        path = "L".join(f"{number(x)} {number(y)}" for x, y in points)
        self.parts.append(f'<path class="{colour}" stroke="currentColor" stroke-width="{width:g}" fill="none" d="M{path}"/>')
        self.bottom = max([self.bottom, *(y for _, y in points)])

    def dot(self, x, y, colour, radius=4.5):
        self.parts.append(f'<circle class="{colour}" fill="currentColor" cx="{number(x)}" cy="{number(y)}" r="{radius:g}"/>')

    def arrow(self, points, colour="soft"):
        """A line through the points with a head at its end."""
        (x0, y0), (x1, y1) = points[-2:]
        angle = math.atan2(y1 - y0, x1 - x0)
        path = "L".join(f"{number(x)} {number(y)}" for x, y in points)
        wings = "".join(f"M{number(x1)} {number(y1)}L{number(x1 - 8 * math.cos(angle + turn))} "
                        f"{number(y1 - 8 * math.sin(angle + turn))}" for turn in (-0.45, 0.45))
        self.parts.append(f'<path class="{colour}" stroke="currentColor" stroke-width="1.5" fill="none" '
                          f'd="M{path}{wings}"/>')

    def svg(self):
        height = number(self.bottom + MARGIN)
        styles = "text{fill:currentColor}" + "".join(f".{k}{{color:{v}}}" for k, v in LIGHT.items())
        styles += "@media (prefers-color-scheme:dark){" + "".join(f".{k}{{color:{v}}}" for k, v in DARK.items()) + "}"
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
                f'height="{height}" role="img" aria-labelledby="{self.name}-title {self.name}-desc" '
                f'font-family="system-ui, sans-serif">')
        return "\n".join([head, f'<title id="{self.name}-title">{escape(self.title)}</title>',
                          f'<desc id="{self.name}-desc">{escape(self.description)}</desc>', f"<style>{styles}</style>",
                          '<rect class="paper" fill="currentColor" width="100%" height="100%"/>', *self.parts,
                          "</svg>\n"])
