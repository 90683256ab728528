"""How a sentence of a story reads: what "I" and "we" did in it, whether it is only supposed, and the cues of each part.

Closed classes of English (irregular verbs, auxiliaries, months) are listed in full, and regular verbs are told by their
ending, so that no list has to know what engineers do. Open classes (problems, outcomes) are stems: they miss some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tutor.drill.gaming import words
from tutor.drill.reading import Window
from tutor.quantities.numbers import quantities

Kind = Literal["deed", "past", "ever", "supposed"]

#: Irregular verbs of doing in the simple past; "re", "over", "out" and the like may stand before.
PAST = frozenset(
    "ate became began bent bet bid bought bound broke brought built came cast caught chose clung crept cut dealt"
    " did dove drew drove dug fed fit fled flew forbade forgave fought found froze gave got ground held hid hit"
    " hung hurt kept laid led left lent let lit made meant met paid put quit ran rang read rode said sat saw"
    " sent set shed shook shot showed shut slept slid sold sought sped spelt spent split spoke sprang spread"
    " spun stole stood stove strove struck stuck swam swept swore swung taught threw told took tore trod undid"
    " went wept withdrew woke won wore wound wove wrote".split()
)
PARTICIPLES = frozenset(
    "become been begun broken chosen come done drawn driven flown frozen given gone gotten hidden overseen rewritten"
    " ridden run rung shaken shown spoken stolen taken thrown torn undertaken undone withdrawn woken worn"
    " written".split()
)
#: What goes on in a head, befalls a person or tells no step: past, and no deed.
STATES = frozenset(
    "agreed aimed allowed appeared assisted assumed became believed belonged cared collaborated concerned"
    " contributed cooperated decided depended disliked doubted enjoyed ensured excited expected faced failed feared"
    " fell felt forgot grew guessed had happened hated heard helped hoped inherited intended joined knew lacked lay"
    " learned learnt liked lost loved managed meant missed needed noticed obliged offered owned participated pledged"
    " preferred promised realised realized received regretted relied remained remembered reported required saw seemed"
    " stayed struggled supported supposed thought tried trusted turned understood volunteered wanted was were wished"
    " wondered worked worried".split()
)
_NO_PAST = frozenset("biased bleed breed deed embed exceed feed hundred indeed need proceed red seed succeed".split())
_PREFIX = re.compile(r"^(?:fore|mis|out|over|re|un|under|with)")
_FILLERS = frozenset(
    "actually again ahead all alone already also always and basically both either er even ever"
    " finally first immediately in instead just kind know later like myself next now of often once only"
    " ourselves parallel personally right simply since so sometimes soon sort still then therefore thus"
    " together uh um up well yeah you".split()
)
_ABLE = frozenset("can can't cannot could couldn't".split())
_WOULD = frozenset("may might must shall should shouldn't will won't would wouldn't".split())
_NOT = frozenset("didn't hadn't haven't never not wasn't weren't".split())
#: What must follow a verb that says nothing alone.
_FULL = {
    verb: re.compile(rest, re.I)
    for verb, rest in {
        "did": r"\s+(?:(?:was|is)\s|(?:an?|the|two|three|some|my own)\s+(?!lot|bit|great|good|best|job|work))",
        "made": r"\s+(?!sure\b|certain\b|a (?:difference|mistake)|mistakes?\b|progress\b|good\b)",
        "took": r"\s+(?!part\b|care\b|responsib|ownership\b|charge\b|it (?:on|upon)\b|on\b)",
        "got": r"(?:\s+\S+){0,6}?\s+(?:to|in|into|together|around|agreed|signed|approval|buy-in|agreement|sign-off)\b",
        "gave": r"\s+(?!(?:it )?my (?:best|all)\b|up\b)",
        "kept": r"\s+(?!calm\b|going\b|trying\b|working\b|at\b)",
        "went": r"\s+(?:to|through|over|back|round|around|with|and|straight|from|line)\b",
        "came": r"\s+(?:up with|to|back)\b",
        "found": r"\s+(?!myself\b|it (?:hard|difficult|easy|strange)\b)",
        "used": r"\s+(?!to\b)",
        "set": r"\s+(?!out\b)",
    }.items()
}
_SAY = frozenset("argue call guess like love say want".split())
_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?", re.I)
_SUBJECT = re.compile(r"(?<![\w.'’])(?P<who>I|we)(?P<short>['’](?:d|ve|ll))?(?![\w'’]|\.e\.)", re.I)
_WHEN = re.compile(
    r"(?:\b(?:after|for|over|since|during|last|next|past|first|every|of)|^\W*(?:with)?in)\s+(?:\w+\s+)?$", re.I
)
_LATER = re.compile(r"\s+(?:ago|later|after|on)\b")
HYPOTHETICAL = "This says what you would do; tell one time when you did it: when it was, what you did, what came of it."
GENERAL = "This is general advice and tells no event; tell one time: when it was, what you did, what came of it."


def is_past(word: str) -> bool:
    """Whether a lower-case word can be a verb in the past."""
    regular = word.endswith("ed") and len(word) > 3 and word not in _NO_PAST
    return regular or word in PAST or word in STATES or _PREFIX.sub("", word) in PAST


def happened(text: str) -> bool:
    """Whether there is a past verb of more than being, having or feeling."""
    return any(is_past(word) and word not in STATES for word in words(text))


def _is_deed(word: str, rest: str, *, perfect: bool = False) -> bool:
    """Whether a past verb, with ``rest`` after it, is a concrete doing and no state or vague effort."""
    if word in STATES or not (is_past(word) or (perfect and word in PARTICIPLES)):
        return False
    return bool(re.match(r"\W*[\w'’\"“]", rest)) and (word not in _FULL or bool(_FULL[word].match(rest)))


@dataclass(frozen=True, slots=True)
class Deed:
    """What "i" or "we" is said to do at ``at``: a concrete deed, something past, "I have ever", or only supposed."""

    who: str
    kind: Kind
    at: int


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence without its heading; ``label`` is the part it stands under, if the answer has headings."""

    window: Window
    text: str
    label: str
    deeds: tuple[Deed, ...]
    supposed: bool
    lesson: bool

    def did(self, who: str = "i") -> list[Deed]:
        """The concrete deeds of "i" or "we"."""
        return [] if self.supposed else [d for d in self.deeds if d.who == who and d.kind == "deed"]

    @property
    def before(self) -> str:
        """What is said before one's own first deed."""
        return self.text[: min((d.at for d in self.did()), default=len(self.text))]


