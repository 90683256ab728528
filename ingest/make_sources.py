"""Writes ``ingest/sources.yaml`` from the links of the curriculum: one entry a page.

    python ingest/make_sources.py            write it
    python ingest/make_sources.py --check    exit 1 where it is not what the curriculum says

What cannot be read from the curriculum stands here as tables: licences of publishers whose notice is known, and what is
not fetched and why. A licence that is not known for certain is "unknown"; a reading is then kept for its reader alone.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from tutor.curriculum.corpus import load_corpus
from tutor.ingest.readings.sources import Source, canonical

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "ingest" / "sources.yaml"

KINDS = {
    "doc": "docs", "blog": "article", "paper": "paper", "book": "book", "video": "video", "course": "course",
    "hands-on": "article",
}  # fmt: skip

#: Address (without scheme) → licence, the longest first match counts. Each is the publisher's own notice.
LICENCES = {
    "kafka.apache.org/": "Apache-2.0",
    "cassandra.apache.org/": "Apache-2.0",
    "spark.apache.org/": "Apache-2.0",
    "iceberg.apache.org/": "Apache-2.0",
    "py.iceberg.apache.org/": "Apache-2.0",
    "nightlies.apache.org/": "Apache-2.0",
    "zookeeper.apache.org/": "Apache-2.0",
    "hive.apache.org/": "Apache-2.0",
    "istio.io/": "Apache-2.0",
    "docs.vllm.ai/": "Apache-2.0",
    "prometheus.io/docs": "Apache-2.0",
    "kubernetes.io/docs": "CC-BY-4.0",
    "grpc.io/": "CC-BY-4.0",
    "opentelemetry.io/docs": "CC-BY-4.0",
    "go.dev/": "CC-BY-4.0",
    "cheatsheetseries.owasp.org/": "CC-BY-SA-4.0",
    "owasp.org/": "CC-BY-SA-4.0",
    "genai.owasp.org/": "CC-BY-SA-4.0",
    "en.wikipedia.org/": "CC-BY-SA-4.0",
    "developer.mozilla.org/": "CC-BY-SA-2.5",
    "sre.google/sre-book/": "CC-BY-NC-ND-4.0",
    "sre.google/workbook/": "CC-BY-NC-ND-4.0",
    "www.postgresql.org/docs": "PostgreSQL",
    "docs.python.org/": "PSF-2.0",
    "www.rfc-editor.org/rfc/": "IETF Trust Legal Provisions",
    "datatracker.ietf.org/doc/": "IETF Trust Legal Provisions",
}

#: Books that their publishers put on the web as pages.
OPEN_BOOKS = (
    "github.com/",
    "hpbn.co/",
    "nlp.stanford.edu/IR-book/html/",
    "sre.google/sre-book/",
    "sre.google/workbook/",
    "use-the-index-luke.com",
    "www.elastic.co/guide/",
    "www.oauth.com",
)
#: Courses and talks whose pages are texts of their own.
TEXTS = ("jenkov.com/", "martin.kleppmann.com/", "go.dev/blog/")
#: Hosts whose pages are not the reading: a player, a shop, a sign-in or a practice site.
NOT_TEXT = {
    "www.youtube.com": "a video",
    "www.infoq.com/presentations": "a video",
    "www.oreilly.com/library": "a shop's or a subscriber's page",
    "www.educative.io": "a shop's or a subscriber's page",
    "bytebytego.com": "a shop's or a subscriber's page",
    "www.levels.fyi": "figures behind scripts, not a text",
    "www.pramp.com": "a place to practise, not a text",
    "interviewing.io/$": "a place to practise, not a text",
    "interviewing.io/mocks": "a place to practise, not a text",
    "portswigger.net": "a place to practise, not a text",
    "ann-benchmarks.com": "charts, not a text",
    "plantuml.com": "a tool, not a text",
    "raft.github.io/$": "an animation and a list of links",
    "colin-scott.github.io": "an animation, not a text",
    "doi.org": "a publisher's page, which has not the paper itself",
    "dl.acm.org": "a publisher's page, which has not the paper itself",
    "pubsonline.informs.org": "a publisher's page, which has not the paper itself",
}


def starts(key: str, prefixes: object) -> str | None:
    """The longest of the prefixes that an address begins with; one with "$" behind it is the whole address."""
    fits = [p for p in prefixes if f"{key}/$".startswith(p)]  # type: ignore[attr-defined]
    return max(fits, key=len, default=None)


def reason_not(kind: str, key: str) -> str:
    """Why a reading is not fetched, or "" where it is."""
    if starts(key, TEXTS):
        return ""
    if prefix := starts(key, NOT_TEXT):
        return NOT_TEXT[prefix]
    if kind == "video":
        return "a video"
    if kind == "book" and not starts(key, OPEN_BOOKS):
        return "a book that is sold, of which the page only tells"
    if kind == "course":
        return "a course, of which the page only tells"
    return ""


def entries() -> list[Source]:
    """One for each page that the curriculum links, by address."""
    corpus = load_corpus(ROOT / "corpus")
    if corpus.problems:
        raise SystemExit("\n".join(problem.message for problem in corpus.problems))
    urls: dict[str, Counter[str]] = {}
    titles: dict[str, Counter[str]] = {}
    kinds: dict[str, Counter[str]] = {}
    cards: dict[str, set[str]] = {}
    for document in corpus.all():
        for link in getattr(document, "resources", ()):
            key = canonical(str(link.url))
            urls.setdefault(key, Counter())[str(link.url)] += 1
            titles.setdefault(key, Counter())[link.title] += 1
            kinds.setdefault(key, Counter())[KINDS[link.kind]] += 1
            cards.setdefault(key, set()).add(document.id)
    found = []
    for key in sorted(urls):
        kind = max(sorted(kinds[key]), key=lambda name: kinds[key][name])
        if urlsplit(f"//{key}").hostname == "github.com" and key.count("/") >= 2:
            kind = "repo"
        prefix, why = starts(key, LICENCES), reason_not(kind, key)
        found.append(
            Source(
                url=most_used(urls[key]),
                title=most_used(titles[key]),
                kind=kind,  # type: ignore[arg-type]
                cards=tuple(sorted(cards[key])),
                licence=LICENCES[prefix] if prefix else "unknown",
                fetch=not why,
                why=why,
            )
        )
    return found


def most_used(names: Counter[str]) -> str:
    """The most common of several forms; the shortest of equals."""
    return min(names, key=lambda name: (-names[name], len(name), name))


def quoted(text: str) -> str:
    """A YAML scalar in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def text() -> str:
    """The whole file."""
    lines = [
        "# The readings that the curriculum links: one entry a page. Made by ingest/make_sources.py;",
        "# edit the corpus or the tables of that script, not this file. docs/readings.md explains the fields.",
    ]
    for source in entries():
        lines += [
            f"- url: {quoted(source.url)}",
            f"  title: {quoted(source.title)}",
            f"  kind: {source.kind}",
            f"  cards: [{', '.join(map(quoted, source.cards))}]",
            f"  licence: {quoted(source.licence)}",
            f"  fetch: {'yes' if source.fetch else 'no'}",
        ]
        if source.why:
            lines.append(f"  why: {quoted(source.why)}")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    made = text()
    if arguments == ["--check"]:
        same = OUT.is_file() and OUT.read_text(encoding="utf-8") == made
        if not same:
            print(f"{OUT} is not what the corpus says. Run: python ingest/make_sources.py", file=sys.stderr)
        return 0 if same else 1
    OUT.write_text(made, encoding="utf-8")
    print(f"{made.count('- url:')} readings, {made.count('fetch: yes')} of them to fetch: {OUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
