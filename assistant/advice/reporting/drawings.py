"""Plots as they stand within a page: SVG cut down to shapes, with ids and names of its own.

What matplotlib draws as a file would not do inside a page that allows no style but its own: styles become attributes, which
need no permission, a style sheet for everything goes away, and ids get a prefix, since a page holds several drawings.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_SHAPES = frozenset({"svg", "g", "defs", "path", "rect", "use", "clipPath", "circle", "line", "polyline", "polygon"})
_ATTRIBUTES = frozenset({
    "id", "d", "x", "y", "width", "height", "transform", "viewBox", "points", "cx", "cy", "r", "x1", "x2", "y1", "y2",
    "clip-path", "fill", "fill-opacity", "opacity", "stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-opacity", "stroke-width",
})  # fmt: skip
_WITHIN = re.compile(r"^url\(#([\w.-]+)\)$")
_ID = re.compile(r"^[\w.-]+$")


def inline_svg(svg: str, prefix: str, described_by: str) -> str:
    """A drawing for use within HTML: shapes only, nothing that loads, runs or styles.

    Args:
        svg: The file that was drawn.
        prefix: Begins every id in it; unique in the page.
        described_by: Id of the element that says what the drawing shows.
    """
    root = ET.fromstring(svg)  # comments, which can hold names of others, are not read
    _clean(root, prefix)
    width, height = (float(re.sub(r"[^\d.]", "", root.get(side, "")) or 0) for side in ("width", "height"))
    root.attrib.pop("width", None)
    root.attrib.pop("height", None)
    if "viewBox" not in root.attrib:
        root.set("viewBox", f"0 0 {width:g} {height:g}")
    for key, value in (
        ("role", "img"),
        ("aria-labelledby", described_by),
        ("stroke-linejoin", "round"),
        ("stroke-linecap", "butt"),
    ):
        root.set(key, value)
    return ET.tostring(_without_namespaces(root), encoding="unicode")


def _clean(node: ET.Element, prefix: str) -> None:
    for child in list(node):
        if _local(child) in _SHAPES:
            _clean(child, prefix)
        else:
            node.remove(child)
    for key, value in (*_declarations(node.get("style", "")), *node.attrib.items()):
        node.attrib.pop(key, None)
        if kept := _attribute(key, value, prefix):
            node.set(*kept)
    node.text = node.tail = None


def _declarations(style: str) -> list[tuple[str, str]]:
    pairs = (declaration.partition(":") for declaration in style.split(";"))
    return [(key.strip(), value.strip()) for key, _, value in pairs if value.strip()]


def _attribute(key: str, value: str, prefix: str) -> tuple[str, str] | None:
    """The attribute as it is kept; None when it is not."""
    if key == _LINK or key == "href":
        target = value.removeprefix("#")
        return ("href", f"#{prefix}{target}") if value.startswith("#") and _ID.match(target) else None
    if key not in _ATTRIBUTES or "<" in value:
        return None
    if key == "id":
        return (key, f"{prefix}{value}") if _ID.match(value) else None
    if "url(" in value or key == "clip-path":
        within = _WITHIN.match(value)
        return (key, f"url(#{prefix}{within[1]})") if within else None
    return key, " ".join(value.split())


def _without_namespaces(node: ET.Element) -> ET.Element:
    """The same tree with plain names, as HTML writes SVG."""
    for each in node.iter():
        each.tag = _local(each)
    return node


def _local(node: ET.Element) -> str:
    return node.tag.removeprefix(_SVG)
