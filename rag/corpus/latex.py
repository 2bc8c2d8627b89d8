"""LaTeX fragments inside ordinary prose, turned into readable Unicode.

Abstracts are not LaTeX documents: a ``%`` is a per cent sign, a lone ``$`` is a currency, ``C:\\x`` may be anything. A
real LaTeX parser eats such text, so this module scans for what is unmistakably LaTeX and leaves the rest alone. The
names of the symbols come from pylatexenc. Every scan is linear: a hostile file must not hang an import.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

MAX_MATH_CHARS = 1000  # a longer $…$ is two stray dollars with prose between them
MAX_DEPTH = 100  # of braces; what lies deeper is copied as it is, since every level reads its content once more


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ACCENTS = {  # combining characters, by the macro that puts them on a letter
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331",
}  # fmt: skip
_LETTERS = frozenset({"ae", "AE", "oe", "OE", "aa", "AA", "o", "O", "ss", "l", "L", "i", "j"})
_FONT_SWITCHES = _names(
    "em it bf sc tt rm sf sl cal bfseries itshape slshape scshape ttfamily rmfamily sffamily mdseries upshape"
    " normalfont tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge boldmath displaystyle"
    " textstyle scriptstyle limits nolimits left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr xspace"
    " noindent centering protect relax middle"
)
_SPACES = _names("quad qquad par newline linebreak smallskip medskip bigskip item hfill")
_OPERATORS = _names(
    "log ln lg exp sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh min max sup inf lim arg argmin argmax"
    " det dim ker deg gcd hom Pr mod bmod"
)
_DROPPED = _names("label vspace hspace begin end pagestyle thispagestyle bibliographystyle phantom vskip")
_ARGUMENTS = {"frac": 2, "dfrac": 2, "tfrac": 2, "nicefrac": 2, "sfrac": 2, "binom": 2, "href": 2, "textcolor": 2,
              "colorbox": 2, "texorpdfstring": 2}  # fmt: skip
_BACKSLASH = "\u2216"  # a look-alike: a real one would read as a macro when the text is cleaned again
_OVERRIDES = {  # where pylatexenc has no symbol, or one that would not read well in a sentence
    "textgreater": ">", "textless": "<", "textbar": "|", "euro": "€", "pounds": "£", "S": "§", "P": "¶",
    "copyright": "©", "degree": "°", "checkmark": "✓", "lbrace": "{", "rbrace": "}", "lvert": "|", "rvert": "|",
    "lVert": "‖", "rVert": "‖", "textbackslash": _BACKSLASH, "backslash": _BACKSLASH, "slash": "/", "cdots": "…",
    "colon": ":", "prime": "\u2032", "LaTeX": "LaTeX", "TeX": "TeX", "mid": "|", "textasciicircum": "^",
    "textunderscore": "_",
}  # fmt: skip
_DOUBLE_STRUCK = {  # the letters that have a name of their own in mathematics: real numbers, expectation, …
    "C": "\u2102", "H": "\u210d", "N": "\u2115", "P": "\u2119", "Q": "\u211a", "R": "\u211d", "Z": "\u2124",
    "E": "\U0001d53c",
}  # fmt: skip
_SYMBOL_SPACES = frozenset(" ,;:>\n\t")
_SYMBOL_NOTHING = frozenset("!/-@")
_SYMBOL_ITSELF = frozenset("%&#_${}*+<|")
_DISPLAYED = re.compile(  # \(…\) and \[…\] with neither of them inside, which keeps the search linear
    r"\\\(((?:[^\\]|\\(?![()\[\]])){1,1000})\\\)|\\\[((?:[^\\]|\\(?![()\[\]])){1,1000})\\\]"
)
_TEXT_IN_MATH = re.compile(r"\\(?:text\w*|mbox|hbox|math\w+|operatorname\*?|emph|label)\s*\{[^{}]*\}")
_CONTROL_WORD = re.compile(r"\\[A-Za-z]+\*?")
_PROSE = re.compile(r"\b[^\W\d_]{3,}[,;]?\s+(?:\S{1,3}\s+)?[^\W\d_]{3,}")
_TOKEN = re.compile(r"\\(?P<word>[A-Za-z]+)\*?|\\(?P<symbol>.)|(?P<open>\{)|(?P<close>\})|[^\\{}]+|.", re.DOTALL)
_OPTION = re.compile(r"\[[^\[\]{}]{0,200}\](?=\{)")
_LINE_BREAK_OPTION = re.compile(r"\[-?\d[\w.]{0,10}\]")
_WORDS_ONLY = re.compile(r"(?:[\d_\s.'\u2019:/+&-]*+[^\W\d_])++[\d_\s.'\u2019:/+&-]*+")
_BARE_SCRIPT = re.compile(r"[+\u2212-]?[\w.]+|\W", re.UNICODE)
_ACCENTED = re.compile(r"\{\s*\\?([A-Za-z])\s*\}|\\([ij])(?![A-Za-z])|([A-Za-z])")
_CONTRACTION = re.compile(r"(?:s|t|m|d|re|ve|ll)\b")
_ORDINAL = re.compile(r"(?<=\d)\^(st|nd|rd|th)\b")


@dataclass(slots=True)
class _Frame:
    """One open brace: what it is an argument of, and what was read inside it so far."""

    kind: str  # "group", "script", "text" (the whole input), or a macro name
    out: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    latex: bool = False  # a command stood inside, so these braces are LaTeX's and not the author's


def plain(text: str, *, braces: bool = False) -> str:
    """Replace LaTeX in text by what a reader would see. Total: any string is accepted.

    braces: every group is LaTeX's own, as in a BibTeX field; else braces go only where a command or nothing but words
    stands between them, so that sets and JSON survive.
    """
    if "$" in text or "\\(" in text or "\\[" in text:
        text = _without_math_delimiters(text)
    if "\\" in text or "{" in text:
        text = _Scanner(text, all_groups=braces).run()
    return _ORDINAL.sub(r"\1", text.replace("^∘", "°")) if "^" in text else text


def _without_math_delimiters(text: str) -> str:
    text = _DISPLAYED.sub(lambda match: _math(match[1] or match[2]), text)
    out: list[str] = []
    position = 0
    while (start := _next_dollar(text, position)) >= 0:
        width = 2 if text.startswith("$$", start) else 1
        end = _next_dollar(text, start + width, start + width + MAX_MATH_CHARS)
        inner = text[start + width : end] if end >= 0 else ""
        if inner and text.startswith("$" * width, end) and _is_math(inner, text[end + width : end + width + 1]):
            out += (text[position:start], _math(inner))
            position = end + width
        else:
            out.append(text[position : start + 1])
            position = start + 1
    return "".join(out) + text[position:]


def _next_dollar(text: str, start: int, end: int | None = None) -> int:
    """Index of the next dollar that no backslash escapes, or -1."""
    at = text.find("$", start, end)
    while at > 0 and text[at - 1] == "\\" and (at < 2 or text[at - 2] != "\\"):
        at = text.find("$", at + 1, end)
    return at


def _is_math(inner: str, after: str) -> bool:
    """Whether what stands between two dollars is a formula rather than prose between two prices."""
    if _PROSE.search(_CONTROL_WORD.sub(" ", _TEXT_IN_MATH.sub(" ", inner))):
        return False
    if "\\" in inner or "^" in inner or "_{" in inner:
        return True
    bare = inner.strip()
    if inner != bare or not bare:
        return False
    if bare[0].isdigit() and re.search(r"[^\W\d_]{2}", bare):  # $5m-US$
        return False
    if len(bare) > 1 and after.isalnum():  # $HOME/$USER, $5-$10
        return False
    return " " not in bare or bool(re.search(r"[=<>+*/|,_≤≥±\u00d7-]", bare))


def _math(inner: str) -> str:
    """The formula with its groups resolved and a space where an operator would touch a letter."""
    words = r"\\(" + "|".join(sorted(_OPERATORS, key=len, reverse=True)) + r")(?![A-Za-z])"
    return _Scanner(re.sub(r"(?<=[\w)])" + words, r" \\\1", inner), all_groups=True).run()


class _Scanner:
    """One pass over one text. Braces are kept on a stack of frames, so depth costs no recursion."""

    def __init__(self, text: str, *, all_groups: bool) -> None:
        self._text = text
        self._all_groups = all_groups
        self._position = 0
        self._stack = [_Frame("text")]
        self._too_deep = 0  # braces open beyond MAX_DEPTH
        self._last_close = text.rfind("}")
        # A \" that cannot be an accent came out of somebody's JSON; then none of them is one.
        self._escaped_quotes = re.search(r'\\"(?![A-Za-z{\\])', text) is not None

    def run(self) -> str:
        """The text without its LaTeX."""
        while self._position < len(self._text):
            token = _TOKEN.match(self._text, self._position)
            assert token is not None  # the last alternative takes any character
            self._position = token.end()
            if token["word"]:
                self._word(token["word"])
            elif token["symbol"]:
                self._symbol(token["symbol"])
            elif token["open"] and len(self._stack) <= MAX_DEPTH:
                self._stack.append(_Frame("script" if self._last_char() in ("^", "_") else "group"))
            elif token["close"] and len(self._stack) > 1 and not self._too_deep:
                self._close()
            else:
                self._too_deep += (token[0] == "{") - (token[0] == "}" and self._too_deep > 0)
                self._out.append(token[0])
        pieces = list(self._stack[0].out)
        for frame in self._stack[1:]:  # braces never closed: they were text
            pieces.append("{" if frame.kind in ("group", "script") else "")
            pieces += [argument + " " for argument in frame.arguments] + frame.out
        return "".join(pieces)

    @property
    def _out(self) -> list[str]:
        return self._stack[-1].out

    def _last_char(self) -> str:
        return self._out[-1][-1:] if self._out else ""

    def _follows(self, text: str) -> bool:
        return self._text.startswith(text, self._position)

    def _argument_follows(self) -> bool:
        return self._follows("{") and self._position < self._last_close

    def _word(self, word: str) -> None:
        """A ``\\word``."""
        following = self._text[self._position : self._position + 1]
        if word in _FONT_SWITCHES:
            self._stack[-1].latex = True
            if following.isspace() or (word in ("left", "right") and following == "."):
                self._position += 1
        elif word in _SPACES:
            self._out.append(" ")
        elif word in _ACCENTS and following in ("{", " "):
            self._position += following == " "
            self._accent(word)
        elif (symbol := word if word in _OPERATORS else _symbols().get(word)) is not None:
            self._stack[-1].latex = True
            if word in _LETTERS and following == " " and self._last_char().isalpha():
                self._position += 1  # S\o ren: TeX swallows the space after a control word
            self._out.append(symbol)
            self._skip_empty_group()
        else:
            self._stack[-1].latex = True
            self._macro(word)

    def _macro(self, word: str) -> None:
        """A macro that may take arguments. An author's own one: its name is the best reading there is."""
        option = _OPTION.match(self._text, self._position)
        if option:
            self._position = option.end()
        if self._argument_follows() and not self._follows("{}") and len(self._stack) <= MAX_DEPTH:
            self._stack.append(_Frame(word))
            self._position += 1
        elif word not in _DROPPED:
            self._out.append(word)
            self._skip_empty_group()

    def _skip_empty_group(self) -> None:
        if self._follows("{}"):
            self._position += 2

    def _symbol(self, symbol: str) -> None:
        """A backslash and one character that is no letter."""
        if symbol == "\\":
            option = _LINE_BREAK_OPTION.match(self._text, self._position)
            self._position = option.end() if option else self._position
            self._out.append(" ")
        elif symbol in _ACCENTS:
            self._accent(symbol)
        elif symbol in _SYMBOL_SPACES:
            self._out.append(" ")
        elif symbol not in _SYMBOL_NOTHING:
            known = "‖" if symbol == "|" else symbol
            self._out.append(known if symbol in _SYMBOL_ITSELF else "\\" + symbol)

    def _accent(self, symbol: str) -> None:
        """Put an accent on the letter that follows, if one follows; else the symbol stands for itself."""
        match = _ACCENTED.match(self._text, self._position)
        braced = match is not None and match[3] is None
        quoted = symbol == '"' and self._escaped_quotes and not braced
        if symbol == "'" and self._last_char().isalpha():  # It\'s, don\'t
            quoted = _CONTRACTION.match(self._text, self._position) is not None
        if match is not None and not quoted:
            letter = unicodedata.normalize("NFC", (match[1] or match[2] or match[3]) + _ACCENTS[symbol])
            if len(letter) == 1 or braced:
                self._stack[-1].latex = True
                self._out.append(letter)
                self._position = match.end()
                return
        self._skip_empty_group()
        self._out.append(f"{symbol} " if symbol.isalpha() else symbol)

    def _close(self) -> None:
        """Close the innermost brace and hand what stood inside to whatever it belongs to."""
        frame = self._stack.pop()
        inner = "".join(frame.out)
        if frame.kind == "script":
            self._script(inner)
        elif frame.kind == "group":
            self._stack[-1].latex |= frame.latex
            strip = self._all_groups or frame.latex or _WORDS_ONLY.fullmatch(inner)
            self._out.append(inner if strip else "{" + inner + "}")
        else:
            frame.arguments.append(inner)
            wanted = _ARGUMENTS.get(frame.kind)
            more = frame.kind not in _ONE_ARGUMENT and (wanted is None or len(frame.arguments) < wanted)
            if more and self._argument_follows():
                frame.out = []
                self._stack.append(frame)
                self._position += 1
            else:
                self._out.append(_apply(frame.kind, frame.arguments))

    def _script(self, inner: str) -> None:
        """What stood in the braces of ``^{…}`` or ``_{…}``."""
        if not inner.strip():
            self._out[-1] = self._out[-1][:-1]
        elif _BARE_SCRIPT.fullmatch(inner):
            self._out.append(inner)
        else:
            self._out.append(f"({inner})")