def lines_of(windows: Sequence[Window]) -> list[Line]:
    """The sentences of an answer as lines; a heading holds until the next one."""
    lines, label = [], ""
    for window in windows:
        text = window.text
        if headed := LABEL.match(text):
            label = next(part for part, found in headed.groupdict().items() if found)
            text = text[headed.end() :]
        deeds = tuple(_deeds(text)) or tuple(_noted(text))
        modal = min((d.at for d in deeds if d.kind == "supposed"), default=len(text))
        general = min((m.start() for m in _GENERAL.finditer(text)), default=len(text))
        past = next((m.start() for m in _WORD.finditer(text) if is_past(m[0].lower())), len(text))
        supposing = bool(_SUPPOSING.match(text)) and min(modal, general) < len(text)
        supposed = supposing or min(modal, general) < past
        lines.append(Line(window, text, label, deeds, supposed, bool(LESSON.search(text))))
    last = max((n for n, line in enumerate(lines) if line.did()), default=-1)
    insights = [n > last and bool(_INSIGHT.search(line.text)) for n, line in enumerate(lines)]
    return [replace(line, lesson=line.lesson or late) for line, late in zip(lines, insights, strict=True)]


def _deeds(text: str) -> Iterator[Deed]:
    for match in _SUBJECT.finditer(text):
        if kind := _kind(text, match):
            iffy = re.search(r"\b(?:if|unless|wish|suppose|imagine)\s+$", text[: match.start()], re.I)
            yield Deed(match["who"].lower(), "supposed" if iffy else kind, match.start())


