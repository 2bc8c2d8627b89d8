"""/docs: the API on one plain page, made from its OpenAPI description. The usual pages load scripts from a CDN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from ui.access.headers import PLAIN_CSP
from ui.api.asking import IdentityDep
from ui.render import render

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request, _: IdentityDep) -> HTMLResponse:
    """The page."""
    return HTMLResponse(described(request.app.openapi()), headers={"content-security-policy": PLAIN_CSP})


def described(schema: Mapping[str, Any]) -> str:
    """An OpenAPI description as one HTML page: addresses, parameters and bodies."""
    schemas: Mapping[str, Any] = schema.get("components", {}).get("schemas", {})
    operations = [
        {
            "method": method,
            "path": path,
            "text": operation.get("description", ""),
            "fields": list(_fields(operation, schemas)),
        }
        for path, by_method in schema["paths"].items()
        for method, operation in by_method.items()
    ]
    return render("docs", info={"description": "", **schema["info"]}, operations=operations)


def _fields(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    def field(name: str, one: Mapping[str, Any], kind: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
        return {"name": name, "kind": _kind(kind), "needed": needed, "text": one.get("description") or ""}

    for one in operation.get("parameters", []):
        needed = one.get("required", False)
        yield field(f"{one['name']} ({one['in']})", one, one.get("schema", {}), needed=needed)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = _resolved(content.get("schema", {}), schemas)
        for name, one in body.get("properties", {}).items():
            yield field(name, one, one, needed=name in body.get("required", []))


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: Mapping[str, Any] = schemas.get(name, schema)
    return found


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    several = schema.get("anyOf") or schema.get("allOf")
    if several:
        return " | ".join(_kind(one) for one in several)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
