"""Everything that can be set about the service: flags before environment before file before default."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

MIB = 1 << 20

POSTGRESQL = "postgresql+psycopg"
SQLITE = "sqlite+aiosqlite"
S3_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?")

ImageFormat = Literal["jpeg", "png", "gif", "webp", "avif"]


class Settings(BaseSettings):
    """Settings of one installation; the environment's names are MANGADEX_SERVER_ and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix="MANGADEX_SERVER_", extra="forbid", frozen=True)

    config_file: ClassVar[Path | None] = None

    data_dir: Path = Path("mangadex-data")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    public_url: str | None = Field(
        default=None, description="the address that clients use, if a proxy stands before this one"
    )
    tls_certificate: Path | None = Field(default=None, description="a PEM file with the chain; with tls_key")
    tls_key: Path | None = Field(default=None, description="a PEM file without a password")
    sandbox: bool = False
    sandbox_file_list: Literal["full", "ids", "none"] = Field(
        default="full", description="what answers about sessions tell of their files, where they are asked for"
    )
    sandbox_remote_names: bool = Field(
        default=True, description="false: remote files have neither a name nor a hash in answers"
    )
    strict: bool = Field(
        default=False, description="ask of clients what the real service asks: User-Agent, no Via, consent"
    )
    database_url: str | None = Field(
        default=None, repr=False, description="None: SQLite in the data folder; else postgresql+psycopg://..."
    )
    blobs_url: str | None = Field(
        default=None,
        description="None: a folder in the data folder; else s3://bucket/prefix, with the usual AWS_ variables",
    )
    limits_url: str | None = Field(
        default=None, repr=False, description="where nodes count requests together: valkey://...; None: each its own"
    )
    redirect_pages: bool = Field(
        default=False, description="answer pages by a redirect to the store, so that they do not pass through here"
    )
    durability: Literal["full", "normal"] = Field(
        default="full", description="normal survives a kill, not a power loss"
    )

    # contract 4.6
    max_files_per_request: Annotated[int, Field(ge=1)] = 10
    max_file_bytes: Annotated[int, Field(ge=1)] = 20 * MIB
    max_session_files: Annotated[int, Field(ge=1)] = 500
    max_session_bytes: Annotated[int, Field(ge=1)] = 150 * MIB
    max_side_px: Annotated[int, Field(ge=1)] = 10_000
    formats: tuple[ImageFormat, ...] = ("jpeg", "png", "gif")

    approval: Literal["none", "first", "all"] = Field(default="none", description="whose chapters wait for a moderator")
    rate_limits: bool | None = Field(default=None, description="None: on, but off in the sandbox")
    trusted_proxies: tuple[str, ...] = ()
    session_idle_days: Annotated[float, Field(gt=0)] = 7.0
    disk_floor_bytes: Annotated[int, Field(ge=0)] = 256 * MIB

    upload_memory_bytes: Annotated[int, Field(ge=MIB)] = Field(
        default=96 * MIB, description="of pages on their way; more goes to disk"
    )
    body_stall_s: Annotated[float, Field(gt=0)] = 30.0
    body_min_bytes_per_s: Annotated[int, Field(ge=0)] = 16_000
    access_token_s: Annotated[int, Field(ge=1)] = 900
    refresh_token_s: Annotated[int, Field(ge=1)] = 28 * 86_400
    job_lease_s: Annotated[float, Field(gt=0)] = 30.0
    job_memory_bytes: Annotated[int, Field(ge=128 * MIB)] = 1024 * MIB
    max_pixels: Annotated[int, Field(ge=1)] = Field(default=200_000_000, description="of all frames of a page together")

    @field_validator("data_dir", "tls_certificate", "tls_key")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().absolute()

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError(f"{proxy} is neither an address nor a network such as 10.0.0.0/8") from None
        return value

    @model_validator(mode="after")
    def _sandbox_stays_here(self) -> Settings:
        if self.sandbox and not _is_loopback(self.host):
            raise ValueError(f"the sandbox has known passwords and listens on this machine only, not on {self.host}")
        if not self.sandbox and not (self.sandbox_file_list == "full" and self.sandbox_remote_names):
            raise ValueError("sandbox_file_list and sandbox_remote_names can be switched off in the sandbox only")
        return self

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, _, rest = value.partition("://")
        if scheme in {"postgres", "postgresql"}:
            return f"{POSTGRESQL}://{rest}"
        if scheme not in {POSTGRESQL, SQLITE}:
            raise ValueError(f"write {POSTGRESQL}://user:password@host/database, or leave it out for SQLite")
        _ = urlsplit(value).port  # a wrong one is an error of its own
        return value

    @field_validator("blobs_url")
    @classmethod
    def _store(cls, value: str | None) -> str | None:
        if value is not None and not S3_URL.fullmatch(value):
            raise ValueError("write s3://bucket or s3://bucket/prefix, or leave it out for the data folder")
        return value

    @field_validator("limits_url")
    @classmethod
    def _limits(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("valkey://", "valkeys://")):
            raise ValueError("write valkey://host:port or valkeys://host:port, or leave it out")
        return value

    @model_validator(mode="after")
    def _redirects_to_a_store(self) -> Settings:
        if self.redirect_pages and self.blobs_url is None:
            raise ValueError("redirect_pages needs a blobs_url: the data folder has no addresses of its own")
        return self

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Settings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together; give both or none")
        return self

    @property
    def own_url(self) -> str:
        """The address that it listens on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{self.port}"

    @property
    def limits_are_on(self) -> bool:
        """Whether requests are counted."""
        return not self.sandbox if self.rate_limits is None else self.rate_limits

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"{SQLITE}:///{self.data_dir / 'database.sqlite3'}"

    @property
    def is_embedded(self) -> bool:
        """Whether this data folder has the database, so that nobody else migrates it or signs with its key."""
        return self.database.startswith(SQLITE)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no such files here
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no such files here
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags (given to the constructor), the environment, then the file."""
        file = [TomlConfigSettingsSource(settings_cls, cls.config_file)] if cls.config_file else []
        return (init_settings, env_settings, *file)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def given(**flags: Any) -> dict[str, Any]:
    """The flags that were given."""
    return {name: value for name, value in flags.items() if value is not None}
