"""Read the creator and the rights from an XMP packet; it may be hostile, so a document type ends it.

Source: XMP specification, part 1, 7 for RDF, 8.4 for Dublin Core, and 7.1 for the encodings.
"""

import re
from collections.abc import Mapping

CREATOR, RIGHTS = "creator", "rights"

_RDF, _DC = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://purl.org/dc/elements/1.1/"
_PREFIXES = {"rdf": _RDF, "dc": _DC}
"""What prefixes mean that a packet does not declare."""

_FIELDS = {_DC + CREATOR: CREATOR, _DC + RIGHTS: RIGHTS}
_DESCRIPTION = f"{_RDF}Description"
_ALTERNATIVES, _ITEM, _VALUE = f"{_RDF}Alt", f"{_RDF}li", f"{_RDF}value"

_DECLARATION = re.compile(r"^\s*<\?xml\s[^>]*>")
_BARE_AMPERSAND = re.compile(r"&(?!(?:#\d+|#x[0-9A-Fa-f]+|amp|lt|gt|quot|apos);)")


def packet_text(packet: bytes) -> str:
    """Return the text of a packet in UTF-8, UTF-16 or UTF-32, as the zeros in its first letter show."""
    if packet[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return packet.decode("utf-32" if packet[2:4] == b"\0\0" else "utf-16", "replace")
    zeros = tuple(byte == 0 for byte in packet[:4])
    encodings: dict[tuple[bool, ...], str] = {
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
    }
    return packet.decode(encodings.get(zeros, "utf-8-sig"), "replace")


def read_xmp(packet: str) -> Mapping[str, str]:
    """Return the picture's creator and rights as far as the packet can be read; several creators are joined."""
    text = _DECLARATION.sub("", packet)
    found, whole = _read(text)
    return found if whole else _read(_BARE_AMPERSAND.sub("&amp;", text))[0]


def _read(text: str) -> tuple[Mapping[str, str], bool]:
    """Return the properties in a text, and whether it is well-formed."""
    # Only pictures with a packet pay for loading the parser.
    from xml.parsers import expat  # noqa: PLC0415

    found, parser = _Properties(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler = found.text
    try:
        # Within an element, expat accepts neither a document type nor, therefore, any entity.
        parser.Parse(f"<packet>{text}", False)  # noqa: FBT003
    except expat.ExpatError:
        return found.texts, False
    return found.texts, True


class _Properties:
    """Collects the two properties while the parser goes through a packet.

    `_inside` counts the elements around the current one that are properties of a description: what they contain is
    said of something else, such as an ingredient of the picture.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._spaces = dict(_PREFIXES)
        self._path: list[str] = []
        self._descriptions = self._inside = 0
        self._field, self._depth = "", 0
        self._items: list[tuple[str, list[str]]] = []
        self._alternatives = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Note an element: one of the properties, an item of its list, or a description with properties."""
        self._spaces.update({key[6:]: value for key, value in attributes.items() if key.split(":")[0] == "xmlns"})
        name = self._resolved(tag)
        self._path.append(name)
        if self._field:
            self._start_item(name, attributes.get("xml:lang", ""))
        elif name in _FIELDS and not self._inside:
            self._field, self._depth = _FIELDS[name], len(self._path)
            self._items, self._alternatives = [("", [])], False
        elif name != _DESCRIPTION:
            self._inside += self._descriptions > 0
        else:
            self._descriptions += 1
            for key, value in attributes.items() if not self._inside else ():
                self._keep(_FIELDS.get(self._resolved(key), ""), value)

    def _start_item(self, name: str, language: str) -> None:
        self._alternatives |= name == _ALTERNATIVES
        if name == _ITEM:
            self._items.append((language, []))

    def text(self, text: str) -> None:
        """Note text in a property or in an item of its list."""
        if self._field and (len(self._path) == self._depth or self._path[-1] in (_ITEM, _VALUE)):
            self._items[-1][1].append(text)

    def end(self, _tag: str) -> None:
        """Keep a property that is complete."""
        name = self._path.pop()
        if self._field:
            if len(self._path) < self._depth:
                self._keep(self._field, self._joined())
                self._field = ""
        elif name == _DESCRIPTION:
            self._descriptions -= 1
        else:
            self._inside -= self._descriptions > 0

    def _joined(self) -> str:
        """Return the texts of a list, or of alternatives that for all languages, or else the first."""
        items = [(language, "".join(parts).strip()) for language, parts in self._items]
        texts = {text: language for language, text in items if text}
        if self._alternatives and texts:
            return next((text for text, language in texts.items() if language == "x-default"), next(iter(texts)))
        return "; ".join(texts)

    def _keep(self, field: str, text: str) -> None:
        if field and text.strip():
            self.texts.setdefault(field, text.strip())

    def _resolved(self, tag: str) -> str:
        prefix, _, local = tag.rpartition(":")
        return self._spaces.get(prefix, "") + local
