"""Short follow-ups that speak of the answer before: why, in short, how, the second one, what if not, says who.

They name no matter of their own, so that neither routing nor search can answer them; what was shown can. A question is a
follow-up only as a whole: any word more makes it a question of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from assistant.evidence import Turn

Kind = Literal["why", "shorter", "next", "how", "skipped", "sources", "more", "nth"]

_FIGURE = r"(?:much|amount|figure|number|price|cost|result|verdict|conclusion|expensive|high|low|many)"
_JAPANESE_FIGURE = r"(?:金額|費用|値段|価格|数字|数値|値|結果|判定|結論|見積もり|見積り|見積|台数)"
"""What a "why" may name of the answer before it."""
_ENGLISH: dict[Kind, str] = {
    "why": r"why(?: is (?:that|this|it)(?: so| (?:important|necessary|needed|a problem))?| so| not)?|how come|"
    r"why (?:do(?:es)?|did|would|should) (?:it|this|that|they|these|those|we|i) (?:happen|matter|occur|arise|exist|need (?:it|that|this)|"
    r"do (?:it|that|this)|care)|what(?:'s| is) the reason(?: for (?:that|this))?|"
    rf"why (?:(?:is|was) (?:it|this|that) )?(?:so|that|this|such an?|the) {_FIGURE}|"
    rf"how (?:did|do) you (?:get|work out|come (?:to|up with)|calculate) (?:that|this|it|the)(?: {_FIGURE})?|"
    rf"how (?:is|was) (?:that|this|it|the)(?: {_FIGURE})? (?:calculated|worked out)",
    "shorter": r"in short|in a nutshell|tl;?dr|briefly|in (?:one|a) (?:sentence|word|few words)|to sum up|shorter|"
    r"(?:can you |could you |please )?(?:sum (?:it|that|this) up|summari[sz]e(?: that| it| this)?|shorten (?:that|it|this)|"
    r"make it short(?:er)?)|the short version|(?:what(?:'s| is) )?(?:the )?(?:bottom line|gist)|"
    r"what does that mean in short",
    "next": r"(?:and )?what(?:'s| is| comes)? next|(?:and )?what (?:do|should|shall|can) (?:i|we) do (?:now|next|then)|(?:and )?now what|"
    r"what(?:'s| is| are| would be) (?:the|our|my) next steps?|(?:the )?next steps?",
    "how": r"how(?: exactly)?|how (?:do|can|should|would) (?:i|we) (?:do|start|begin)(?: (?:that|this|it|with (?:that|this|it)))?|"
    r"what (?:do|should) (?:i|we) do(?: (?:first|about (?:it|that|this)))?|(?:what are )?the steps|steps|"
    r"what(?:'s| is) the first step|where (?:do|should) (?:i|we) (?:start|begin)",
    "skipped": r"what (?:happens )?if (?:i|we) (?:don'?t|do not|skip (?:it|that|this)|ignore (?:it|that|this))(?: do (?:it|that|this))?|"
    r"what if not|(?:can|may|could) (?:i|we) skip (?:it|that|this)|what could go wrong|what can go wrong",
    "sources": r"says who|sources?|(?:what(?:'s| is| are) )?(?:the|your) (?:sources?|evidence)(?: for (?:that|this))?|"
    r"where does (?:that|this|it) come from|how do you know(?: that| this)?|according to whom",
    "more": r"(?:tell me )?more(?: details?)?(?: please)?|go on|explain(?: more| that| it)?|"
    r"(?:can you |could you |please )?(?:elaborate|explain(?: that| it)?(?: in more detail)?)|in more detail",
    "nth": r"(?:(?:what|how) about |tell me (?:more )?about |more (?:about|on) |explain )?(?:the |point |number |no\.? ?|item )*"
    r"(?P<n>first|second|third|fourth|last|other|1st|2nd|3rd|4th|one|two|three|four|[1-4])"
    r"(?: (?:one|point|item|candidate|model|entry))?",
}  # fmt: skip
_JAPANESE: dict[Kind, str] = {
    "why": r"(?:それ|これ|その点|この点)?(?:は|って)?、?(?:なぜ|何故|どうして|なんで)"
    r"(?:なの|なん|(?:起き|起こ|生じ|必要|大切|大事|重要|問題|そう)(?:る|り|い|ます|な|なる|なん)?(?:の|ん)?)?|(?:その|この)?(?:理由|わけ)(?:は|って)?(?:何|なに|なん)?|"
    rf"(?:なぜ|何故|どうして|なんで)、?(?:その|この|そんな|こんな)(?:に)?{_JAPANESE_FIGURE}(?:に|と|が|は)?(?:なる|なった|なり|出る|出た)?(?:の|ん)?|"
    rf"(?:その|この)?{_JAPANESE_FIGURE}(?:の(?:内訳|根拠|理由|計算(?:方法|式)?)|は(?:なぜ|どうして|どう計算した|どうやって(?:出した|計算した)))"
    r"(?:は|を教えて)?(?:何|なに|なん)?(?:の|ん)?",
    "shorter": r"(?:要するに|つまり)(?:、?どういうこと)?|(?:一言|ひとこと)で(?:言うと|いうと|言えば|お願い)?|手短に|短く(?:して|まとめて)?|"
    r"簡単に(?:言うと|いうと|言えば|まとめて)|(?:今の話を)?(?:まとめ|要約し)て(?:くれ|もらえ)?|要約|まとめ|要点(?:だけ|は)?(?:教えて)?|結論は?(?:何)?",
    "next": r"(?:次|つぎ|この後|このあと|今後)(?:に|は|には)?、?(?:何|なに|どう)(?:を)?(?:すれば|したら|やれば|すべき)(?:いい|良い|よい)?|"
    r"次(?:に|は)?、?何(?:を(?:する|します|しましょう))?|次の(?:一歩|ステップ|手)(?:は|って)?(?:何|なに|なん)?(?:を教えて)?|次は",
    "how": r"(?:それは)?(?:具体的に)?(?:は|、)*どう(?:すれ|し)(?:ば|たら)(?:いい|良い|よい)?|(?:具体的に)?どうやって(?:やる|進める|始める)?|"
    r"(?:具体的に)?(?:は|、)*何を(?:すれば|したら)(?:いい|良い|よい)?|(?:具体的な)?(?:手順|やり方|進め方)(?:は|を教えて)?|"
    r"(?:まず)?(?:は|、)*何から(?:始めれば|始めたら|やれば)(?:いい|良い|よい)?",
    "skipped": r"(?:それを|これを|もし)?、?(?:やら|し)(?:ない|なかった)(?:と|ら|場合は?)(?:、?(?:どうな(?:る|ります|り)|何が起き(?:る|ます)?))?|"
    r"(?:それを)?(?:怠る|省く|飛ばす|無視する)と(?:、?(?:どうな(?:る|ります|り)|何が起き(?:る|ます)?))?|省いても(?:いい|よい|大丈夫)",
    "sources": r"(?:その)?(?:根拠|出典|ソース|情報源)(?:は|って)?(?:何|どこ)?(?:を(?:教えて|示して|見せて))?",
    "more": r"もっと(?:詳しく)?(?:教えて|説明して)?|(?:もう少し)?詳しく(?:教えて|説明して|知りたい)?|もう少し(?:教えて|説明して)",
    "nth": r"(?P<n>[1-4]|一|二|三|四|ひと|ふた|み|よっ|最後|最初|もう(?:一|ひと))(?:つ目|つめ|番目|点目|番|つ)?(?:の(?:モデル|候補|点|もの|項目))?"
    r"(?:は(?:どう)?|について(?:は)?|も|を)?(?:もっと)?(?:詳しく)?(?:教えて|説明して|お願い)?",
}  # fmt: skip
_BEFORE = re.compile(
    r"^(?:(?:(?:and|but|so|ok(?:ay)?|well|then)\b|では|じゃあ?|それでは|それじゃ|で(?=[、 ])|なるほど|はい)[,、 。]*)+(?=\S)"
)
_AFTER = re.compile(
    r"(?:(?:です|でしょう|なんです|ます|の)?(?:か|かな|かね)?|(?:を)?(?:お願い(?:します|できますか)?|ください|下さい|もらえますか|いただけますか|くれますか))$"
)
_MARKS = re.compile(r"[?!.。…,、\s「」\"']+$")
_PLACES = {
    "first": 1, "1st": 1, "one": 1, "1": 1, "一": 1, "ひと": 1, "最初": 1,
    "second": 2, "2nd": 2, "two": 2, "2": 2, "二": 2, "ふた": 2, "other": 2, "もう一": 2, "もうひと": 2,
    "third": 3, "3rd": 3, "three": 3, "3": 3, "三": 3, "み": 3,
    "fourth": 4, "4th": 4, "four": 4, "4": 4, "四": 4, "よっ": 4,
    "last": -1, "最後": -1,
}  # fmt: skip
_LONGEST = 60
_TURNS_BACK = 3
"""Turns that a follow-up can reach back over."""
SECTIONS: dict[Kind, str] = {
    "why": "why", "next": "steps", "how": "steps", "skipped": "skipped", "more": "check", "nth": "what", "shorter": "say", "sources": "sources",
}  # fmt: skip
"""The part of an entry that answers: a section, or its sources."""


class FollowUp(BaseModel):
    """What a short question asks of the answer before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    """What is asked."""
    place: int = 0
    """Of "the second one" the 2, -1 for the last; 0 for other kinds."""

    def of(self, shown: Sequence[str]) -> tuple[str, ...]:
        """The entries that it speaks of.

        Args:
            shown: Entries of the answer before: the one that was shown in full, and then the numbered points.
        """
        if self.kind == "shorter":
            return tuple(shown[:3])
        if self.kind == "sources":
            return tuple(shown)
        if self.kind != "nth":
            return tuple(shown[:1])
        points = shown[1:]
        return tuple(points[self.place - 1 : self.place] if self.place > 0 else points[-1:])


def last_told(turns: Sequence[Turn]) -> Turn | None:
    """The last turn that a tool answered, past a few that failed or only asked back; None when there is none.

    Args:
        turns: The conversation's turns, oldest first.
    """
    return next((turn for turn in reversed(turns[-_TURNS_BACK:]) if turn.tools), None)


def read_follow_up(question: str) -> FollowUp | None:
    """What a question asks of the answer before it; None when it is a question of its own.

    Args:
        question: The user's words.
    """
    if len(question) > _LONGEST:
        return None
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", question).strip().lower().replace("’", "'"))
    plain = _BEFORE.sub("", plain)
    japanese = not plain.isascii()
    forms = {plain, _MARKS.sub("", _AFTER.sub("", plain))} if japanese else {plain}
    for kind, pattern in (_JAPANESE if japanese else _ENGLISH).items():
        for form in forms:
            if form and (found := re.fullmatch(pattern, form)):
                return FollowUp(kind=kind, place=_PLACES[found["n"]] if kind == "nth" else 0)
    return None
