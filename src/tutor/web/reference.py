"""The API's description as rows for the page /docs, with references resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tutor.web.described import EVERYWHERE, OF_BODIES

_COMMON = EVERYWHERE | OF_BODIES  # the page says them once
_REF = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body. ``level`` is how deep it is nested, from 0."""

    name: str
    kind: str
    required: bool
    about: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path; ``statuses`` are (code, meaning)."""

    method: str
    path: str
    name: str
    about: str
    parameters: list[Field]
    body: list[Field]
    result: list[Field]
    statuses: list[tuple[str, str]]


def endpoints(description: dict[str, Any]) -> list[Endpoint]:
    """All endpoints of an OpenAPI description, in its order."""
    schemas = description.get("components", {}).get("schemas", {})
    found = []
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            good = answers.get("200") or answers.get("201") or {}
            success = good.get("content", {}).get("application/json", {}).get("schema", {})
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            parameters = [
                Field(p["name"], _kind(p["schema"]), p.get("required", False), p.get("description", ""))
                for p in operation.get("parameters", ())
            ]
            found.append(
                Endpoint(
                    method.upper(),
                    path,
                    operation.get("summary", ""),
                    operation.get("description", ""),
                    parameters,
                    _fields(body, schemas),
                    _fields(success, schemas),
                    [
                        (code, answer["description"])
                        for code, answer in sorted(answers.items())
                        if answer["description"] != _COMMON.get(code)
                    ],
                )
            )
    return found


def _fields(schema: dict[str, Any], schemas: dict[str, Any], level: int = 0) -> list[Field]:
    name = schema.get("$ref") or schema.get("items", {}).get("$ref")
    if not name:
        return []
    model = schemas[name.removeprefix(_REF)]
    fields = []
    for key, inner in model.get("properties", {}).items():
        fields.append(Field(key, _kind(inner), key in model.get("required", ()), inner.get("description", ""), level))
        fields += _fields(inner, schemas, level + 1)
    return fields


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return "object"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(option) for option in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
