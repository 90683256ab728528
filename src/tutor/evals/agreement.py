"""Is the judge model to be believed? Its verdicts beside labels that people gave."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from tutor.curriculum.card import Strict
from tutor.evals.judged import Judge
from tutor.evals.ragas_metrics import RagasCase
from tutor.evals.sets import JudgeLabel

THRESHOLD = 0.5  # a score from which the judge says yes
#: "Substantial" begins at 0.61 in Landis and Koch (1977); below it a judge's scores are advice, no gate.
KAPPA = 0.6
ROWS = 30  # fewer make a high kappa by luck: at 40 rows its standard error is about 0.12
_LABELS = {"ragas_faithfulness": "faithful", "ragas_factual_correctness": "covers"}


class Agreed(Strict):
    """The judge beside the labels in one metric. A judgement that failed counts as a wrong one."""

    rows: int
    accuracy: float
    kappa: float = Field(description="Cohen's; 0 is what chance gives")
    failed: int
    advisory: bool = Field(description="too far from people, or too few rows, to rest a gate on")


class Agreement(Strict):
    """How far a judge agrees with people, by metric; a metric without labels is not in it."""

    model: str
    metrics: dict[str, Agreed]

    def advisory(self, metric: str) -> bool:
        """Whether a metric's scores are only advice; so is every metric that was never compared with people."""
        return metric not in self.metrics or self.metrics[metric].advisory


def agreement(judge: Judge, labels: Sequence[JudgeLabel]) -> Agreement:
    """Let the judge judge the labelled rows (within its budget ``max_cases``) and count where it agrees.

    Returns:
        A figure for each metric that has labels; rows that were not asked are left out.
    """
    cases = {
        row.id: RagasCase(
            question=row.question, answer=row.answer, reference=row.reference, retrieved_contexts=row.contexts
        )
        for row in labels
    }
    found = judge.run(cases, metrics=tuple(_LABELS))
    asked = set(found.asked)
    metrics = {}
    for metric, label in _LABELS.items():
        pairs, failed = [], 0
        for row in labels:
            said, value = getattr(row, label), found.values.get(row.id, {}).get(metric)
            if value is not None:
                pairs.append((said, value >= THRESHOLD))
            elif (row.id, metric) in asked:
                failed += 1
                pairs.append((said, not said))
        kappa = cohen(pairs)
        metrics[metric] = Agreed(
            rows=len(pairs),
            accuracy=sum(a == b for a, b in pairs) / len(pairs) if pairs else 0.0,
            kappa=kappa,
            failed=failed,
            advisory=kappa < KAPPA or len(pairs) < ROWS,
        )
    return Agreement(model=judge.settings.model, metrics=metrics)


def cohen(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Cohen's kappa of two raters' yes and no (Cohen 1960); 0 where both always said one and the same thing."""
    if not pairs:
        return 0.0
    n = len(pairs)
    agreed = sum(a == b for a, b in pairs) / n
    first, second = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    chance = first * second + (1 - first) * (1 - second)
    return (agreed - chance) / (1 - chance) if chance < 1 else 0.0
