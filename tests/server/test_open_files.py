"""When the service may open no more files (`ulimit -n`)."""

from __future__ import annotations

import resource
from pathlib import Path

import httpx2
from uploading import check_entry, png, service


def test_a_page_that_cannot_be_stored_now_is_asked_for_again(tmp_path: Path) -> None:
    with service(tmp_path / "data") as served:
        session = served.alice.session()
        headers = {"Authorization": f"Bearer {served.alice.token}"}
        with httpx2.Client(base_url=served.url, headers=headers, trust_env=False) as http:

            def put(number: int) -> httpx2.Response:
                return http.post(f"/upload/{session}", files={"file": ("0.png", png(number))})

            assert put(1).status_code == 200
            [serving] = Path(f"/proc/{served.program}/task/{served.program}/children").read_text().split()
            # what is open stays open, such as the database
            before = resource.prlimit(int(serving), resource.RLIMIT_NOFILE)
            resource.prlimit(int(serving), resource.RLIMIT_NOFILE, (3, before[1]))
            refused = put(2)
            resource.prlimit(int(serving), resource.RLIMIT_NOFILE, before)
            assert (refused.status_code, refused.headers["content-type"]) == (503, "application/json")
            [entry] = refused.json()["errors"]
            check_entry(entry)
            assert "Try again" in entry["detail"]
            assert put(2).status_code == 200
        assert served.incoming() == []