def _kind(text: str, subject: re.Match[str]) -> Kind | None:
    """What the verb after "I" or "we" tells, past adverbs, auxiliaries and fillers."""
    short = (subject["short"] or "").lower().replace("’", "'")
    would, perfect, ever = short == "'ll", short in ("'d", "'ve"), short == "'ve"
    for match in _WORD.finditer(text, subject.end()):
        word, rest = match[0].lower().replace("’", "'"), text[match.end() :]
        if word in _ABLE:
            return None
        if word in _WOULD:
            would = True
        elif would and word not in _FILLERS:
            return None if word in _SAY else "supposed"
        elif word in _NOT:
            return "past"
        elif word in ("have", "had") and _participle_follows(rest):
            perfect, ever = True, ever or word == "have"
        elif _is_deed(word, rest, perfect=perfect):
            return "ever" if ever else "deed"
        elif is_past(word) or (perfect and word in PARTICIPLES):
            return "ever" if ever else "past"
        elif word not in _FILLERS and not word.endswith("ly"):
            return "supposed" if short == "'d" and word not in _SAY else None
    return None


def _participle_follows(rest: str) -> bool:
    following = next((w for w in words(rest[:80]) if w not in _FILLERS and not w.endswith("ly")), "")
    return following in PARTICIPLES or (is_past(following) and following != "had")


def _noted(text: str) -> Iterator[Deed]:
    """Deeds in note form, where no subject is said: "Wrote the plan, ran a pilot"."""
    if re.match(r"[^,]*,\s+(?:the|it|we|they|our|this|that|he|she|my|I)\b", text, re.I):
        return  # "Pressed for time, the team …"
    at = 0
    for item in re.split(r"([;,]\s*)", text):
        first = next((m for m in _WORD.finditer(item) if m[0].lower() not in _FILLERS), None)
        if first and not re.search(r"\w", re.sub(r"\b(?:and|then|first)\b", "", item[: first.start()], flags=re.I)):
            rest = item[first.end() :]
            if _is_deed(first[0].lower(), rest) and not re.match(r"\s+(?:by|as|on|in)\b", rest):
                yield Deed("i", "deed", at + first.start())
            elif at == 0:
                return
        at += len(item)


def no_event(lines: Sequence[Line]) -> str:
    """Why the answer tells nothing that happened, or nothing."""
    if sum(x.supposed and not x.lesson for x in lines) > sum(len(x.did()) + len(x.did("we")) for x in lines):
        return HYPOTHETICAL
    told = [line for line in lines if not line.supposed]
    own = any(d.kind in ("deed", "past") for line in told for d in line.deeds)
    events = sum(any(w in PAST or w in ("was", "were", "had") for w in words(line.text)) for line in told)
    return GENERAL if told and not own and events < 2 else ""


def figures(text: str) -> list[float]:
    """Figures that tell an amount: no years, no "one", no "after three months"."""
    found = []
    for q in quantities(text):
        days = q.dimension == "time" and q.value >= 86_400
        when = days and (_WHEN.search(text[: q.start]) or _LATER.match(text, q.end))
        if not when and (q.dimension or not (q.value == 1 or 1990 <= q.value < 2040)):
            found.append(q.value)
    return found


def is_based(text: str) -> bool:
    """Whether a figure stands with the one before it."""
    return bool(CHANGE.search(text) and OUTCOME.search(text) and figures(text))


def _any(pattern: str) -> re.Pattern[str]:
    """Whole words in any case, laid out over lines; "_" stands for white space."""
    return _stems(rf"(?:{pattern})\b")


