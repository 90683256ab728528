"""An answer on a terminal: wrapped to its width, bold where it may be, plain where it is piped."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, TextIO

from tutor.cli.state import terminal_width

if TYPE_CHECKING:
    from tutor.answering.answer import Answer
    from tutor.answering.compose import Sentence

_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def print_answer(answer: Answer, out: TextIO, *, again: bool = False) -> None:
    """Write the answer, then one line for each cited place.

    Args:
        answer: what to write.
        out: where to; bold and dim only on a terminal.
        again: another answer to the same question stands above: how it was read and the linked readings are there.
    """
    colour = out.isatty()
    width = terminal_width()
    if not again:
        _print_read(answer, width, out)
    if answer.abstained:
        print(textwrap.fill(answer.text, width), file=out)
        if answer.refusal and answer.nearest:  # where there is no refusal, the text names them
            nearest = "; ".join(near.title for near in answer.nearest)
            print(textwrap.fill(f"The nearest cards are: {nearest}.", width), file=out)
        _print_further(answer, width, colour, out)
        _print_own(answer, width, colour, out)
        return
    if answer.composed.verdict:  # there is none where the log alone was asked
        print(_fill(" ".join(map(_line, answer.composed.verdict)), width, "", colour), file=out)
    for group in answer.composed.groups:
        print(file=out)
        if group.label:
            print(_style(f"**{textwrap.fill(group.label, width)}**", colour), file=out)
        for sentence in group.sentences:
            print(_fill(_line(sentence), width, "- ", colour), file=out)
    if answer.citations:
        print(file=out)
    if answer.uncovered:
        print(textwrap.fill(f"(nothing quoted here is about {', '.join(answer.uncovered)})", width), file=out)
    for citation in answer.citations:
        where = " > ".join((citation.title, *[h for h in citation.heading if h != citation.title]))
        page = f", page {citation.page}" if citation.page else ""
        text = f"[{citation.n}] {where}{page}  ({citation.doc_id})"
        print(dim(textwrap.fill(text, width, subsequent_indent="    ", break_on_hyphens=False), colour), file=out)
    if answer.generation:
        print(file=out)
        print(dim(textwrap.fill(f"({answer.generation.line()})", width, subsequent_indent=" "), colour), file=out)
    if not again:
        _print_further(answer, width, colour, out)
        _print_own(answer, width, colour, out)


def _print_read(answer: Answer, width: int, out: TextIO) -> None:
    """Write what was searched for instead of the question's own words."""
    for wrong, right in answer.corrected:
        print(textwrap.fill(f"(searched for “{right}” instead of “{wrong}”)", width), file=out)
    for short, long in answer.meant:
        print(textwrap.fill(f"({short}: {long})", width), file=out)


def _print_further(answer: Answer, width: int, colour: bool, out: TextIO) -> None:
    """Write the linked readings, marked as such, each with its address on a line of its own."""
    if answer.further:
        print(f"\n{_style('**Further reading (linked pages, not the curriculum)**', colour)}", file=out)
    for further in answer.further:
        citation = further.citation
        page = f", page {citation.page}" if citation.page else ""
        licence = "" if further.licence == "unknown" else f"  ({further.licence})"
        print(
            _fill(f"{citation.title}{page}{licence}: “{' '.join(citation.quote.split())}”", width, "- ", colour),
            file=out,
        )
        print(dim(f"  [{citation.n}] {citation.source}", colour), file=out)


def _print_own(answer: Answer, width: int, colour: bool, out: TextIO) -> None:
    """Write what the learner's own log says, marked as that."""
    if not answer.own:
        return
    if answer.text:
        print(file=out)
    print(_style("**From your log** (your own words, not the curriculum's)", colour), file=out)
    for own in answer.own:
        quote = " ".join(own.quote.split())
        text = f"- {own.place}: “{quote}” [{own.n}]  ({own.entry[:8]})"
        print(textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False), file=out)


def print_timings(answer: Answer, out: TextIO) -> None:
    """Write how long the answer took, and each of its stages, in milliseconds."""
    rest = max(0.0, answer.ms - sum(answer.stages.values()))
    print(f"\nAnswered in {answer.ms:.1f} ms:", file=out)
    for name, ms in (*answer.stages.items(), ("the rest", rest)):
        print(f"  {name:<20} {ms:8.2f}", file=out)


def _line(sentence: Sentence) -> str:
    marks = "".join(f"[{n}]" for n in sentence.cites)
    return f"{sentence.mark}{' '.join(sentence.text.split())} {marks}".rstrip()


def _fill(text: str, width: int, lead: str, colour: bool) -> str:
    plain = _LINK.sub(r"\1", text)
    filled = textwrap.fill(plain, width, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False)
    return _style(filled, colour)


def _style(text: str, colour: bool) -> str:
    text = _CODE.sub(r"\1", text)
    bold = "\033[1m{}\033[0m" if colour else "{}"
    return re.sub(r"\*\*(.+?)\*\*", lambda m: bold.format(m.group(1)), text, flags=re.S)


def dim(text: str, colour: bool) -> str:
    """Text for the margin: dim where there is ``colour``."""
    return f"\033[2m{text}\033[0m" if colour else text
