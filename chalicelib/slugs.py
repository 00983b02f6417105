"""Names of carriers and numbers of parcels, written one way whoever says them (EVENTS, Parcel)."""

from typing import Any
from unicodedata import normalize

_ALIASES = {
    "ups": "unitedparcelservice upsdap upsground upsmailinnovations upssurepost",
    "fedex": "federalexpress fedexdefault fedexground fedexsmartpost fedexexpress",
    "usps": "uspostalservice unitedstatespostalservice uspsinternational",
    "dhl": "dhlexpress dhlexpresscanada",
    "dhlecommerce": "dhlecs dhlglobalmail dhlglobalmailinternational dhlecommerceasia",
    "australiapost": "auspost",
    "amazonlogistics": "amazonlogisticsus amazonlogisticsuk amazonshipping amazonmws",
    "lasership": "lasershipv2",
    "ontrac": "ontracv2 ontracv3",
    "japanpost": "japanpostja japanposten 日本郵便",
    "yamato": "yamatoja yamatoen kuronekoyamato ヤマト運輸",
    "sagawa": "sagawaja sagawaen 佐川急便",
    "sfexpress": "sf 顺丰速运 順豐速運",
    "4px": "fourpx",
}
_SLUGS = {alias: slug for slug, aliases in _ALIASES.items() for alias in aliases.split()}


def slug(name: Any) -> str:
    """`ups` of `UPS`, `UPSDAP` or `United Parcel Service`; letters and digits of an unknown name.

    `other` where the vendor names none. Separators go, so `CanadaPost` meets `Canada Post`.
    """
    text = normalize("NFKC", name).lower() if isinstance(name, str) else ""
    letters = "".join(c for c in text if c.isalnum())
    return _SLUGS.get(letters, letters) or "other"


def number(text: Any) -> str:
    """A tracking number, upper-case and without spaces; ValueError for none."""
    if isinstance(text, bool) or not isinstance(text, str | int) or not str(text).strip():
        raise ValueError("no tracking number")
    return "".join(str(text).split()).upper()
