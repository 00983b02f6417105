"""A first, simple reader: words that people use when they complain, ask, or want to be left alone.

It knows eight languages a little, and abstains when no word of its list is there.
"""

import re
from collections.abc import Mapping

from chalicelib.payloads import Entities, Intent
from chalicelib.reading import Reading

_CUES: Mapping[Intent, str] = {
    "complaint": "complain complaint angry terrible awful unacceptable disgusting worst broken"
    " damaged smashed cracked ruined defective scam rip-off disappointed furious queja reclamo roto"
    " rota inaceptable reclamação quebrado beschwerde kaputt beschädigt plainte cassé inadmissible"
    " 投诉 破损 坏了 壊れ 破損 苦情 불만 파손 고장",
    "delivery_problem": "late delayed lost missing never-arrived not-arrived wrong-item retrasado"
    " perdido atrasado verspätet verloren retard perdu 没收到 届かない 안왔어요",
    "return_refund": "refund money-back return reembolso devolución devolver erstattung rückgabe"
    " remboursement retour 退款 退货 返金 返品 환불 반품",
    "where_is_my_order": "where-is-my order-status tracking track dónde-está onde-está"
    " wo-ist où-est 在哪 どこ 어디",
    "human_handoff": "human agent real-person talk-to-someone persona humano mensch conseiller"
    " 人工 人間 상담원",
    "order_change": "cancel change-my-order cancelar stornieren annuler 取消 キャンセル 취소",
    "place_order": "i-want-to-buy i-would-like-to-order quiero-comprar quero-comprar bestellen"
    " je-voudrais-commander 我想买 注文したい 주문하고",
    "praise": "thank thanks great love-it awesome perfect gracias obrigado danke merci 谢谢"
    " ありがとう 감사",
}
_STOP = frozenset(
    ("stop unsubscribe stopall quit optout baja parar stopp arrêt arret 退订 停止 수신거부").split()
)
_SEVERE = re.compile(r"lawyer|legal|police|fire|injur|allerg|unacceptable|never again|!{2,}", re.I)
_ORDER = re.compile(r"(?:#|\border\s*(?:no\.?|number)?\s*#?)\s*([A-Z]{0,4}-?\d{3,12})\b", re.I)
_TRACKING = re.compile(r"\b(1Z[0-9A-Z]{16}|[A-Z]{2}\d{9}[A-Z]{2}|EZ\d{10})\b")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_PHONE = re.compile(r"(?<![\w#])\+?\d[\d ()-]{7,16}\d\b")
_NEGATIVE: tuple[Intent, ...] = ("complaint", "delivery_problem")
_CONFIDENT = 0.5


class Words:
    """Counts cues; the intent with most of them wins, ties in the order of the table."""

    def read(self, text: str, lang: str | None = None) -> Reading:
        folded = " ".join(text.casefold().split())
        if folded.strip(" .!") in _STOP:
            return self._reading("opt_out", 0.99, text, lang)
        hits: dict[Intent, int] = {intent: _hits(cues, folded) for intent, cues in _CUES.items()}
        best = max(hits, key=lambda intent: hits[intent])
        if not hits[best]:
            return self._reading("question" if folded.endswith("?") else "other", 0.2, text, lang)
        sure = min(0.95, 0.55 + 0.15 * hits[best])
        bad = sum(hits[intent] for intent in _NEGATIVE)
        upset = min(0.95, 0.45 * bad + 0.1 * bool(_SEVERE.search(text)))
        return self._reading(best, sure, text, lang, upset)

    def _reading(
        self, intent: Intent, sure: float, text: str, lang: str | None, upset: float = 0.0
    ) -> Reading:
        severe = bool(_SEVERE.search(text))
        complaint = upset >= 0.4
        return Reading(
            intent=intent,
            confidence=sure,
            complaint_p=upset,
            complaint=complaint,
            severity=(2 + severe) if complaint else 0,
            reasons=tuple(r for r, so in (("words", complaint), ("strong words", severe)) if so),
            ranked=((intent, sure),),
            lang=lang,
            abstained=sure < _CONFIDENT,
            entities=entities(text),
            engine="words",
            model="1",
            rank=1,
        )


def entities(text: str) -> Entities:
    """Order and tracking numbers, e-mails and phones, as somebody wrote them."""
    emails = tuple(dict.fromkeys(_EMAIL.findall(text)))
    tracking = tuple(dict.fromkeys(_TRACKING.findall(text.upper())))
    orders = tuple(dict.fromkeys(n.upper() for n in _ORDER.findall(text)))
    phones = tuple(dict.fromkeys(m.strip() for m in _PHONE.findall(text)))
    return Entities(
        order_numbers=orders[:10],
        tracking_numbers=tracking[:10],
        emails=emails[:10],
        phones=phones[:10],
    )


def _hits(cues: str, text: str) -> int:
    return sum(1 for cue in cues.split() if _has(cue.replace("-", " "), text))


def _has(cue: str, text: str) -> bool:
    if not cue.isascii():
        return cue in text
    return re.search(rf"\b{re.escape(cue)}", text) is not None