def _stems(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})".replace("_", r"\s+"), re.I | re.X)


#: A heading in front of a sentence; each group is a part.
LABEL = re.compile(
    r"^\W*(?:(?P<situation>situation|context|background|S)|(?P<task>tasks?|goal|T)|(?P<action>actions?|A)"
    r"|(?P<result>results?|outcome|impact|R)|(?P<lesson>lessons?|learnings?|learned|reflection|takeaways?|L))"
    r"\W{0,3}[:–—]\W*",
    re.I,
)
#: Supposed or general from its first words on.
_SUPPOSING = re.compile(
    r"^\W*(?:(?:so|well|and|then|but)\W+)*(?:if|suppose|supposing|imagine|hypothetically|say|let's say|assuming|in case"
    r"|whenever|ideally|in general|generally|usually|typically)\b",
    re.I,
)
_GENERAL = _any(r"""(?:you|one|people|they|everyone|teams|(?:an?|the|any|every|good|great
    |strong)_[\w-]+(?:_\w+)?)(?:_\w+ly|_always)?_(?:should|must|needs?_to|ha(?:s|ve)_to|would|will)""")
_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_SPAN = rf"(?:year|quarter|month|week|spring|summer|autumn|fall|winter|christmas|sprint|half|{_MONTH})"
_YEAR = r"(?:19|20)\d\d"
#: When, or at which place of work.
SETTING = _any(rf"""(?:last|previous|that|one|this|the_following)_{_SPAN}|(?:in|since|during|by|back_in|early|late
    |mid|around|of|until)[\s-](?:(?:early|late|mid)[\s-])?(?:{_YEAR}|q[1-4]|the_{_SPAN}|{_SPAN})|(?:q[1-4]|h[12]
    |spring|summer|autumn|fall|winter)_(?:of_)?{_YEAR}|(?:years?|months?|quarters?|weeks?)_(?:ago|back|earlier)
    |at_the_time|at_(?-i:[A-Z])\w+|when_(?:i|we)(?:'d)?_(?:\w+_)?(?:joined|came|arrived|took|started|was|were
    |inherited|moved|became)|(?:at|for|in|with|to)_(?:my|an?|our|the)_(?:[\w-]+_){{0,3}}?(?:company|firm|bank
    |start-?up|employer|job|role|agency|shop|site|maker|retailer|insurer|vendor|publisher|hospital|university
    |airline|studio|scale-?up|provider|client|customer|organi[sz]ation|platform|corporation|exchange|marketplace
    |business|group|team|squad|department|office)|start-?up|fintech|my_(?:time|days|years|stint)_(?:at|with|in)
    |I_(?:was|led|ran|managed|headed|worked)_(?:[\w-]+_){{0,5}}?(?:on|at|for|in)_(?:the|an?|our)""")
#: Who or what it was about; too common to tell a setting alone.
AROUND = _any(r"""(?:our|my|their)_\w+|we_(?:had|were|ran|kept|used)|(?:the|a)_\w+_(?:system|service|app|platform
    |database)|\w+_(?:teams?|squads?|group|people|engineers|developers|leads?|department|folks|guys)|a_(?:colleague
    |customer|client|junior|engineer|developer|peer|director|manager)""")
