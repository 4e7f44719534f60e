"""Elements of SVG, everything in them escaped."""

from __future__ import annotations

from markupsafe import Markup


def element(name: str, *inside: Markup | str, **attributes: object) -> Markup:
    """One element.

    Args:
        name: of the element.
        inside: elements, and text, which is escaped.
        attributes: ``stroke_width`` becomes ``stroke-width``, ``class_`` becomes ``class``; None is left out.
    """
    told = Markup().join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, told, Markup().join(inside))
