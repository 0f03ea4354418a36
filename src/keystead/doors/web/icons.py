"""The drawings of Keystead: the keystone mark and a dozen line icons, as inline SVG.

Inline, so that they cost no request and take the colour of the text around them. Every drawing is decoration: what it
means stands beside it in words, hence ``aria-hidden``.
"""

from typing import Final

MARK: Final = (
    '<svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">'
    '<path fill="currentColor" d="M10.9 4.5A13.5 13.5 0 0 0 2.5 17v12h6V17a7.5 7.5 0 0 1 4.7-6.9z'
    'M21.1 4.5A13.5 13.5 0 0 1 29.5 17v12h-6V17a7.5 7.5 0 0 0-4.7-6.9z"/>'
    '<path class="wedge" d="M11.6 1.5h8.8l-2.5 10.2h-3.8z"/></svg>'
)
"""A wedge in an arch, 32 x 32 units. The arch has the colour of the text, the wedge that of the accent."""

_LINES: Final = {
    "alert": '<path d="M12 8v5m0 3.2v.1"/><circle cx="12" cy="12" r="9.2"/>',
    "arrow": '<path d="M5 12h13m-5.5-5.5L18 12l-5.5 5.5"/>',
    "check": '<path d="m5 12.5 4.6 4.6L19 7.6"/>',
    "chevron": '<path d="m6.5 9.5 5.5 5.5 5.5-5.5"/>',
    "external": '<path d="M10 5H5v14h14v-5M13.5 4.5h6v6m0-6L11 13"/>',
    "grid": '<path d="M4.5 4.5h6v6h-6zm9 0h6v6h-6zm0 9h6v6h-6zm-9 0h6v6h-6z"/>',
    "info": '<path d="M12 11v5.5m0-8.7v-.1"/><circle cx="12" cy="12" r="9.2"/>',
    "key": '<circle cx="8" cy="12" r="4.2"/><path d="M12.2 12H21m-3 0v3.6M15 12v2.4"/>',
    "lock": '<path d="M5.5 10.5h13v9.5h-13zM8.5 10.5V7.6a3.5 3.5 0 0 1 7 0v2.9M12 14.3v2"/>',
    "search": '<circle cx="10.8" cy="10.8" r="6.3"/><path d="m15.4 15.4 4.6 4.6"/>',
    "settings": (
        '<path d="M4 7h9m5 0h2M4 17h2m5 0h9"/><circle cx="15.5" cy="7" r="2.5"/><circle cx="8.5" cy="17" r="2.5"/>'
    ),
    "signout": '<path d="M14 7.5V4.5H4.5v15H14v-3M9.5 12H20m-3.8-3.8L20 12l-3.8 3.8"/>',
    "user": '<circle cx="12" cy="8.2" r="4"/><path d="M4 20.2a8 8 0 0 1 16 0"/>',
}

ICONS: Final = {
    name: (
        '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor"'
        ' stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
        f"{lines}</svg>"
    )
    for name, lines in _LINES.items()
}
"""Icon name -> SVG text on a 24 x 24 grid, drawn in the colour of the text."""
