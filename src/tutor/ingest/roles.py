"""What a heading says its section is for: one of the roles of ``Section``, for cards and for any other document."""

from __future__ import annotations

import re
import unicodedata

_LEAD = re.compile(
    r"^(?:chapter|part|section|step)\s+\d+\s*[:.)–—-]?\s*|^(?:\d+(?:\.\d+)*|[a-z])[.)](?!\d)\s*|^\d+(?:\.\d+)*\s+"
)
_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]")
_NOT_WORDS = re.compile(r"[^\w\s/&'-]+")

# Whole headings, or their openings where the pattern ends in \b: a topic such as "Failure detection" or "Signal
# handling" must stay body. The first match wins, so "when not" stands before "when".
_ROLES: tuple[tuple[str, str], ...] = (
    ("red-flags", r"(?:interview )?(?:traps?|traps and red flags|red flags?)(?: and red flags)?|what not to say"),
    ("signal", r"(?:interview|hiring|interviewer'?s?) signals?|what (?:the )?interviewers? (?:look|listen)s? for"),
    (
        "probes",
        r"(?:(?:interview|practice|sample|common interview) )?(?:probes?|questions)|interview questions and answers",
    ),
    (
        "when-not",
        r"when (?:not|never)\b.*|when (?:you )?(?:should not|shouldn't|don't)\b.*|when to avoid\b.*"
        r"|when to (?:skip|leave .* out|do without|(?:use|choose|prefer|pick) something else)\b.*"
        r"|when .{1,40} (?:is|are) (?:(?:the )?wrong|unnecessary|enough|right|better|overkill)\b.*"
        r"|when (?:none|nothing)\b.*|what not to (?:use|pick|choose)\b.*|why[- ]not\b.*"
        r"|not (?:suitable|recommended) for\b.*|non[- ]goals|anti[- ]use[- ]cases",
    ),
    (
        "when",
        r"when (?:to|should|you should)\b.*|when .{1,40} (?:makes? sense|fits?|wins?|works|pays? off)"
        r"|(?:typical |common |best )?use[- ]cases?",
    ),
    (
        "mistakes",
        r"(?:common |typical |frequent |beginner )?(?:mistakes?|errors to avoid|misconceptions|misunderstandings)"
        r"(?: to avoid)?|(?:common )?(?:pitfalls?|gotchas?|traps?|anti-?patterns)|(?:common )?pitfalls and \w+",
    ),
    (
        "failures",
        r"(?:production )?(?:failures|incidents|outages)(?: and \w+)?|(?:common )?failure (?:modes?|scenarios|stories)"
        r"|how .{1,40} (?:fails?|breaks?|goe?s? wrong)\b.*|what breaks\b.*|failures? and .{1,30}"
        r"|what (?:can go|goes|went) wrong\b.*|post-?mortems?|war stories",
    ),
    (
        "tradeoffs",
        r"(?:design )?trade[- ]?offs?\b.*|pros (?:and|&) cons|advantages (?:and|&) disadvantages|(?:dis)?advantages"
        r"|strengths (?:and|&) weaknesses|(?:known )?limitations?(?: (?:of|and)\b.*)?|drawbacks?|benefits"
        r"|alternatives?(?: (?:to|and|considered)\b.*)?|comparisons?(?: (?:of|to|with)\b.*)?|comparison table",
    ),
    (
        "scenarios",
        r"(?:design |system design |practice )?(?:scenarios?|exercises|problems|case stud(?:y|ies))|worked examples?"
        r"|practice|projects?(?: to build)?",
    ),
    (
        "mastery",
        r"mastery(?: checks?)?|you know it when\b.*|(?:self[- ])(?:check|test|assessment)|check your understanding"
        r"|review questions|knowledge check|quiz|checklist",
    ),
    (
        "why",
        r"why (?:it )?(?:exists|matters)|what (?:and|&) why|why\b(?! not\b).{0,40}|motivation|rationale|background"
        r"|(?:the )?problem(?: statement)?|purpose",
    ),
    ("map", r"(?:deep[- ]dive|topic|concept|mind|study|learning) map|map|road ?map|outline|table of contents|contents"),
    (
        "resources",
        r"(?:learning |useful |external |additional |recommended )?(?:resources?|references?|links|sources|reading)"
        r"|further (?:reading|resources|study)|bibliography|works cited|citations|see also|literature|studies",
    ),
    (
        "figures",
        r"(?:list of )?(?:figures?|diagrams?|illustrations?)|numbers to (?:know|remember)|key (?:figures|numbers)",
    ),
    (
        "learn",
        r"internal mechanics|internals|mechanics|how (?:it|this|they) works?\b.*|how .{1,40} works?"
        r"|how does .{1,40} work|under the hood|learn|the short list|quick table|(?:key|core) (?:concepts?|ideas|terms)"
        r"|architecture|implementation(?: details)?",
    ),
)
_COMPILED = tuple((role, re.compile(rf"(?:{pattern})\Z")) for role, pattern in _ROLES)


def role_of(heading: str) -> str:
    """The role that ``heading`` announces, ``body`` where it announces none."""
    plain = unicodedata.normalize("NFKC", heading).replace("’", "'").casefold()
    plain = _LEAD.sub("", re.sub(r"\A[\W_]+", "", plain), count=1)
    plain = " ".join(_NOT_WORDS.sub(" ", _BRACKETS.sub("", plain)).split())
    plain = re.sub(r"[^a-z0-9]+\Z", "", plain)
    return next((role for role, pattern in _COMPILED if pattern.match(plain)), "body")