PROBLEM = _stems(r"""no_(?:one|single|clear|common|shared|way|owner|tests?|plan|idea|data|answer|alert|doc|process)
    |(?<!\bI\s)(?:nobody|none|never|nothing|neither|cannot|could(?:n't|_not)|did(?:n't|_not)|wasn't|weren't|without
    |unable)\b|I_(?:noticed|identified|spotted|saw)_(?:that_)?(?:our|the|my|how|every|each)\b|(?:too|only_one|barely
    |hardly|still)_\w|un(?:clear|owned|stable|reliab|known|happy|defin|manag|sustain|predict|tested|usable)|mis(?:s
    |match|underst|align|config)|in(?:consist|compat|complet|secur|effici|correct|adequa)|each_(?:had|kept|used
    |built)|kept_\w+ing|ran_out|running_out|abuse|aggressive|ambig|angry|argu|attack|backlog|bad\b|behind|block
    |bottleneck|breach|break|broke|bug|burn|by_hand|cancel|challeng|chao|charged|churn|clash|collid|complain|concern
    |conflict|confus|contradict|corrupt|cost(?:s|ing|ly)?\b|crash|crisis|deadline|deadlock|debt|declin|degrad|delay
    |deprecat|difficult|disagre|disput|diverg|doubl|doubt|down\b|drift|drop|drown|duplicat|emergenc|error|exhaust
    |expens|fail|fell\b|fight|flak|flat\b|fragment|fraud|frustrat|furious|gap|hang|hard_to|harsh|hours?_(?:for|to)\b
    |hung|hurdle|incident|insist|issue|lag|late\b|legacy|leak|liabilit|limitation|los(?:e|ing|t)\b|manual|mess\b
    |monolith|nois|obsolete|obstacle|oppos|outage|outdat|outgr|over(?:load|night|whelm|work)|paged?\b|pages_a|pain
    |pressure|problem|quit|refus|reject|resist|risk|s[ck]eptic|saturat|shortage|shr[aiu]nk|slow|spik|stale|stall
    |struggl|stuck|suffer|surg|tension|threat|tight|timeouts?|timed_out|tripl|trouble|twice|upset|urgent|vague
    |vulnerab|wait|want\w*_(?:us|me)\b|weak|wors|wrong""")
#: The learner's own charge or aim; ``AIM`` is one without an owner.
DUTY = _any(r"""my_(?:own_)?(?:job|task|goal|aim|target|role|mandate|brief|responsibility|objective|assignment
    |charge|mission|part|remit|ambition|plan)_(?:there_|here_|then_)?(?:was|were|became|came|had)|(?:the|a)_(?:job
    |task|part|goal|problem|project|question|piece|target)_(?:that_)?(?:I_(?:had|got|set|took|was)|I'd)|I(?:_was
    |'d_been|_had_been|_got|_am)_(?:\w+_)?(?:asked|tasked|told|assigned|responsible|accountable|brought_in|hired
    |chosen|picked|appointed|given|handed|put|supposed|expected|charged|in_charge|due|meant|the_one|the_owner
    |the_lead|on_the_hook|leading|driving)|I_(?:(?:then|also|personally|therefore|immediately)_)?(?:owned
    |volunteered|offered|decided|set_out|wanted|needed|had_to|took_(?:it_)?(?:on|over|upon|charge|ownership
    |responsibility)|took_the_(?:lead|task|job)|signed_up|committed|stepped_(?:up|in)|inherited|promised|aimed
    |resolved|chose_to|picked_(?:it|this|that)_up|made_it_my|intended|planned|agreed_to|proposed_to|pledged|led_the
    |headed|set_(?:myself|a_goal|the_goal)|(?:felt|thought|knew|believed|saw)_(?:that_)?(?:I|it_was)_(?:should|had
    |needed|was|my|up)|(?:\w+_){1,8}?and_(?:had|needed|decided|offered|volunteered)_to)|(?:asked|told|tasked|wanted
    |needed|assigned|gave|handed|trusted|charged|made|put|got|hired|expected|appointed|named)_me_(?:\w+_){0,3}?(?:to
    |the|with|in|an?|responsible|owner|lead|this|that|it)|(?:on|up_to|fell_to|landed_(?:on|with)|left_to|down_to
    |came_to|assigned_to|given_to|handed_to)_(?:me|my_(?:desk|plate))|(?:was|is|became|were)_(?:\w+_)?(?:me|mine
    |my_(?:job|task|responsibility|call|problem|goal|decision))|mine_(?:as|to)|(?:agreed|decided|settled|clear|meant
    |promised)_(?:that_)?I(?:'d|_would|_should|_had_to)""")
