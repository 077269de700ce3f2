"""What an upload's first requests would load and build on their way, while the network rests: 60 ms in all."""

from __future__ import annotations

import anyio

import mangadex_openapi as mangadex

MODELS = (
    mangadex.BeginUploadSession,
    mangadex.UploadSession,
    mangadex.UploadCheckApprovalRequiredRequest,
    mangadex.UploadCheckApprovalRequired200Response,
    mangadex.ChapterList,
    mangadex.PutUploadSessionFile200Response,
    mangadex.CommitUploadSession,
    mangadex.Chapter,
)


def load_ahead() -> None:
    """Do it now. Needs a running event loop, whose kind decides what connections are made of."""
    anyio.current_time()
    getattr(anyio, "connect_tcp")  # noqa: B009 - loads it
    for model in MODELS:
        model.model_rebuild()
