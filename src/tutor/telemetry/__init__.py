"""What can be watched: stages and operations with their times, figures, logs. Costs next to nothing while nobody looks.

``stage`` and ``operation`` are put around work (``stages.py``); ``measures.py`` names every figure that is counted. Who
listens is an adapter: ``prometheus.py`` (``/metrics`` of the server) and ``otel.py`` (OpenTelemetry, off by default).
``logs.py`` writes log lines. Nothing here knows the rest of the product, and nothing gets a word of a question or an
answer unless ``telemetry.include_text`` is set.
"""

from tutor.telemetry.measures import answered, failed, model_reply
from tutor.telemetry.stages import entry, operation, stage, took

__all__ = ["answered", "entry", "failed", "model_reply", "operation", "stage", "took"]
