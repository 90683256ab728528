"""Whether a text is in English: the curriculum, the encoder and the grader read nothing else."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_APOSTROPHE = re.compile(r"['’]")
#: Commonest words of English, none of them a word of grammar in the languages below.
_ENGLISH = frozenset(
    "the a an and or of to is are be it its that this these those with for from by on at as not you we they i my our"
    " your their he she have has had do does did can could would should will may might must if then so because when"
    " which who what how why than but there here each every all any some more most only also just into over".split()
)
#: The same of German, Dutch, Swedish, Danish, French, Spanish, Portuguese, Italian, Romanian, Polish, Czech, Turkish,
#: Finnish, Hungarian, Indonesian and Vietnamese, without letters and what an English text may have.
_WORDS = frozenset(
    "der das und ist nicht ein eine einen einem einer ich wir sie mit auf für von zu dem den des im auch aber weil wenn"
    " wird werden würde nehmen kann oder nur noch sich bei jede jeder jedes keine kein als dass daß zum zur nach über"
    " het een niet van voor dat zijn wordt ook maar omdat naar deze die er je wij"
    " och att det som är inte jag vi för på av till ett kan ska eller men också ikke jeg af er og"
    " le les des une est que qui dans pour pas sur avec ce cette ces je nous vous il elle ils sont mais parce chaque ne"
    " se sa ses du au aux été être plus où donc comme ou et la qu'un qu'une"
    " el los las una es que por para con no porque pero como más su sus se lo al del cada yo mi usaría esto esta este"
    " son está muy cuando si un y"
    " o os as um uma é não com mas porque mais seu sua se ao do da dos das em eu isso está cada quando"
    " il lo gli una è che non per con ma perché come più suo si al della dei nel di sono io ogni questo quando anche"
    " și nu este care pentru cu din sau dar fiecare la"
    " nie jest się że na z do ale jak przez dla każdy każda tylko oraz czy przy jako"
    " je se že na v pro jako ale každý není by když"
    " ve bir bu için ile değil çok ama her gibi daha olarak ben biz"
    " ja on ei että se mutta kun joka myös jos ovat tai"
    " az egy és nem hogy minden csak mert is ha"
    " yang dan di untuk dengan tidak ini itu karena saya akan dari pada setiap"
    " và là của không cho một các được trong để này tôi".split()
) - frozenset(
    "a an as at be by do so is it in on no me my we he she or to of if its will was am are the has had who"
    " die per pour con data plus son come sale cu on er is se or al des van la ben pro via non sur et il est".split()
)
_FOREIGN = frozenset(word for word in _WORDS if len(word) > 1 or not word.isascii())
_FEW = 2  # different foreign words from which a text can be foreign
_ENOUGH = 6  # words from which one without grammar but with accents is foreign


def is_english(text: str) -> bool:
    """Whether a text is likely English; a few words without any grammar pass, as technical notes have little of it."""
    letters = [c for c in text if c.isalpha()]
    if letters and sum(unicodedata.name(c, "").startswith("LATIN") for c in letters) <= 0.6 * len(letters):
        return False
    words = [w.lower() for w in _WORD.findall(text)]
    english = sum(_APOSTROPHE.split(w)[0] in _ENGLISH or w in _ENGLISH for w in words)
    hits = [w for w in words if w in _FOREIGN]
    if len(set(hits)) >= _FEW and len(hits) > english:
        return False
    accented = sum(not w.isascii() and len(w) > 2 for w in words if not _APOSTROPHE.search(w))
    return not (len(words) >= _ENOUGH and english <= 0.05 * len(words) and accented >= 0.2 * len(words))
