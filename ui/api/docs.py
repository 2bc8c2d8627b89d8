"""/docs: the API on one plain page, made from its OpenAPI description. The usual pages load scripts from a CDN."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from ui.access.headers import PLAIN_CSP
from ui.api.asking import IdentityDep

router = APIRouter(include_in_schema=False)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} · API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
body {{ max-width: 60rem; margin: 0 auto; padding: 1rem }}
code {{ font: .95em ui-monospace, monospace }} .method {{ font-weight: 700 }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0 }}
section {{ border-top: 1px solid GrayText; margin-top: 1rem }}
</style></head><body><main><h1>{title}</h1><p>{description}</p>
<p>For programs: <a href="/openapi.json">openapi.json</a>.</p>{sections}</main></body></html>"""


@router.get("/docs")
def docs(request: Request, _: IdentityDep) -> HTMLResponse:
    """The page."""
    return HTMLResponse(render(request.app.openapi()), headers={"content-security-policy": PLAIN_CSP})


def render(schema: Mapping[str, Any]) -> str:
    """An OpenAPI description as one HTML page: addresses, parameters and bodies."""
    schemas: Mapping[str, Any] = schema.get("components", {}).get("schemas", {})
    sections = [
        _operation(method, path, operation, schemas)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]
    info = schema["info"]
    return PAGE.format(
        title=escape(info["title"]), description=escape(info.get("description", "")), sections="".join(sections)
    )


def _operation(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    rows = [
        (f"{one['name']} ({one['in']})", one.get("schema", {}), one.get("required", False), one.get("description"))
        for one in operation.get("parameters", [])
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = _resolved(content.get("schema", {}), schemas)
        needed = body.get("required", [])
        rows += [
            (name, one, name in needed, one.get("description")) for name, one in body.get("properties", {}).items()
        ]
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code>{'' if needed else ' (optional)'}</td>"
        f"<td>{escape(_kind(one))}</td><td>{escape(text or '')}</td></tr>"
        for name, one, needed, text in rows
    )
    table = f"<table><tr><th>Name</th><th>Type</th><th>Meaning</th></tr>{lines}</table>" if lines else ""
    text = escape(operation.get("description", ""))
    head = f'<span class="method">{method.upper()}</span> <code>{escape(path)}</code>'
    return f"<section><h2>{head}</h2><p>{text}</p>{table}</section>"


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