def _apply(macro: str, arguments: list[str]) -> str:
    if macro in _DROPPED:
        return ""
    if macro.startswith(("cite", "Cite")):
        return f"[{', '.join(arguments)}]"
    formatter = _FORMATTERS.get(macro)
    if formatter is not None and len(arguments) == _ARGUMENTS.get(macro, 1):
        return formatter(*arguments)
    return " ".join(argument for argument in arguments if argument)


def _operand(text: str) -> str:
    """In brackets, unless it is one number or name."""
    return text if re.fullmatch(r"[\w.]+|\W", text) else f"({text})"


def _marked(text: str, mark: str) -> str:
    """A single letter with a mark over it; a mark over a whole expression has no Unicode."""
    return unicodedata.normalize("NFC", text + mark) if len(text) == 1 else text


_FORMATTERS: dict[str, Callable[..., str]] = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "nicefrac", "sfrac"), lambda a, b: f"{_operand(a)}/{_operand(b)}"),
    "binom": lambda a, b: f"C({a}, {b})",
    "sqrt": lambda a: f"√{_operand(a)}",
    "tilde": lambda a: _marked(a, "\u0303"),
    "hat": lambda a: _marked(a, "\u0302"),
    "bar": lambda a: _marked(a, "\u0304"),
    "dot": lambda a: _marked(a, "\u0307"),
    "mathbb": lambda a: _DOUBLE_STRUCK.get(a) or str(a),
    "href": lambda address, label: label if label == address else f"{label} ({address})",
    "textcolor": lambda _colour, shown: shown,
    "colorbox": lambda _colour, shown: shown,
    "texorpdfstring": lambda _tex, shown: shown,
    "footnote": lambda a: f" ({a.strip()})",
    "textsuperscript": lambda a: f"^{a}" if _BARE_SCRIPT.fullmatch(a) else f"^({a})",
}
_ONE_ARGUMENT = _names(  # a brace after these is a new group
    "emph text textbf textit texttt textsc textrm textsf textsl textup textmd underline mathrm mathbf mathit mathsf"
    " mathtt mathcal mathscr mathfrak boldsymbol bm hat bar tilde vec dot overline widehat widetilde operatorname mbox"
    " url sqrt mathbb footnote textsuperscript textsubscript ensuremath label cite"
)


@cache
def _symbols() -> dict[str, str]:
    """Macro names that stand for one fixed text, such as ``alpha`` or ``times``."""
    from pylatexenc.latex2text import get_default_latex_context_db

    symbols: dict[str, str] = {}
    for spec in get_default_latex_context_db().iter_macro_specs():
        text = spec.simplify_repl
        usable = isinstance(text, str) and text.strip() and "%" not in text and "<" not in text
        if usable and len(text) <= 3 and spec.macroname not in ("ref", "cite", "cref"):
            symbols[spec.macroname] = unicodedata.normalize("NFC", text.strip())
    return symbols | _OVERRIDES
