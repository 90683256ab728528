"""The tools: what each takes, gives and does. Nothing here knows the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from tutor.errors import NotFound, UsageError
from tutor.mcp.schemas import (
    AnswerArguments,
    AskArguments,
    CardArguments,
    CardOut,
    NoArguments,
    PassagesOut,
    SearchArguments,
    StepOut,
    TodayOut,
)
from tutor.web.core import Core
from tutor.web.schemas import AnswerOut, DrillIn
from tutor.wire import answer_json, answer_text, search_json

URI = "card://"
_FIND = "Find it with the tool search."
PART_CHARS = 40_000  # of a document in one result: the longest card has 22,000


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gives: ``text`` for the model to read, ``data`` as its output schema says."""

    text: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spec:
    """A tool. ``writes``: it changes the learner's own store."""

    name: str
    title: str
    description: str
    takes: type[BaseModel]
    gives: type[BaseModel]
    run: Callable[[Core, Any], Result]
    writes: bool = False

    def call(self, core: Core, arguments: dict[str, Any]) -> Result:
        """Check the arguments and run the tool.

        Raises:
            UsageError: the arguments do not fit; names the first that does not.
            TutorError: what the tool itself raises.
        """
        try:
            given = self.takes.model_validate(arguments)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            about = ".".join(map(str, first["loc"])) or self.name
            known = ", ".join(self.takes.model_fields) or "none"
            fix = f"It takes: {known}." if first["type"] == "extra_forbidden" else ""
            raise UsageError(first["msg"], about=about, fix=fix) from error
        return self.run(core, given)


def find_document(core: Core, name: str) -> dict[str, Any]:
    """A document of the index by id, title, alias or acronym; cards first. No path is ever made of the name.

    Raises:
        NotFound: nothing is called so.
    """
    wanted = " ".join(name.split()).casefold()
    documents = core.documents()
    ways: tuple[Callable[[dict[str, Any]], Iterable[Any]], ...] = (
        lambda d: (d["doc_id"],),
        lambda d: (d["title"],),
        lambda d: (*d["aliases"], *d["acronyms"]),
    )
    for names in ways:
        for document in documents:
            if wanted in (str(each).casefold() for each in names(document)):
                return core.document(document["doc_id"])
    raise NotFound("no card or document is called so", about=name[:80], fix=_FIND)


def read_document(core: Core, doc_id: str) -> dict[str, Any]:
    """A document of the index by exactly its id.

    Raises:
        NotFound: no document has it.
    """
    try:
        return core.document(doc_id)
    except NotFound as error:
        raise NotFound(error.what, about=doc_id[:80], fix=_FIND) from error


def _search(core: Core, given: SearchArguments) -> Result:
    found = core.search(given.query, limit=given.limit, by_document=given.by_document, filters=given.filters())
    rows = search_json(found, text=True)["hits"]
    for row in rows:
        row.pop("source")  # a path of this machine is no business of a model elsewhere
    parts = [
        f"{n}. {', '.join(dict.fromkeys((row['title'], *row['heading'])))} ({URI}{row['doc_id']})\n{row['text']}"
        for n, row in enumerate(rows, 1)
    ]
    return Result("\n\n".join(parts) or "Nothing was found.", {"passages": rows})


def _ask(core: Core, given: AskArguments) -> Result:
    answer = core.ask(given.question, {"phase": given.phase} if given.phase else None)
    return Result(answer_text(answer), answer_json(answer))


def _card(core: Core, given: CardArguments) -> Result:
    found = find_document(core, given.card)
    text, meta = found["text"], found["meta"]
    if given.start and given.start >= len(text):
        raise UsageError(f"the document ends at {len(text)}", about="start", fix="Begin earlier.")
    end = min(len(text), given.start + PART_CHARS)
    data = {
        "doc_id": found["doc_id"],
        "title": found["title"],
        "kind": found["kind"],
        "uri": URI + found["doc_id"],
        "covers": found["covers"],
        "aliases": found["aliases"],
        "prerequisites": list(meta.get("prerequisites") or ()),
        "related": list(meta.get("related") or ()),
        "sections": [
            {"heading": part["heading"], "start": part["start"], "end": part["end"]}
            for part in found["sections"]
            if part["start"] < end and part["end"] > given.start
        ],
        "text": text[given.start : end],
        "start": given.start,
        "next_start": end if end < len(text) else None,
    }
    more = f"\n\n(The document goes on: call card again with start={end}.)" if end < len(text) else ""
    return Result(data["text"] + more, data)


