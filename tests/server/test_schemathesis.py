"""The running sandbox does what its own document says, whatever is sent (`make fuzz` runs longer, and at random)."""

from __future__ import annotations

from pathlib import Path

from fuzzing import fuzzing

EVERY_LIMIT_AND_ITS_OTHER_SIDE = ("--phases", "examples,coverage", "--include-tag", "Upload")
A_BIT_OF_EVERYTHING = ("--phases", "fuzzing,stateful", "--max-examples", "3")
NINE = {
    "get_upload_session",
    "begin_upload_session",
    "begin_edit_session",
    "put_upload_session_file",
    "commit_upload_session",
    "abandon_upload_session",
    "delete_uploaded_session_file",
    "delete_uploaded_session_files",
    "upload_check_approval_required",
}


def test_nothing_is_found_against_the_document(tmp_path: Path) -> None:
    with fuzzing(tmp_path) as run:
        for options in (EVERY_LIMIT_AND_ITS_OTHER_SIDE, A_BIT_OF_EVERYTHING):
            done = run(*options, "--generation-deterministic")
            assert done.returncode == 0, done.stdout
    answered = {tuple(line.split()) for line in (tmp_path / "answers.txt").read_text().splitlines()}
    assert {name for name, status in answered if status == "200"} >= NINE  # not only refusals were looked at
    assert {name for name, status in answered if status in ("400", "404")} >= NINE
