"""Ragas (placeholder until the branch lands)."""


def available() -> str:
    return ""