def _today(core: Core, given: NoArguments) -> Result:
    data = core.today()
    lines = [f"{len(data['due'])} due on {data['date']}:" if data["due"] else f"Nothing is due on {data['date']}."]
    for row in data["due"]:
        last = f"last: {row['verdict']}" if row["verdict"] else "never asked"
        lines.append(f"- {row['title']}: {row['ask'] or 'exercise'} ({last})")
    if data["open"]:
        lines += ["Open drills:", *(f"- {row['session']}: {row['title']} ({row['state']})" for row in data["open"])]
    return Result("\n".join(lines), data)


def _drill_start(core: Core, given: DrillIn) -> Result:
    return _step(core.start_drill(given))


def _drill_answer(core: Core, given: AnswerArguments) -> Result:
    return _step(core.reply(given.session, given.question, given.answer))


def _step(data: dict[str, Any]) -> Result:
    """A step as text: the grade of what has ended, then what is asked now with the ids that the answer needs."""
    lines = []
    if graded := data.get("graded"):
        level = f", {graded['level']} level" if graded["level"] else ""
        lines.append(f"Grade: {graded['verdict']}, {graded['score']:.0%}{level}. {graded['reason']}".rstrip())
        lines += [f"- {p['point']}: {p['status']}{_quoted(p['evidence'])}" for p in graded["points"]]
        lines += [f"- red flag: {_quoted(f['evidence'])[2:]} {f['why']}" for f in graded["red_flags"]]
        lines += [f"Next move: {move}" for move in graded["lifts"]]
        lines += [f"Read {URI}{r['doc']}: {', '.join(r['heading'])}" for r in graded["read"]]
        lines.append("")
    if asked := data["question"]:
        lines.append(asked["text"])
        lines.append(f"(drill {data['session']}, question {asked['id']}: task {data['task']} of {data['of']})")
    else:
        lines.append(f"The drill {data['session']} is over.")
    return Result("\n".join(lines), data)


def _quoted(evidence: str) -> str:
    return f": “{' '.join(evidence.split())}”" if evidence else ""


TOOLS = (
    Spec(
        "search",
        "Search the curriculum",
        "Find passages of the study curriculum and the learner's own documents: cards on distributed systems, storage, "
        "data-intensive and AI engineering, operability, interviews. Gives verbatim passages, best first.",
        SearchArguments,
        PassagesOut,
        _search,
    ),
    Spec(
        "ask",
        "Ask the curriculum",
        "A short answer in which every sentence is cut verbatim from a document and cited, or a refusal that says what "
        "is missing. Keep the [n] marks when you pass it on, and add nothing to it that is not quoted.",
        AskArguments,
        AnswerOut,
        _ask,
    ),
    Spec(
        "card",
        "Read a card",
        "The whole text of a card or document, by id, title or alias. Long documents come in parts.",
        CardArguments,
        CardOut,
        _card,
    ),
    Spec(
        "today",
        "What is due today",
        "Probes and exercises that are due again by the learner's last results, and drills that are still open.",
        NoArguments,
        TodayOut,
        _today,
    ),
    Spec(
        "drill_start",
        "Start a mock drill",
        "Start a mock interview drill and get its first question. Ask the learner exactly this question and wait for "
        'their own words. Give free text ("why not kafka"), a card, a format, or what narrows a set.',
        DrillIn,
        StepOut,
        _drill_start,
        writes=True,
    ),
    Spec(
        "drill_answer",
        "Answer the pending question",
        "Hand in the learner's own words to the pending question, unchanged. Never answer for the learner. Gives the "
        "next question, or the grade with the evidence for each point.",
        AnswerArguments,
        StepOut,
        _drill_answer,
        writes=True,
    ),
)
