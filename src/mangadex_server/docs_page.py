"""An OpenAPI document as a page for people: HTML without scripts. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape

from mangadex_server.shapes import Json

STYLESHEET = """\
body { margin: 0 auto; max-width: 60rem; padding: 0 1rem 3rem; font-family: sans-serif; line-height: 1.4 }
h1 { font-size: 1.5rem }
h2 { font-size: 1.1rem; margin: 2rem 0 0.3rem }
table { border-collapse: collapse }
th, td { border: 1px solid #8888; padding: 0.2rem 0.5rem; text-align: left; vertical-align: top }
pre { overflow-x: auto; padding: 0.5rem; border: 1px solid #8888 }
:root { color-scheme: light dark }
"""


def docs_page(document: Json) -> str:
    """The page; its addresses are relative to /docs, so that it works under any prefix."""
    title = escape(document["info"]["title"])
    operations = [
        (method, path, found) for path, methods in document["paths"].items() for method, found in methods.items()
    ]
    contents = "".join(
        f'<li><a href="#{found["operationId"]}"><code>{method.upper()} {escape(path)}</code></a>'
        f" {escape(found['summary'])}</li>\n"
        for method, path, found in operations
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="docs/style.css">
</head>
<body>
<h1>{title}</h1>
<p>Version {escape(document["info"]["version"])}, also as <a href="openapi.json">OpenAPI document</a>.</p>
<ul>
{contents}</ul>
{"".join(_section(method, path, found) for method, path, found in operations)}<h2>Schemas</h2>
{"".join(_schemas(document))}</body>
</html>
"""


def _section(method: str, path: str, found: Json) -> str:
    sign_in = "" if "security" not in found else "optional" if {} in found["security"] else "needed"
    return f"""<section id="{found["operationId"]}">
<h2><code>{method.upper()} {escape(path)}</code></h2>
<p>{escape(found["summary"])} (<code>{found["operationId"]}</code>)</p>
{f"<p>Access token: {sign_in}</p>" if sign_in else ""}
{_parameters(found.get("parameters", []))}{_body(found.get("requestBody"))}{_answers(found["responses"])}</section>
"""


def _parameters(parameters: list[Json]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(entry['name'])}</code></td><td>{entry['in']}</td>"
        f"<td><code>{escape(json.dumps(entry['schema']))}</code></td></tr>\n"
        for entry in parameters
    )
    return f"<table><tr><th>Parameter</th><th>in</th><th>is</th></tr>\n{rows}</table>\n" if rows else ""


def _body(body: Json | None) -> str:
    if body is None:
        return ""
    ((media_type, content),) = body["content"].items()
    return f"<p>Body: {media_type}, {_reference(content['schema'])}. {escape(body['description'])}</p>\n"


def _answers(responses: Json) -> str:
    rows = "".join(f"<tr><td>{status}</td><td>{_contents(answer)}</td></tr>\n" for status, answer in responses.items())
    return f"<table><tr><th>Status</th><th>Answer</th></tr>\n{rows}</table>\n"


def _contents(answer: Json) -> str:
    content = answer.get("content", {})
    shown = (f"{media_type}, {_reference(kind['schema'])}" for media_type, kind in content.items())
    return "<br>".join(shown) or escape(answer["description"])


def _reference(schema: Json) -> str:
    if "anyOf" in schema:
        return " or ".join(_reference(one) for one in schema["anyOf"])
    name = schema.get("$ref", "").rpartition("/")[2]
    return f'<a href="#{name}">{name}</a>' if name else str(schema["type"])


def _schemas(document: Json) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        yield f'<h3 id="{name}">{name}</h3>\n<pre>{escape(json.dumps(schema, indent=2))}</pre>\n'
