"""Hondana as it is installed, told where the service is: `run_hondana.py URL FOLDER STEP`, and its answer as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import hondana
from hondana.utils import AuthRoute, Route

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
GROUP = "e11e461b-8c3a-4b5c-8b07-8892c2dcf449"


def said(chapter: hondana.Chapter) -> dict[str, object]:
    """What Hondana read in the answer to a commit."""
    return {
        "id": chapter.id,
        "title": chapter.title,
        "chapter": chapter.chapter,
        "version": chapter.version,
        "manga": chapter.manga_id,
        "uploader": chapter.uploader.username if chapter.uploader else None,
    }


async def upload(client: hondana.Client, images: list[Path]) -> dict[str, object]:
    """A chapter in one call."""
    chapter = await client.upload_chapter(
        MANGA,
        chapter="1",
        volume="2",
        title="By Hondana",
        translated_language="en",
        scanlator_groups=[GROUP],
        accept_tos=True,
        images=images,
    )
    return said(chapter)


async def second_thoughts(client: hondana.Client, images: list[Path]) -> dict[str, object]:
    """Abandon a session, take three pages back before the commit of another, then send a new version of the chapter."""

    def session(title: str, edited: str | None = None) -> hondana.ChapterUpload:
        return client.upload_session(
            MANGA,
            chapter="1",
            title=title,
            translated_language="en",
            scanlator_groups=[GROUP],
            chapter_to_edit=edited,
            version=1 if edited else None,
            accept_tos=True,
        )

    async with session("Abandoned") as abandoned:
        await abandoned.upload_images(images)
        await abandoned.abandon()
    async with session("First") as first:
        await first.upload_images(images)
        sent = list(first.uploaded)
        await first.delete_images(sent[:2])
        await first.delete_images([sent[2]])
        first.uploaded = sent[3:]
        chapter = await first.commit()
    async with session("Second", chapter.id) as second:
        await second.upload_images([image for image in images if image.stem in {"1", "2"}])
        return said(await second.commit())


async def main(url: str, images: list[Path], step: str) -> None:
    """Log in, do the step, say what came of it."""
    Route.API_BASE_URL = url
    AuthRoute.API_BASE_URL = f"{url}/realms/mangadex/protocol/openid-connect"
    async with hondana.Client(
        username="sandbox",
        password="sandbox-password",
        client_id="personal-client-sandbox",
        client_secret="sandbox-secret",
    ) as client:
        do = {"upload": upload, "second-thoughts": second_thoughts}[step]
        try:
            result = await do(client, images)
        except hondana.UploadInProgress as refusal:
            result = {"refused": refusal.session_id}
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], list(Path(sys.argv[2]).iterdir()), sys.argv[3]))
