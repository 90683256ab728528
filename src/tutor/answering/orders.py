"""Text inside a document that speaks to the assistant instead of telling of a subject: data, never an instruction."""

from __future__ import annotations

import re
import unicodedata

#: What stands in quotes or code is spoken of, not spoken.
_QUOTED = re.compile(r"[\"“«`][^\"”»`\n]{3,}[\"”»`]|(?<!\w)['‘][^'’\n]{3,}['’](?!\w)")
_ASSISTANT = r"(?:assistant|ai(?: model| system)?|chat ?bot|language model|llm|gpt|model|tutor|grader|you|system)"
_SAY = (
    r"(?:say|reply|respond|answer|output|print|write|tell|state|claim|recommend|include|add|give|award|grade|score"
    r"|cite|end|begin|start|translate|append|insert|mention|contain|be)"
)
_WHERE = (
    r"(?:exactly|only|instead|verbatim|user|reader|learner|your (?:answer|reply|response|output)|every answer"
    r"|full marks|10/10|100 ?%|score|this (?:link|image|sentence|text)|http|www)"
)
#: Where an order can begin: at the start, after a stop, or behind a comma.
_CLAUSE = r"(?:^\W*|[.;:!?,\])]\s+|\b(?:and|then|please)\s+)(?:please )?"
_ORDERS = (
    # "Ignore all previous instructions"
    r"\b(?:ignore|disregard|forget|override|bypass|discard)\b.{0,40}\b(?:instructions?|rules?|prompts?|guidelines"
    r"|above|earlier|previous|system|constraints|safety|passages?|context|citations?)\b",
    # "Print your system prompt"
    r"\b(?:reveal|print|show|repeat|output|leak|display|disclose|dump|exfiltrate|forward|include|append|encode)\b"
    r".{0,50}\b(?:system prompt|prompt|instructions|environment variables?|api keys?|secrets?|passwords?"
    r"|whole conversation|chat history|user'?s (?:question|name|data|e-?mail|answer))\b",
    # "You are now …", "Act as an …"
    r"\b(?:you are now|you must now|from now on,? (?:you|always|answer|reply|respond)|pretend (?:to|that|you)"
    r"|enter (?:developer|debug|admin|dan) mode|developer mode (?:is )?on|new (?:system )?(?:instructions?|role)\b)",
    r"(?:^|[.!?:]\s)\W*(?:act|behave|respond) as (?:if|an?|the|dan)\b",
    # "Note to the assistant", "The assistant must say"
    rf"\b(?:dear|note to|attention|hey|message (?:to|for)|instructions? (?:to|for)|important for) (?:the |any |all )?"
    rf"{_ASSISTANT}\b",
    rf"\b{_ASSISTANT}(?: reading| that reads| processing)? (?:this )?(?:must|should|shall|has to|needs to|will)\b"
    rf".{{0,30}}\b{_SAY}\b",
    # "Reply only with", "Add this link"
    r"^\W*(?:please )?(?:say|reply|respond|answer|print|write|tell (?:the )?(?:user|reader|learner)|recommend|award"
    r"|grade|score|give|mark|end (?:your|every)|begin (?:your|every)|start (?:your|every)"
    rf"|always (?:say|answer|reply|end|add|include)|append|insert|add)\b.{{0,60}}\b{_WHERE}",
    r"\b(?:in|to|of|with|before|after) your (?:answer|reply|response|output|next message|summary)\b",
    rf"\b(?:your|the) (?:answer|reply|response|summary) (?:must|should|has to|needs to|shall)\b.{{0,30}}\b{_SAY}\b",
    r"\bwhen (?:asked|you (?:answer|summari[sz]e|reply|read)|summari[sz]ing|answering)\b.{0,60}\b(?:say|reply|respond"
    r"|answer|output|tell|write|add|include|claim|recommend|state)\b",
    # "…, and state that", "tell the user", "Write: …"
    rf"{_CLAUSE}(?:say|state|write|claim|confirm|answer|reply|respond|add|mention|include|insist|pretend|conclude|swear)"
    r" (?:that|it)\b",
    rf"{_CLAUSE}(?:tell|inform|convince|persuade|assure|remind|warn|ask) (?:the |your |every )?"
    r"(?:users?|readers?|learners?|students?|humans?|people|candidates?|whoever|him|her|them)\b",
    r"^(?:\[\d+\])?\s*(?:say|write|answer|reply|respond|output|print)\s*:",
    r"\b(?:output|render|print|show|display|embed)\b.{0,60}\b(?:and nothing else|for the (?:user|reader))\b",
    # The same in other languages that people write attacks in
    r"\b(?:ignorier\w*|ignorez|ignora|oublie[zr]?|olvida|vergiss|vergesst|missachte)\b.{0,40}"
    r"\b(?:anweisung\w*|regel\w*|instruc\w*|règles?|reglas?|consignes?|alles)",
    r"\b(?:antworte|responde|réponds|répondez|schreibe?|écri[st]|écrivez|empfiehl|sage?|dis|di|dile|escribe)\b"
    r".{0,30}\b(?:nur|mit|dass|que|immer|solo|avec|dem nutzer|al usuario|à l'utilisateur)\b",
    r"(?:忽略|无视|無視|请回答|回答|附上|забудь|игнорируй|ответь|напиши|скажи).{0,30}",
    # "Give full marks"
    r"\b(?:give|award|grant)\b.{0,30}\b(?:full marks|10/10|100 ?%|maximum score|top score|a pass)\b",
    r"^\W*(?:please )?(?:mark|grade|score) (?:this|the|every|any|all)\b.{0,40}\b(?:correct|covered|strong|pass(?:ed)?"
    r"|full|perfect|10|100)\b",
    r"^\W*(?:please )?(?:award|grant)\b.{0,30}\b(?:level|grade|score|marks?|points?|pass)\b",
)
_ORDER = re.compile("|".join(_ORDERS), re.I)
#: Turns and templates of chat formats.
TURN = re.compile(
    r"<\|[^|>\n]{1,40}\|>|<</?SYS>>|\[/?INST\]|</?s>|</?(?:start|end)_of_turn>"
    r"|</?(?:system|assistant|user|human|tool|instructions?|context|passages?|tool_call|function_call)"
    r"(?: [^>\n]{0,80})?>"
    r"|^[ \t>#_-]*(?:\*\*)?(?:system|assistant|user|human|ai|developer)(?:\*\*)?[ \t]*(?::|\]|-{2,}|={2,})"
    r"|^[ \t>#_-]*(?:system|developer) (?:message|prompt|note)[ \t]*(?::|\]|-{2,}|={2,})",
    re.I | re.M,
)


def folded(text: str) -> str:
    """A text as a reader takes it in: compatibility forms plain, letters without invisible characters between them."""
    kept = []
    for char in unicodedata.normalize("NFKD", text):
        if char in "\n\t":
            kept.append("\n" if char == "\n" else " ")
        elif unicodedata.category(char) not in ("Cf", "Cc", "Co", "Cs", "Cn", "Mn"):
            kept.append(char)
    return "".join(kept)


def gives_orders(text: str) -> bool:
    """Whether a sentence orders an assistant about or plays a turn of a chat, outside quotes."""
    seen = folded(text)
    return bool(_ORDER.search(_QUOTED.sub(" ", seen)) or TURN.search(seen))
