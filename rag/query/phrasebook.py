"""The wordings in which people greet, thank, and ask about Readback itself: everyday English, about no subject.

All are matched against a whole utterance, case folded, without the signs at its ends; it is short (``rag.query.intent``).
"""
# ruff: noqa: E501 - an alternative is easier to read on one line

from __future__ import annotations

import re
from collections.abc import Mapping

from rag.types import Intent

# What people put around a request without changing it.
BEFORE = re.compile(
    r"^(?:(?:ok|okay|so|well|and|but|now|please|pls|hey|hi|hello|thanks|thank you|great|cool|nice)[\s,.!-]+)*"
    r"(?:(?:can|could|would|will) (?:you|u) (?:please |pls |just |maybe )*|"
    r"(?:please|pls|just|let'?s) |i(?:'d| would) like (?:you )?(?:to )?|i (?:want|need) (?:you )?(?:to )?)?"
)
AFTER = re.compile(
    r"[\s,]*\b(?:please|pls|for me|thanks|thank you|right now|again please|mate|at all|overall|in total|exactly)$"
)
_ANSWER = r"(?:last |previous |above )?(?:answer|reply|response)"
_IT = rf"(?:it|that|this|(?:the|your) {_ANSWER}|what you (?:just )?said)"
_PAPERS = r"(?:papers|documents|docs|articles|abstracts|studies|publications|entries|records|works)"
_STORE = r"(?:whole |entire )?(?:collection|corpus|library|database|index|archive)"
_THING = rf"(?:the|this|your|that) {_STORE}"
_HERE = rf"(?:here|in here|there|(?:in |of )?(?:the|this|your) {_STORE})"
_LANGUAGES = r"(?:german|french|spanish|italian|chinese|english|dutch|portuguese|japanese|russian)"
_LAYOUT = (
    r"(?:a )?(?:bullet(?:ed)?|numbered|short|markdown)? ?(?:points?|bullets?|lists?|table|tabular form|paragraph|"
    r"essay|email|tweet|related[ -]work (?:paragraph|section))"
)
_MANNER = (
    r"(?:(?:to me )?(?:a (?:bit|little) |much |even |more )?(?:short(?:er)?|brief(?:ly|er)?|simple|simply|simpler|"
    r"concise(?:ly)?|in (?:one|two|three|a few|fewer|simpler?|plain|other|your own|less|layman'?s?|different) "
    r"(?:sentences?|words?|terms|english|lines?)|in short|longer|differently|like i'?m (?:five|5|a child))|"
    rf"(?:in|to|into) {_LANGUAGES}|(?:as|in|into|in the form of|like) {_LAYOUT})"
)
_FINE = (
    r"(?:great|perfect|nice|cool|wow|awesome|excellent|wonderful|brilliant|amazing|fantastic|super|helpful|useful|good|"
    r"ok|okay|got it|i see|understood|makes sense|well done|fair enough)"
)
_THANKS = (
    r"(?:(?:many )?thanks?(?: (?:you|u))?|thx|ty|tysm|cheers|much appreciated|(?:i )?(?:really )?appreciate (?:it|that)|"
    rf"(?:(?:that|this|it)(?:'s| is| was)? )?(?:(?:very|really|so|quite|all|just|exactly) )?{_FINE}|"
    r"(?:that|this|it) (?:helped|helps|worked|works|answers (?:it|my question))|"
    r"you(?:'re| are) (?:great|amazing|helpful|awesome|the best)|(?:good|great|nice) (?:answer|job|work|one|stuff|to know)|"
    r"that's (?:it|all)(?: i needed)?|exactly what i needed|a lot|so much|very much|again|man|mate|bye|oh|ah|"
    r"for (?:the|your|that|this)(?: quick)?(?: (?:help|answer|info|reply|explanation))?)"
)
PATTERNS: Mapping[Intent, tuple[str, ...]] = {
    "greeting": (
        r"(?:hi+|hello+|hey+|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day))"
        r"(?: (?:there|all|everyone|everybody|readback|again|you|friend|folks|team|bot|assistant)){0,2}"
        r"(?: (?:how are you(?: doing)?(?: today)?|(?:are )?you there|anyone there|how's it going|what's up|"
        r"(?:nice|good|great|glad|pleased) to (?:meet|see|talk to) you))?",
        r"(?:are )?you (?:still )?there|anyone (?:there|here)|how are you(?: doing)?(?: today)?|what's up|how's it going",
        r"(?:good)?bye(?: bye)?|see (?:you|ya)(?: later| soon)?|good ?night|test(?:ing)?",
    ),
    "thanks": (rf"{_THANKS}(?: {_THANKS}){{0,5}}",),
    "count": (
        rf"how many {_PAPERS}(?: (?:are|is|exist) (?:there |stored |indexed |included |contained )?{_HERE})?",
        rf"how many {_PAPERS} (?:are|exist) (?:indexed|stored|included)",
        rf"how many {_PAPERS} (?:do|did) (?:you|we|i) (?:have|hold|know|cover|contain|search|read|index)"
        rf"(?: (?:access to|about|{_HERE}|indexed))?",
        rf"how many {_PAPERS} (?:have you (?:got|read|indexed)|(?:does|do) {_THING} (?:have|hold|contain|include|cover))",
        rf"how (?:big|large) (?:is|are) {_THING}|(?:number|count) of {_PAPERS}|count the {_PAPERS}",
        rf"(?:what(?:'s| is) )?the (?:size|number of {_PAPERS}) (?:of|in) {_THING}",
        rf"(?:what(?:'s| is) )?the number of {_PAPERS} (?:{_HERE}|(?:that )?(?:you|i|we) (?:have|hold|know|search))",
    ),
    "overview": (
        rf"what(?:'s| is| are) {_THING} (?:all )?about|what(?:'s| is)(?: in| inside)? (?:here|{_THING})",
        rf"what (?:does|do) {_THING} (?:cover|contain|deal with|hold|include)",
        rf"what (?:is|are) (?:all )?(?:this|these {_PAPERS}) (?:all )?about",
        rf"(?:what|which) (?:(?:kinds?|sorts?|types?) of )?(?:research )?(?:topics|subjects|themes|areas|fields|{_PAPERS}) "
        rf"(?:are (?:covered|there|included|available)(?: {_HERE})?|are {_HERE}|(?:do|can) (?:you|i|we) "
        rf"(?:cover|have|know about|know|hold|ask about|search)(?: {_HERE})?|"
        rf"(?:does|do) {_THING} (?:cover|have|hold|contain|include))",
        rf"(?:what|which) (?:topics|subjects|themes|areas|fields) do (?:the|these|your) {_PAPERS} (?:cover|treat|deal with)",
        rf"(?:give (?:me )?|show (?:me )?)?(?:an? )?(?:short |brief |quick |general )?(?:overview|summary)"
        rf"(?: of (?:{_THING}|the (?:topics|{_PAPERS})|everything(?: here)?|what(?:'s| is) (?:in )?here))?",
        rf"(?:summari[sz]e|describe|introduce|tell me about|sum up) "
        rf"(?:{_THING}|(?:all )?(?:the |these |your )?{_PAPERS}(?: {_HERE})?)",
        rf"what (?:do|can) you (?:know|know about|have)(?: {_HERE})?|list (?:all )?(?:the )?(?:topics|themes|subjects)",
    ),
    "capabilities": (
        r"what (?:can|could) (?:you|this(?: \w+)?) (?:do|answer|help (?:me )?with)|how can you help(?: me)?",
        r"what (?:are you|do you do|is readback|is this(?: (?:tool|site|page|app|thing))?)|what(?:'s| is) your (?:name|purpose)",
        r"who (?:are you|made you|built you)|how (?:do|can) (?:i|you) (?:work|use (?:this|you|readback|it)|ask(?: you)?)",
        r"how (?:does|do) (?:this (?:tool|site|page|app|chat|thing)|readback) work",
        r"help(?: me)?|instructions|usage|commands|menu|what (?:can|should|could) i ask(?: (?:you|here|about))?",
        r"what (?:kinds? of |sorts? of )?questions can (?:i ask(?: you)?|you answer)",
        r"(?:are you|is this) (?:an? )?(?:ai|bot|chatbot|robot|human|person|real(?: person)?|chatgpt|gpt(?:-?\d)?|llm|"
        r"language model|machine)",
        r"(?:can|do|could|did) (?:you|this|readback) (?:also |only |really |even )?(?:read|open|access|see|have(?: access "
        r"to)?|show|download|know|use|search|browse|look at)(?: me)? (?:(?:in|up|through|the|any|all|of|on|full|whole|"
        r"entire|complete|actual|original) ){0,4}(?:pdfs?|full[ -]?texts?|texts?|papers?|articles?|internet|web|google(?: "
        rf"scholar)?|figures|tables|references)(?: files?)?(?: of (?:(?:the|these|those|all) ){{0,2}}{_PAPERS})?",
        rf"(?:do|can) you (?:speak|understand|answer in|know|talk) (?:(?:any )?(?:other )?languages?|{_LANGUAGES})",
        r"(?:can|may) i (?:ask (?:you )?(?:something|a question|questions|anything)|upload (?:my own )?(?:papers|pdfs|files))",
        r"where (?:do your answers|does your (?:knowledge|information)) come from|do you (?:hallucinate|make things up)",
    ),
    "transform": (
        r"(?:say|put|make|write|give|phrase|express|explain|rephrase|reword|rewrite|paraphrase|translate|summari[sz]e|shorten|"
        r"condense|simplify|turn|convert|format|show|present|repeat|sum up|expand|elaborate)"
        rf"(?: me)?(?: {_IT})?(?: up)?(?: {_MANNER}){{1,3}}(?: i(?:'m| am) (?:new to this|a beginner|no expert)(?: topic)?)?",
        rf"(?:summari[sz]e|shorten|condense|simplify|rephrase|reword|paraphrase|translate|sum up) {_IT}(?: up)?",
        r"(?:(?:a (?:bit|little) |much |even )?(?:shorter|briefer|simpler|more (?:concise(?:ly)?|briefly)|in short|tl;? ?dr)"
        r"(?: version)?|eli5|bullet points|(?:(?:that's|that was) )?too long)",
        rf"(?:(?:now |the same |same )?(?:as|in|into|in the form of) {_LAYOUT})",
        rf"(?:make|turn|put|format|give|show)(?: me)?(?: {_IT})? (?:as |into |in )?{_LAYOUT}(?: (?:of|from|out of) {_IT})?",
        rf"(?:make|turn|put|format|show|arrange) (?:it|them|these|those) (?:as |into |in ){_LAYOUT}(?: with [^?]{{1,80}})?",
    ),
    "conversation": (
        r"what (?:did|have) i (?:just |first )?(?:ask(?:ed)?|sa(?:y|id))(?: (?:you|about))?"
        r"(?: (?:first|before|earlier|last|just now|at first|(?:in|at) the beginning|previously|so far|second))?",
        r"what (?:was|were) my (?:very )?(?:first|last|previous|earlier|second|third|original) (?:questions?|message)",
        rf"(?:repeat|say) (?:{_IT}|yourself)(?: (?:again|once more|one more time))?|(?:come )?again|pardon",
        r"what (?:did|have) you (?:just )?(?:say|said|answer|answered|tell me|told me)(?: (?:before|first|earlier|last))?",
        rf"(?:which|what) (?:sources?|{_PAPERS}|references|citations) (?:did|have|do) you (?:just )?"
        rf"(?:used?|cited?|quoted?|rely on|base (?:that|this|it) on)(?: (?:for (?:that|this|it)|(?:in|for) {_IT}))?",
        rf"(?:which|what) (?:sources?|{_PAPERS}|references) (?:is|was) (?:that|this|it) (?:based on|from)",
        r"(?:(?:what are|give me|show me|list) )?(?:your|the) (?:sources|references|citations)|sources",
        r"where (?:did|do) you (?:get|find|take|have) (?:that|this|it)(?: from)?|where (?:is|was) (?:that|this) from",
        r"what (?:have we|did we) (?:talk(?:ed)? about|discuss(?:ed)?)(?: (?:so far|before|earlier))?",
    ),
}
SUMMARISE = re.compile(
    r"(?:summari[sz]e|sum up|recap)(?: for me)? (.+)|(?:what(?:'s| is) the (?:gist|summary|main (?:point|idea|message)) of) "
    r"(.+)|(?:give|show|write|get)?(?: me)? ?(?:an? |the )?(?:(?:very|quick|short|brief|concise) ){0,3}"
    r"(?:summary|synopsis|gist|tl;? ?dr|rundown) (?:of|for|on) (.+)|tl;? ?dr:? (.+)"
)
SEVERAL = re.compile(
    r"\b(?:papers|works|literature|research|methods|approaches|studies|articles|findings|techniques|surveys|"
    r"everything|all|what|how|which|results|work on|differences?|field|state of the art|evidence)\b"
)
FRAME = re.compile(
    r"^(?:the |this |that )?(?:paper|article|work|study|abstract)(?: (?:on|about|called|titled|named|of))? |"
    r"^(?:the|this|that) |(?: the)?(?: (?:paper|article|work|study|abstract))$"
)
