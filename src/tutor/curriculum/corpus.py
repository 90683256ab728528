"""The curriculum folder as a whole: cards, notes, practice entries, plans; each file parsed or its problem kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tutor.curriculum import PLAN_SUFFIX
from tutor.curriculum.card import Card
from tutor.curriculum.parse import ENTRIES, Entry, load_yaml, parse_card, parse_front, split_front_matter
from tutor.curriculum.plan import Plan, Tables, read_plan, read_tables
from tutor.errors import CardError


@dataclass(slots=True)
class Corpus:
    """``cards`` and ``entries`` (notes, practice) by id; ``bodies`` the Markdown below each one's front matter."""

    root: Path
    cards: dict[str, Card] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    tables: Tables | None = None
    bodies: dict[str, str] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[CardError] = field(default_factory=list)

    def all(self) -> Iterator[Card | Entry]:
        """Cards, then entries."""
        yield from self.cards.values()
        yield from self.entries.values()

    def covered(self) -> dict[str, list[str]]:
        """Item id → ids of the documents that stand for it."""
        found: dict[str, list[str]] = {}
        for document in self.all():
            for item in document.covers:
                found.setdefault(item, []).append(document.id)
        for plan in self.plans.values():
            for step in plan.walk():
                for item in step.covers:
                    found.setdefault(item, []).append(plan.id)
        return found


def load_corpus(root: Path, between: Callable[[], None] = lambda: None) -> Corpus:
    """Parse every Markdown file of ``root/cards`` (``root`` where there is none), ``root/notes`` and ``root/practice``.

    Args:
        root: of the curriculum.
        between: called after each file: parsing all of them takes a second, and others may have to go first.

    Raises:
        CardError: there is no card.
    """
    corpus = Corpus(root)
    cards = root / "cards" if (root / "cards").is_dir() else root
    files = sorted(cards.rglob("*.md"))
    if not files:
        raise CardError("there are no cards here", about=str(cards), fix="Name a folder with *.md cards.")
    for path in files:
        _read(corpus, path, _card)
        between()
    for name in ("notes", "practice"):
        for path in sorted((root / name).rglob("*.md")):
            _read(corpus, path, _entry)
            between()
    for path in sorted((root / "plans").glob(f"*{PLAN_SUFFIX}")):
        _read(corpus, path, _plan)
        between()
    if (tables := root / "plans" / "tables.yaml").is_file():
        try:
            corpus.tables = read_tables(tables)
        except CardError as error:
            corpus.problems.append(error)
    return corpus


def read_card(root: Path, card_id: str) -> Card | None:
    """One card with its probes whole, as ``read_whole`` gives it."""
    found = read_whole(root, card_id)
    return found and found[0]


def read_whole(root: Path, card_id: str) -> tuple[Card, str] | None:
    """One card and its text (Markdown), without reading the others; None where the curriculum has no such file.

    Args:
        root: of the curriculum.
        card_id: as the outline has it: it is taken for a file's name.

    Raises:
        CardError: the file is no valid card.
    """
    path = root / "cards" / f"{card_id}.md"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"cannot be read ({error})", about=str(path)) from error
    card, body_start = parse_card(text, about=str(path), stem=path.stem)
    return card, text[body_start:]


def _read(corpus: Corpus, path: Path, parse: Callable[[Corpus, str, Path], tuple[str, int]]) -> None:
    try:
        text = path.read_text(encoding="utf-8")
        name, body_start = parse(corpus, text, path)
    except CardError as error:
        corpus.problems.append(error)
    except (OSError, UnicodeDecodeError) as error:
        corpus.problems.append(CardError(f"cannot be read ({error})", about=str(path)))
    else:
        if name in corpus.paths:
            other = corpus.paths[name]
            corpus.problems.append(CardError(f"the id '{name}' is already that of {other}", about=f"{path}:2: id"))
        corpus.bodies[name], corpus.paths[name] = text[body_start:], path


def _card(corpus: Corpus, text: str, path: Path) -> tuple[str, int]:
    card, body_start = parse_card(text, about=str(path), stem=path.stem)
    corpus.cards[card.id] = card
    return card.id, body_start


def _plan(corpus: Corpus, text: str, path: Path) -> tuple[str, int]:
    plan = read_plan(text, about=str(path))
    if plan.id != path.name.removesuffix(PLAN_SUFFIX):
        raise CardError(f"id is '{plan.id}', the file is '{path.name}'", about=f"{path}: id", fix="Make them equal.")
    corpus.plans[plan.id] = plan
    return plan.id, len(text)


def _entry(corpus: Corpus, text: str, path: Path) -> tuple[str, int]:
    front = split_front_matter(text, about=str(path))
    kind = str(load_yaml(front, about=str(path)).get("type")) if front else ""
    if kind not in ENTRIES:
        known = ", ".join(ENTRIES)
        raise CardError(f"type is '{kind}'", about=f"{path}:2: type", fix=f"One of {known}.")
    entry, body_start = parse_front(ENTRIES[kind], text, about=str(path), stem=path.stem)
    corpus.entries[entry.id] = entry
    return entry.id, body_start