AIM = _any(r"""(?:the|our|their|its)_(?:\w+_)?(?:goal|aim|target|task|objective|mandate|job|ask|deadline
    |mission)_(?:was|were)|we_(?:had_to|needed_to|wanted_to|were_(?:asked|told|tasked|supposed|responsible)|decided
    |set_out|aimed|committed)|I_was_(?:the|an?|on_call|her|his|their|lead|running|owner)|(?:team|group
    |they)_(?:decided|wanted|needed|had)_to""")
_SOME = r"""(?:\S*\d\S*|half|two|three|four|five|six|seven|eight|nine|ten|\w+teen|\w+ty|hundred|thousand|daily
    |weekly|monthly|quarterly|seconds|minutes|hours|days|weeks|months)"""
_FROM_TO = rf"""→|->|=>|from_(?:\S+_){{0,3}}?{_SOME}_(?:\S+_){{0,4}}?(?:down_|up_)?to_(?:\S+_){{0,3}}?(?:{_SOME}
    |none|zero|nothing)\b"""
#: A value before and one after.
CHANGE = _stems(rf"""{_FROM_TO}|(?:instead_of_(?:\w+_)?(?:\d\S*|seconds|minutes|hours|days|weeks|months)|no_longer
    |used_to|compared_(?:with|to)|down_(?:to|from)|up_from|versus|vs|than_(?:before|expected|planned)|halved|doubled
    |tripled|quadrupled|half_of|twice_as|an?_(?:third|quarter|half|tenth)_of|where_before|before_it|it_was_before
    |previously|not_\w+_(?:again|since|back)|never_again|for_the_first_time|the_year_before|year_over_year|(?:to|was
    |at)_(?:zero|none)|before(?=,))\b""")
#: The end of a story.
ENDS = _any(r"""in_the_end|as_a_result|the_(?:result|outcome|effect|upshot)|eventually|ultimately|in_total|finally
    |today|by_the_(?:end|following|time)|since_then|ever_since|to_this_day|nowadays|afterwards?|(?:a_year|months?
    |weeks?)_(?:later|on)|after_(?:an?|one|two|three|six|nine|twelve)_(?:years?|quarters?|months?|weeks?)""")
#: "I finished my part" is work done and no outcome.
WORK_DONE = _any(r"""I_(?:\w+ly_)?(?:finished|completed|delivered|presented|met|reached|hit|passed|signed|followed
    |agreed|accepted|removed|closed|worked|migrated|launched|released)""")
#: A change that is a result also where it is one's own doing.
GAIN = _any(r"""cut|reduced|saved|halved|doubled|tripled|raised|improved|increased|decreased|lowered|restored
    |recovered|won|eliminated|avoided|prevented|shortened|accelerated|stabili[sz]ed|resolved|solved
    |brought_(?:\w+_){1,4}?(?:down|up|back)""")
OUTCOME = _stems(rf"""{_FROM_TO}|(?:faster|fewer|better|higher|lower|less|shorter|smoother|cheaper|smaller|easier
    |safer|started_\w+ing|fell|dropped|sank|rose|grew|climbed|went_(?:from|down|up|to|live|back|well|smoothly)
    |came_(?:down|back|in_(?:at|under))|shrank|declined|gained|earned|removed|succeeded|paid_off|delivered|shipped
    |launched|released|finished|completed|renewed|approved|adopted|promoted|retained|stopped|disappeared|vanished
    |ended|closed|held_up|survived|passed|hit|reached|met|exceeded|beat|lasted|moved_over|migrated|followed|signed
    |agreed|accepted|thanked|praised|remained|settled|landed|worked|stayed_(?:level|flat|up|below|under|at)|became
    |turned_out|runs?|ha(?:s|ve)_run|were_(?:\w+ed|happy)|achieved|led_to|been_(?:under|below|at|over|above|stable
    |steady|fine|zero)|was_(?:back|down|over|done|live|gone|happy|\w+ed)|resulted|took_(?:only_|just_)?(?:\d
    |\w+_(?:second|minute|hour|day)s?)|avoiding|saving|cutting|reducing|contributed|yielded|built_trust|shifted
    |rallied|appreciated|ahead_of_schedule|(?:is|are)_still|now_(?:take|run|use|have|cost|serve)s?)\b|{GAIN.pattern}
    |{ENDS.pattern}""")
