"""Settings of the process, read once from the environment (`DUI_*`); what a house tunes lives in the `setting` table."""

from functools import cached_property, lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

VERSION = "0.1.0"  # pyproject says the same (tests/test_readme.py compares)
SECRETS = Path("/run/secrets")  # where containers mount them: one file per setting, such as `dui_database_url`


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="DUI_", env_file=None, extra="ignore", secrets_dir=SECRETS if SECRETS.is_dir() else None
    )

    database_url: str = ""  # the app's role: owns nothing, cannot bypass row-level security
    owner_database_url: str = ""  # migrations, partitions
    sealer_database_url: str = ""  # reads the trails, inserts seals, nothing else
    key_file: Path = Path(".dui/keys.json")
    public_origins: str = "http://127.0.0.1:8000"  # comma-separated; the first is the default of links
    data: Path = Path(".dui")
    documents: str = "postgres"  # where their sealed bytes lie: postgres, file:///un/dossier, s3://compartiment/prefixe
    demo: bool = False
    pool_size: int = 8  # connections of the hot lane, and as many for writes
    # Of one caller, by process: a tenth of what a process answers, far above an honest application.
    requests_per_second: int = Field(200, ge=10)
    seal_late: float = 60  # seconds before a seal is said to be late: metric, log, /readyz
    metrics_port: int = 0  # 0: not served
    # Staff entering by an identity provider (docs/adr/0017): off while there is no issuer.
    oidc_issuer: str = ""
    oidc_discovery: str = ""  # where its metadata is, when that is not the issuer's well-known address
    oidc_name: str = "Pro Santé Connect"  # as people read it
    oidc_client_id: str = ""
    oidc_secret_file: Path | None = None  # this server proves itself by the one or the other
    oidc_private_key_file: Path | None = None
    oidc_scope: str = "openid"
    oidc_acr: str = ""  # comma-separated: the levels accepted, such as eidas1
    oidc_applications: str = ""  # comma-separated: the exact addresses staff applications wait at

    @cached_property
    def origins(self) -> tuple[str, ...]:
        return tuple(o.strip().rstrip("/") for o in self.public_origins.split(",") if o.strip())

    @cached_property
    def hosts(self) -> dict[str, str]:
        """The origin that each `Host` we answer to belongs to."""
        return {urlsplit(origin).netloc: origin for origin in reversed(self.origins)}


@lru_cache(maxsize=1)
def settings() -> Settings:
    return Settings()
