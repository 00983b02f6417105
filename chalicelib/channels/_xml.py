"""XML as platforms post it, as plain values. No document types, no entities, no depth."""

from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, fromstring

from chalicelib.errors import MalformedPayload

_DEEPEST = 20
_FORBIDDEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])
"""What XML 1.0 cannot carry."""


def read_xml(body: bytes) -> Any:
    """The root's children by name (a list where a name repeats), texts stripped.

    MalformedPayload for what is no XML, has a document type or is nested too deeply.
    """
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, ValueError, LookupError) as error:
        raise MalformedPayload("not XML") from error
    return _value(root, 0)


def cdata(text: str) -> str:
    """A text as XML carries it; the one sequence that would end it is cut in two."""
    plain = text.translate(_FORBIDDEN).encode("utf-8", "replace").decode()
    return f"<![CDATA[{plain.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _value(element: Element, depth: int) -> Any:
    if depth > _DEEPEST:
        raise MalformedPayload("nested too deeply")
    if not len(element):
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in element:
        _put(found, child.tag, _value(child, depth + 1))
    return found


def _put(found: dict[str, Any], name: str, value: Any) -> None:
    known = found.get(name)
    if isinstance(known, list):
        known.append(value)
    else:
        found[name] = value if known is None else [known, value]
