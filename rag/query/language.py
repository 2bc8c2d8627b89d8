"""Is a question in another language than English? By its script, else by its function words."""

from __future__ import annotations

import unicodedata

from rag.text import STOP_WORDS, words

# The commonest words of each language, without those that are English words or abbreviations too.
_FUNCTION_WORDS = {
    "German": "der das und ist nicht ein eine einen wie wird werden mit für auf von zu den dem des sich auch kann "
    "welche welcher welches gibt wer wo warum sind oder über bei nach durch ohne zum zur man ich es wenn im",
    "French": "le la les des est une dans pour que qui quel quelle quels quelles sur avec comment par pas plus ce "
    "cette sont aux du et il elle je nous vous peut sans entre où pourquoi",
    "Spanish": "el los las una es en por para con que qué cómo cuál cuáles del se su como más son hay sin sobre entre "
    "pero esta este puede y donde dónde quién",
    "Italian": "il lo gli una è di che per con come quali quale del della dei delle nel nella sono si più non cosa può "
    "senza tra perché chi dove",
    "Portuguese": "o os um uma é em por para com que como quais qual do da dos das na não são se mais sem sobre entre "
    "pode onde quem há",
    "Dutch": "het een en van is niet met voor op hoe wat welke wordt worden zijn dat die deze bij naar door zonder ook "
    "kan waar wie waarom er",
    "Polish": "jest nie się jak jakie który która które dla przez czy są na w z i do od oraz",
    "Turkish": "ve bir bu için ile nasıl nedir mi mı olan hangi daha gibi ne",
    "Indonesian": "yang dan di untuk dengan apa bagaimana dari ini adalah pada tidak dapat",
    "Swedish": "och är att det som en ett för hur inte med av på vilka vilken kan den",
}
_WORDS = {language: frozenset(text.split()) - STOP_WORDS for language, text in _FUNCTION_WORDS.items()}
_SCRIPTS = {
    "CJK": "Chinese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CYRILLIC": "a Cyrillic script",
    "ARABIC": "Arabic script",
    "HEBREW": "Hebrew",
    "GREEK": "Greek",
    "DEVANAGARI": "Hindi",
    "THAI": "Thai",
}
FEWEST = 2  # function words of another language that must stand in it
WHOLE = 4  # words of a sentence in which the lack of any English function word says something
READ = 60  # words that are looked at


def foreign_language(text: str) -> str | None:
    """The language or script of a text that is not in English; None if it is, or if it does not show."""
    letters = [char for char in text[:2000] if char.isalpha()]
    scripts = [unicodedata.name(char, "").partition(" ")[0] for char in letters]
    foreign = [script for script in scripts if script != "LATIN"]
    if len(foreign) * 2 > len(letters):
        for script in ("HIRAGANA", "KATAKANA"):  # Japanese is written with Chinese signs too
            if script in foreign:
                return _SCRIPTS[script]
        commonest = max(set(foreign), key=foreign.count)
        return _SCRIPTS.get(commonest.partition("-")[0], "another script")
    found = words(text[:2000])[:READ]
    english = sum(word in STOP_WORDS for word in found)
    counts = {language: sum(word in known for word in found) for language, known in _WORDS.items()}
    best = max(counts, key=lambda language: counts[language])
    if counts[best] >= FEWEST and counts[best] > english:
        return best
    # one is enough in a sentence without any English one, unless it is as short as the "de" of "de novo"
    telling = any(word in _WORDS[best] and len(word) > 2 for word in found)
    return best if telling and not english and len(found) >= WHOLE else None
