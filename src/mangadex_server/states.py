"""The life of a session as a table (contract 5): what is not in it is not allowed. Pure."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a session stands."""

    OPEN = "open"
    COMMITTED = "committed"  # its pages are being processed
    PROCESSED = "processed"
    DELETED = "deleted"


class Action(StrEnum):
    """What may happen to a session."""

    ADD_FILES = "add files"
    DELETE_FILES = "delete files"
    COMMIT = "commit"
    ABANDON = "abandon"
    EXPIRE = "expire"
    FINISH = "finish processing"


TRANSITIONS: dict[tuple[State, Action], State] = {
    (State.OPEN, Action.ADD_FILES): State.OPEN,
    (State.OPEN, Action.DELETE_FILES): State.OPEN,
    (State.OPEN, Action.COMMIT): State.COMMITTED,
    (State.OPEN, Action.ABANDON): State.DELETED,
    (State.OPEN, Action.EXPIRE): State.DELETED,
    (State.COMMITTED, Action.FINISH): State.PROCESSED,
}


def after(state: State, action: Action) -> State | None:
    """The state that an action leads to; None if it is not allowed."""
    return TRANSITIONS.get((state, action))
