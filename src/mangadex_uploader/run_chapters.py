"""What `upload` and `check` do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mangadex_uploader import asking
from mangadex_uploader.access import host_of
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.connected import Connected, run_connected
from mangadex_uploader.consent import check_terms
from mangadex_uploader.errors import DuplicateChapter, UsageError
from mangadex_uploader.failures import common_status, explained, report
from mangadex_uploader.fields import parse_publish_at
from mangadex_uploader.identifiers import chapter_page, id_in
from mangadex_uploader.json_output import of_plan
from mangadex_uploader.loading import load_ahead
from mangadex_uploader.memory import give_back_pages
from mangadex_uploader.options import Choices, Reach, Talking, Wanted
from mangadex_uploader.output import Output, size
from mangadex_uploader.progress import progress_for
from mangadex_uploader.reporting import Reporter
from mangadex_uploader.sessions import OpenSessionPolicy
from mangadex_uploader.uploader import Checked, Uploader

ONESHOT = "oneshot"
STOPPING = "Stopping. What was sent is kept: run the same command again to go on. Press Ctrl-C again to end at once."


def upload_all(  # noqa: PLR0913 - groups of options
    paths: list[Path], wanted: Wanted, choices: Choices, reach: Reach, talking: Talking, output: Output
) -> int:
    """Upload the chapters, one after the other; a failing one does not stop the rest. The exit status.

    Raises:
        UploadError: the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    policy = _policy(choices)
    check_terms(host_of(reach), output, talking, accepted_now=choices.accept_terms)
    chapters = chapters_wanted(paths, wanted, talking)
    progress = progress_for(output, is_wanted=not choices.no_progress)
    reporter = Reporter(output, progress, host_of(reach))
    give_back_pages()

    async def upload(connected: Connected) -> list[int]:
        load_ahead()
        uploader = connected.uploader(reporter.on_event, allow_duplicate=wanted.allow_duplicate, open_session=policy)
        ordered = uploader.unfinished_first(chapters)
        return [await _upload_one(uploader, chapter, reporter, output) for chapter in ordered]

    try:
        return common_status(run_connected(reach, talking, output, upload, STOPPING))
    finally:
        reporter.stop()


def check_all(paths: list[Path], wanted: Wanted, reach: Reach, talking: Talking, output: Output) -> int:
    """Check the chapters; the exit status.

    Raises:
        UploadError: the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    chapters = chapters_wanted(paths, wanted, talking)
    host = host_of(reach)

    async def check(connected: Connected) -> list[int]:
        uploader = connected.uploader()
        return [
            await _check_one(uploader, chapter, host, output, allow_duplicate=wanted.allow_duplicate)
            for chapter in chapters
        ]

    return common_status(run_connected(reach, talking, output, check))


def chapters_wanted(paths: list[Path], wanted: Wanted, talking: Talking) -> list[Chapter]:
    """The chapters that the options describe; what is missing is asked.

    Raises:
        UsageError: a value does not do, or is missing and nobody may be asked.
    """
    _check_for_several(paths, wanted)
    manga = id_in("manga", wanted.manga or asking.required(talking, "manga", "Manga (id or address)"))
    groups = tuple(id_in("group", group) for group in _groups(wanted, talking))
    publish_at = parse_publish_at(wanted.publish_at, wanted.time_zone) if wanted.publish_at else None
    base = Chapter(
        path=Path(),
        manga=manga,
        groups=groups,
        language=wanted.language,
        volume=wanted.volume,
        title=wanted.title,
        publish_at=publish_at,
    )
    return [replace(base, path=path, chapter=_number(path, wanted, talking)) for path in paths]


async def _upload_one(uploader: Uploader, chapter: Chapter, reporter: Reporter, output: Output) -> int:
    try:
        reporter.result(await uploader.upload(chapter))
    except Exception as error:
        reporter.stop()
        if explained(error) is None:
            raise
        return report(output, error, str(chapter.path))
    return 0


async def _check_one(uploader: Uploader, chapter: Chapter, host: str, output: Output, *, allow_duplicate: bool) -> int:
    try:
        found = await uploader.check(chapter)
    except Exception as error:
        if explained(error) is None:
            raise
        return report(output, error, str(chapter.path))
    _tell_checked(found, output)
    if found.duplicates and not allow_duplicate:
        pages = ", ".join(chapter_page(host, it) for it in found.duplicates)
        duplicate = DuplicateChapter(f"{chapter.label}: the service has this chapter already: {pages}.")
        return report(output, duplicate, str(chapter.path))
    output.result(str(chapter.path), f"ok, {len(found.plan.pages)} pages, {size(found.plan.total_bytes)}")
    return 0


def _tell_checked(found: Checked, output: Output) -> None:
    plan = found.plan
    label = plan.chapter.label
    more = {"duplicates": list(found.duplicates), "needs_approval": found.needs_approval}
    output.tell("checked", path=str(plan.chapter.path), **of_plan(plan), **more)
    for warning in plan.warnings:
        output.say(f"{label}: {warning}")
    if plan.source.ignored:
        output.say(f"{label}: left out, as they are no pages: {', '.join(plan.source.ignored)}")
    if found.needs_approval:
        output.say(f"{label}: it will wait for approval")


def _policy(choices: Choices) -> OpenSessionPolicy:
    if choices.adopt and choices.abandon_existing:
        raise UsageError("--adopt and --abandon-existing exclude each other: choose one.")
    if choices.adopt:
        return OpenSessionPolicy.ADOPT
    return OpenSessionPolicy.ABANDON if choices.abandon_existing else OpenSessionPolicy.STOP


def _check_for_several(paths: list[Path], wanted: Wanted) -> None:
    if len(paths) == 1:
        return
    number = None if _is_oneshot(wanted.chapter) else wanted.chapter
    for name, value in {"chapter": number, "volume": wanted.volume, "title": wanted.title}.items():
        if value is not None:
            raise UsageError(f"--{name} is one chapter's, and {len(paths)} paths are given: upload that one by itself.")


def _groups(wanted: Wanted, talking: Talking) -> list[str]:
    if wanted.group is not None or not asking.may_ask(talking):
        return wanted.group or []
    answer = asking.ask("Group (id or address; empty for none)")
    return [answer] if answer else []


def _number(path: Path, wanted: Wanted, talking: Talking) -> str | None:
    number = wanted.chapter
    if number is None and asking.may_ask(talking):
        number = asking.ask(f"Number of the chapter {path.name} (empty for a oneshot)") or ONESHOT
    if number is None:
        oneshot = f"--chapter {ONESHOT} if it has none"
        raise UsageError(f"{path}: {asking.missing('chapter', 'the number')[:-1]}; {oneshot}.")
    return None if _is_oneshot(number) else number


def _is_oneshot(number: str | None) -> bool:
    return number is not None and number.strip().lower() == ONESHOT
