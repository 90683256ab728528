"""Measuring the product: golden sets, metrics, the gate and its reports."""

#: The suites, in the order in which they run; here, where naming them costs the command line no imports.
SUITES = ("retrieval", "answers", "ragas", "refusals", "held-out", "names", "drill")
