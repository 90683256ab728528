"""The domain: what a card, a document and a section are. Imports nothing of ours but errors."""

from pathlib import Path

#: Here, and not beside the models, so that a question does not wait for them to be built (60 ms).
PLAN_SUFFIX = ".plan.yaml"
#: The folders of a curriculum that are indexed; beside them lie notes on it (REVIEW.md) and the list of its items.
SHELVES = ("cards", "notes", "practice", "plans")


def builtin_corpus() -> Path:
    """The curriculum: in the package where it is installed, in ``corpus/`` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return packaged if (packaged := package / "corpus").is_dir() else package.parents[1] / "corpus"
