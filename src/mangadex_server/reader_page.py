"""The plain page on which people look at a chapter: HTML without scripts. Pure."""

from __future__ import annotations

from html import escape
from typing import Any

from sqlalchemy import Row

from mangadex_server.reading import ReaderView

STYLESHEET = """\
body { margin: 0 auto; max-width: 60rem; font-family: sans-serif; line-height: 1.4; background: #fff; color: #111 }
header { padding: 0.5rem 1rem }
h1 { font-size: 1.3rem; margin: 0 }
p { margin: 0.3rem 0 }
img { display: block; width: 100%; height: auto; margin: 0 0 0.3rem }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } a { color: #8cf } }
"""


def reader_page(view: ReaderView) -> str:
    """The page; its addresses are relative to /chapter/{id}/read, so that it works under any prefix."""
    heading, credits_ = escape(view.manga_title), escape(", ".join(view.group_names) or "No group")
    name, language = escape(chapter_name(view.chapter)), escape(view.chapter.language)
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name} - {heading}</title>
<link rel="stylesheet" href="../../reader.css">
</head>
<body>
<header>
<h1>{heading}</h1>
<p>{name}</p>
<p>{credits_}, {language}</p>
{_link(view.chapter)}</header>
<main>
{_images(view)}</main>
</body>
</html>
"""


def chapter_name(chapter: Row[Any]) -> str:
    """What people call it, such as 'Vol. 1 Ch. 2: Title'."""
    parts = [f"Vol. {chapter.volume}"] if chapter.volume else []
    parts.append(f"Ch. {chapter.chapter}" if chapter.chapter else "Oneshot")
    return " ".join(parts) + (f": {chapter.title}" if chapter.title else "")


def _link(chapter: Row[Any]) -> str:
    if chapter.external_url is None:
        return ""
    address = escape(chapter.external_url)
    return f'<p><a href="{address}" rel="noopener noreferrer nofollow">{address}</a></p>\n'


def _images(view: ReaderView) -> str:
    return "".join(
        f'<img src="../../data/{view.chapter.hash}/{escape(name)}" alt="Page {number}"'
        f' width="{width}" height="{height}"{" loading=lazy" if number > 2 else ""}>\n'
        for number, (name, width, height) in enumerate(view.pages, 1)
    )