#: What is bad when there is more of it, and words for more and less.
BAD = _stems(r"""error|outage|incident|page|failure|complaint|bug|duplicate|latency|cost|bill|delay|wait|lag|churn
    |timeout|crash|defect|queue|loss|ticket|alert|build""")
MORE = _any(r"rose|grew|climbed|increased|doubled|tripled|quadrupled|went_up|spiked|jumped|exploded")
LESS = _any(r"""fell|dropped|sank|went_down|came_down|shrank|decreased|declined|reduced|cut|halved|stopped
    |disappeared|down_to""")
LESSON = _any(r"""learn(?:ed|t)(?!_(?:it|they|he|she|about|there|later)\b)|learnings?_(?:was|is|were|from)
    |taught_(?:me|us)|lessons?|take-?aways?|looking_back|(?:in_)?hindsight|in_retrospect|differently|next_time|what_(?:stuck|stayed|(?:I|we)_(?:took|take)|I_keep|changed)|took_(?:away
    |from_(?:it|that|this))|made_me_(?:realise|realize|see|rethink|understand)|opened_my_eyes|showed_me_that
    |I_(?:now|no_longer|never_again)|if_I_(?:\w+_){0,2}?(?:did|faced|had|were|could|got|started)_(?:it|this|that|to
    |again|over|the)|(?:since_then|ever_since|from_then_on|these_days|nowadays|so_now|now|today)_(?:I|we)(?:'ve
    |'ll)?|I(?:'ve|_have)_(?:since|stopped|started|changed|become|kept|done_that|made_it_a)|I_(?:should(?:_have|'ve)
    |wish_I|regret|underestimated|overestimated|came_to_see)|my_(?:own_)?(?:mistake|error|lesson|fault)_was|(?:thing
    |habit|practice|view|mind)_(?:that_)?(?:has_|I_)?changed?|changed_(?:how|the_way|my)|would(?:'ve
    |_have)_(?:started|asked|done|involved|tested|measured|brought|gone|spoken|told)""")
#: A lesson where no deed of one's own follows; before one it is a finding on the way.
_INSIGHT = _any(r"I_(?:\w+_)?(?:realised|realized|discovered_that|understood|saw_that|found_that)")
_PEOPLE = r"""(?:they|he|she|ops|qa|sre|devops|management|leadership|(?:the|our|my|another|other
    |some)_(?:\w+_){0,2}?(?:teams?|guys|people|folks|managers?|pm|po|director|vendor|contractors?|juniors?
    |developers?|engineers?|devs?|colleagues?|architect|department|group|intern|boss|leads?|ceo|cto))"""
