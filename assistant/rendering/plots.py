"""Plots of a profile: speed, memory, roofline and variants, as figures for the page and as PNG or SVG files."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assistant.languages import Language
from assistant.phrases import say
from assistant.rendering.plot_memory import draw_memory, has_memory
from assistant.rendering.plot_roofline import draw_roofline, has_roofline
from assistant.rendering.plot_speed import draw_speed, has_speed
from assistant.rendering.plot_variants import draw_variants, has_variants
from assistant.rendering.style import code
from tools.errors import InvalidArgument

if TYPE_CHECKING:
    from assistant.evidence import Evidence

Panel = Literal["speed", "memory", "roofline", "variants"]
PANELS: tuple[Panel, ...] = ("speed", "memory", "roofline", "variants")
"""What a profile can be drawn as, in the order in which it is shown."""

_PANEL_INCHES = (5.4, 4.6)
_DOTS_PER_INCH = 144
_JAPANESE_FONTS = ("Noto Sans CJK JP", "IPAexGothic", "IPAGothic", "Hiragino Sans", "Yu Gothic", "TakaoGothic")
# The same record gives the same bytes: no date, and names of parts that do not depend on the process.
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def panels_of(record: Any) -> tuple[Panel, ...]:
    """The panels that a `Profile` has figures for; older ones lack some."""
    found: dict[Panel, bool] = {
        "speed": has_speed(record),
        "memory": has_memory(record),
        "roofline": has_roofline(record),
        "variants": has_variants(record),
    }
    return tuple(panel for panel in PANELS if found[panel])


def profile_figure(
    record: Any, language: Language, panels: Sequence[Panel] | None = None, *, device_mib: float | None = None
) -> Any:
    """A matplotlib figure of a `Profile`.

    Args:
        record: The profile.
        language: Language of the labels.
        panels: What to draw, one or several side by side; absent draws all that the record has figures for.
        device_mib: Memory that is there, in MiB; the memory panel draws it as the limit.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (heavy import, only when needed)

    # Without a Japanese font the labels would be boxes; English is read more easily than boxes.
    spoken: Language = language if _use_japanese_font() else "en"
    present = panels_of(record)
    shown: list[Panel] = [panel for panel in (present if panels is None else panels) if panel in present]
    columns = min(2, len(shown)) or 1
    rows = -(-len(shown) // columns) or 1
    figure = Figure(
        figsize=(_PANEL_INCHES[0] * columns, _PANEL_INCHES[1] * rows + 0.3), dpi=_DOTS_PER_INCH, layout="constrained"
    )
    areas = figure.subfigures(rows, columns, squeeze=False).flat
    draw: dict[Panel, Callable[[Any], None]] = {
        "speed": lambda area: draw_speed(area, record, spoken),
        "memory": lambda area: draw_memory(area, record, spoken, device_mib),
        "roofline": lambda area: draw_roofline(area, record, spoken),
        "variants": lambda area: draw_variants(area, record, spoken),
    }
    for panel, area in zip(shown, areas, strict=False):
        area.suptitle(say(f"plot.panel.{panel}", spoken), x=0.02, ha="left", fontsize=10, fontweight="bold")
        draw[panel](area)
    # A name is no formula: a `$` in it would be read as mathematics, and a lone brace then ends the plot.
    figure.suptitle(code(record.model, 60), fontsize=10, parse_math=False)
    return figure


def profile_png(record: Any, language: Language, **options: Any) -> bytes:
    """The figure as a PNG image; options are those of `profile_figure`."""
    buffer = io.BytesIO()
    profile_figure(record, language, **options).savefig(buffer, format="png")
    return buffer.getvalue()


def profile_svg(record: Any, language: Language, **options: Any) -> str:
    """The figure as SVG, letters as outlines: it looks the same where no Japanese font is installed."""
    import matplotlib  # noqa: PLC0415 (heavy import, only when needed)

    figure = profile_figure(record, language, **options)
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "tameshi", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    return buffer.getvalue()


def device_mib_of(evidence: Sequence[Evidence], model: str) -> float | None:
    """Memory that is there in MiB, as the user named it for the newest forecast of the model; None where nobody did.

    Args:
        evidence: Evidence of the user, newest first.
        model: Canonical reference.
    """
    named = (e.record.get("device_memory_gib") for e in evidence if e.tool == "estimate_memory" and e.model == model)
    gib = next((gib for gib in named if gib), None)
    return None if gib is None else 1024 * gib


def check_plot_file(path: Path) -> None:
    """Raise when a plot cannot be written there, which is better known before a long measurement.

    Raises:
        InvalidArgument: Another ending than .png or .svg, or no folder to write into.
    """
    if path.suffix.lower() not in {".png", ".svg"}:
        raise InvalidArgument(f"`{path.name}` has no ending that a plot can have.", "Use .png or .svg.")
    if not path.parent.is_dir():
        raise InvalidArgument(f"The folder of `{path.name}` does not exist.", "Create it or name another one.")


def write_plot(record: Any, path: Path, language: Language, **options: Any) -> None:
    """Write the figure as PNG or SVG, by the file's ending.

    Raises:
        InvalidArgument: As for `check_plot_file`.
    """
    check_plot_file(path)
    if path.suffix.lower() == ".svg":
        path.write_text(profile_svg(record, language, **options), encoding="utf-8")
    else:
        path.write_bytes(profile_png(record, language, **options))


@cache
def _use_japanese_font() -> bool:
    """Whether Japanese labels can be drawn; from the first call on the font also serves Japanese names in English plots."""
    import matplotlib  # noqa: PLC0415 (heavy import, only when needed)
    from matplotlib import font_manager  # noqa: PLC0415 (as above)

    installed = {f.name for f in font_manager.fontManager.ttflist}
    found = next((name for name in _JAPANESE_FONTS if name in installed), None)
    if found:
        matplotlib.rcParams["font.family"] = [found, "DejaVu Sans"]
    return found is not None
