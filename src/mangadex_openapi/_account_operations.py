"""Who the token belongs to, and whether it is good (contract 6.2 and 9.4)."""

from __future__ import annotations

from typing import Unpack

from mangadex_openapi._lists import get_entity
from mangadex_openapi._operations import Operation, Repeat, having
from mangadex_openapi._options import CallOptions, Options
from mangadex_openapi.models import CheckResponse, UserResponse


def get_user_me(**options: Unpack[CallOptions]) -> Operation[UserResponse]:
    """The account that the token belongs to.

    Raises:
        Unauthorized: no valid token.
    """
    return get_entity("get_user_me", "/user/me", UserResponse, None, options)


def get_auth_check(**options: Unpack[CallOptions]) -> Operation[CheckResponse]:
    """Whether the token is valid, and its roles and permissions.

    Raises:
        Unauthorized: no valid token (the service may also answer with `is_authenticated` False).
    """
    return Operation(
        name="get_auth_check",
        method="GET",
        path="/auth/check",
        repeat=Repeat.READ,
        read=having(CheckResponse, "isAuthenticated"),
        options=Options.of(options),
    )