_SLIGHT = (
    "(?:incompetent|lazy|clueless|useless|stupid|idiots?|ignorant|careless|unprofessional|hopeless|sloppy|arrogant)"
)
#: Fault put on people; ``SOFT_BLAME`` is a fact about them, unless the learner's own part is nowhere.
BLAME = _any(rf"""{_PEOPLE}_(?:\w+_){{0,3}}?(?:messed|screwed|botched|ruined|sabotaged|dropped_the_ball|let_(?:us
    |me)_down|blew_it|couldn't_be_bothered|did(?:n't|_not)_bother|never_listen\w*|didn't_listen|had_no_(?:clue
    |idea_what)|(?:didn't|did_not|don't)_do_(?:their|his|her)_jobs?|(?:do|did|does)(?:n't|_not)_care|never_(?:do|did
    |care)\w*)|{_PEOPLE}_(?:was|were|are|is)_(?:\w+_){{0,3}}?{_SLIGHT}|(?:terrible|awful|horrible|bad|toxic
    |incompetent)_(?:management|leadership|managers?|boss|bosses|director|colleagues|team)|(?:because_of|due_to
    |thanks_to)_(?:\w+_){{0,2}}?(?:incompetence|laziness|stupidity|ignorance|arrogance|carelessness)|(?:their|his
    |her|entirely_the|all_the|\w+'s|\w+s')_(?:own_)?(?:fault|mess|incompetence)|(?:not|wasn't|never
    |hardly)_(?:really_)?my_(?:fault|mistake|problem)|nothing_to_do_with_me|if_(?:they|he|she|management|the_\w+
    |people)_had_(?:only_|just_)?(?:listened|done|read|followed|tested)|I_(?:had_)?(?:told|warned)_(?:them|him
    |her)_(?:so|before|about_it)""")
SOFT_BLAME = _any(rf"""{_PEOPLE}_(?:had_)?(?:failed_to|forgot(?:ten)?_to|neglected|ignored|broke_(?:it|the|our)
    |caused_(?:it|the))|because_{_PEOPLE}_(?:\w+_){{0,2}}?(?:pushed|deployed|changed|broke|deleted|forgot|failed
    |shipped)""")
OWN_PART = _any(r"""my_(?:own_)?(?:part|mistake|fault|error|change|oversight|bug|share)|(?:was|were)_mine|blameless
    |I_(?:had_)?(?:also_)?(?:missed|overlooked|underestimated|forgot|(?:should|could)_have|broke|caused|misjudged
    |failed_to)""")
NOT_BLAME = re.compile(r"(?:\b(?:not|never|without|nobody|instead of)\b|n't\b)[^.]{0,30}\b(?:blam|fault)", re.I)
SCOPE = _any(r"""(?:[2-9]|[1-9]\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|several
    |many|all|every|most|other|both|multiple|various|across|different|half_the|dozens_of|of_the
    |of_\d+)_(?:\w+_){0,3}?(?:teams?|squads?|groups|departments|organi[sz]ations|orgs|divisions|business_units
    |tribes|offices|companies|domains)|(?:company|org|organi[sz]ation|firm)[\s-]?wide|(?:across|whole
    |entire)_(?:the_)?(?:\w+_)?(?:company|organi[sz]ation|org|department|division|business|engineering)""")
#: How a number was measured, or what else may have moved it.
ATTRIBUTION = _any(r"""a/?b[\s-]tests?|hold-?outs?|control_group|experiment|attribut\w+|according_to|measured
    |counted|canary|confirmed|verified|audited|account(?:s|ed)?_for|c[oa]mes?_from|due_to|of_(?:which|that|those)
    |lower_bound|upper_bound|(?:part|some|most|half|all|the_rest)_of_(?:it|that|this|the_(?:gain|drop|effect
    |saving\w*|change|rest|improvement))|checked_(?:it_|that_|this_)?against|compared_(?:it|them)_(?:with|to
    |against)|same_(?:week|month|quarter|period|day)|seasonal\w*|also_(?:helped|contributed|played)|(?:may
    |might)_(?:also_)?have|isolated|side_by_side|with_and_without|the_(?:dashboard|logs?|survey|data)_(?:showed
    |shows|said|confirms?)""")
#: Words of one who speaks to the grader; an order without them is a sentence of the story ("the error rate … 100 %").
TO_GRADER = _stems(r"""grad(?:e|ing)|marks?\b|rubric|scor|points?\b|verdict|credit|cover|instruct|prompt|system:
    |candidate|learner|student|evaluat|examin|judge|strong\b|staff\b|flags?\b|previous|above|correct\b
    |complete\b(?=\W*$)""")
