"""Settings: defaults, then ``<home>/config.toml``, then ``TUTOR_*`` environment variables, then command-line options.

Sections become prefixes: ``qdrant.url`` in the file is ``TUTOR_QDRANT_URL`` in the environment. Unknown keys fail.
``tutor config`` prints what is in force.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableVariable

from tutor.errors import SettingsError

PREFIX = "TUTOR_"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CorpusSettings(_Section):
    """What is indexed besides what the user ingests."""

    builtin: bool = Field(True, description="Index the curriculum that comes with the package.")


class EncoderSettings(_Section):
    """Which encoder makes the vectors."""

    model: str = Field("", description="A Hugging Face model name or folder (extra 'hf'); empty: the packaged one.")
    threads: int = Field(0, ge=0, le=256, description="Threads that encode; 0 takes one a core.")


class QdrantSettings(_Section):
    """The Qdrant server; with no url the embedded engine is used."""

    url: str = ""
    api_key: SecretStr = SecretStr("")
    collection: str = Field("tutor", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The alias that readers use.")
    shards: int = Field(1, ge=1, le=256)
    replication: int = Field(1, ge=1, le=16)
    timeout_s: float = Field(10.0, gt=0, le=600)


class SearchSettings(_Section):
    """Ranking."""

    rerank: bool = Field(True, description="MaxSim over the candidates takes part in the fusion.")
    weights: dict[Literal["dense", "bm25", "names", "tokens"], Annotated[float, Field(ge=0, le=100)]] = Field(
        default_factory=dict, description="Weights of the legs in the fusion where not the measured ones; 0 leaves out."
    )


class ServerSettings(_Section):
    """The web server."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    keep_alive_s: int = Field(
        75, ge=1, le=3600, description="How long an idle connection is kept: longer than a proxy before it keeps one."
    )
    api_key: SecretStr = Field(
        SecretStr(""), description="What every client must send, from TUTOR_SERVER_API_KEY; empty: none is asked for."
    )

    @field_validator("api_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        """A header carries visible ASCII only, and a short key can be guessed."""
        if (text := key.get_secret_value()) and not re.fullmatch(r"[!-~]{16,256}", text):
            raise ValueError("16 to 256 letters, digits and signs, without spaces: openssl rand -hex 32 makes one")
        return key


class LlmSettings(_Section):
    """The language model that writes answers; with provider ``none`` answers are cut from the passages."""

    provider: Literal["none", "ollama", "compatible", "openai", "anthropic", "gguf"] = "none"
    model: str = Field("", description="The name that the provider knows, or the path of a GGUF file.")
    url: str = Field("", description="The server's base address, where not the provider's own.")
    api_key: SecretStr = Field(SecretStr(""), description="Empty: from the keyring, where it was put by tutor models.")
    timeout_s: float = Field(60.0, gt=0, le=3600, description="For one whole reply.")
    first_token_s: float = Field(
        0.0,
        ge=0,
        le=600,
        description="For the first piece of a reply; 0: 20, and for a model on this machine timeout_s.",
    )
    retries: int = Field(
        2, ge=0, le=10, description="How often a failed request is sent again, before its first piece."
    )
    context_tokens: int = Field(
        0, ge=0, le=10_000_000, description="Prompt and reply together; 0: what is known of it."
    )
    max_tokens: int = Field(500, ge=16, le=32_000, description="The longest reply.")
    unsupported: Literal["drop", "mark"] = Field("drop", description="What becomes of sentences that nothing supports.")
    cache: bool = Field(True, description="Keep replies that stood up under <home>/cache, and check them anew.")
    question_tokens: int = Field(16_000, ge=0, description="Most tokens that one question may take; 0: no limit.")
    day_tokens: int = Field(0, ge=0, description="Most tokens a day; 0: no limit.")
    day_usd: float = Field(0.0, ge=0, description="Most US dollars a day, where prices are known; 0: no limit.")


class StudySettings(_Section):
    """Where progress, reviews, plans and the decision log are kept, and what a day holds."""

    url: str = Field("", description="postgresql+psycopg://…; empty: SQLite in <home>/study.db.")
    learner: str = Field("local", pattern=r"^[A-Za-z0-9_.@-]{1,64}$", description="Whose they are.")
    zone: str = Field("", description="IANA time zone of the learner's days, as Europe/Berlin; empty: the machine's.")
    minutes: int = Field(45, ge=5, le=720, description="Minutes of a day.")
    retention: float = Field(0.9, ge=0.7, le=0.97, description="Probability of recall at which a review is due.")
    backups: int = Field(7, ge=1, le=365, description="Daily backups of the SQLite file that are kept.")
    keep_conversations: bool = Field(True, description="Whether questions asked on the pages are kept.")


class ReadingsSettings(_Section):
    """How tutor ingest --readings asks for the pages that the curriculum links."""

    contact: str = Field(
        "", max_length=200, pattern=r"^[\x21-\x7e]*$", description="An address or URL that sites see beside our name."
    )
    delay_s: float = Field(2.0, ge=0.5, le=600, description="Between two requests to one host, at least.")
    recheck_days: float = Field(7.0, ge=0, le=3650, description="For how long a page is not asked for again.")
    total_s: float = Field(60.0, gt=0, le=3600, description="For one request.")
    idle_s: float = Field(15.0, gt=0, le=600, description="Between two pieces of a page.")
    max_mb: int = Field(20, ge=1, le=200, description="Of one page, as it is sent; unpacked it may be twice that.")
    ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field([80, 443], description="Ports that may be asked.")
    proxy: str = Field(
        "", pattern=r"^(|https?://[^\s/]+/?)$", description="An HTTP proxy; those of the environment are not used."
    )
    shown: int = Field(3, ge=0, le=10, description="Readings named below an answer; 0: none.")


class JudgeSettings(_Section):
    """The judge model of ``tutor eval``, on any OpenAI-compatible server; with no url no model is asked."""

    url: str = Field("", description="Its base address, such as http://127.0.0.1:11434/v1.")
    model: str = Field("", description="The name that the server knows.")
    api_key: SecretStr = SecretStr("")
    timeout_s: float = Field(60.0, gt=0, le=600, description="For one request, which is tried three times.")
    max_cases: int = Field(50, ge=1, le=10_000, description="At most so many cases are judged in a run.")


class TelemetrySettings(_Section):
    """Traces and metrics for a collector (extra ``telemetry``); with no address nothing is sent or imported."""

    otlp: str = Field("", description="The collector's base address, such as http://127.0.0.1:4318; empty: off.")
    protocol: Literal["http/protobuf"] = "http/protobuf"
    headers: SecretStr = Field(SecretStr(""), description="name=value,name=value, sent with everything.")
    sample: float = Field(1.0, ge=0, le=1, description="The share of traces that are made.")
    service_name: str = Field("tutor", min_length=1, max_length=255)
    include_text: bool = Field(False, description="Traces may carry the words of questions and answers, logs errors'.")


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # a refused key is not for a traceback
    )

    home: Path = Field(default_factory=lambda: user_data_path("tutor", appauthor=False))
    index: Path | None = Field(None, description="The embedded index's folder; empty: <home>/index.")
    log: Literal["debug", "info", "warning", "error"] = "warning"
    log_format: Literal["text", "json"] = Field("text", description="json: one object a line, for machines.")
    corpus: CorpusSettings = CorpusSettings()
    encoder: EncoderSettings = EncoderSettings()
    qdrant: QdrantSettings = QdrantSettings()
    search: SearchSettings = SearchSettings()
    server: ServerSettings = ServerSettings()
    llm: LlmSettings = LlmSettings()
    study: StudySettings = StudySettings()
    judge: JudgeSettings = JudgeSettings()
    readings: ReadingsSettings = ReadingsSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        given = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else {}
        home = given.get("home") or os.environ.get(PREFIX + "HOME") or user_data_path("tutor", appauthor=False)
        toml = TomlConfigSettingsSource(settings_cls, Path(home).expanduser() / "config.toml")
        _refuse_server_key(toml.toml_data)
        return init_settings, env_settings, toml

    @property
    def readings_dir(self) -> Path:
        return (self.home / "readings").expanduser()

    @property
    def index_dir(self) -> Path:
        return (self.index or self.home / "index").expanduser()


class _FromFile(Settings):
    """Settings that nothing but what is given has a say in."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings(**given: Any) -> Settings:
    """The settings in force; ``given`` are command-line options (None means not given).

    Raises:
        SettingsError: a value out of range, an unknown key or variable, or a config file that is not TOML.
    """
    _refuse_unknown_variables()
    try:
        home = Path(given.get("home") or os.environ.get(PREFIX + "HOME") or user_data_path("tutor", appauthor=False))
        _refuse_key(home.expanduser() / "config.toml")
        return Settings(**{k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        raise _invalid(error, "settings") from error
    except UnreadableVariable as error:
        raise SettingsError(
            f"a variable cannot be read ({error})", about="environment", fix="A whole section is written as JSON."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: tomllib.TOMLDecodeError, UnicodeDecodeError
        raise SettingsError(f"config.toml cannot be read ({error})", about="settings") from error


def read_settings(path: Path) -> Settings:
    """The settings of one file alone; neither the home's file nor the environment has a say.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or has an unknown key or a value out of range.
    """
    try:
        _refuse_key(path)
        return _FromFile(**tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise _invalid(error, str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: tomllib.TOMLDecodeError, UnicodeDecodeError
        raise SettingsError(f"the settings cannot be read ({error})", about=str(path)) from error


def _refuse_key(path: Path) -> None:
    """A language model's key in a file would be copied, shown and committed with it.

    Raises:
        SettingsError: there is one; what it is, is not said.
    """
    llm = tomllib.loads(path.read_text(encoding="utf-8")).get("llm") if path.is_file() else None
    if isinstance(llm, dict) and llm.get("api_key"):
        raise SettingsError(
            "a key does not belong into a file",
            about=f"{path}: llm.api_key",
            fix="Remove it there and run 'tutor models key', or set TUTOR_LLM_API_KEY.",
        )


def _invalid(error: ValidationError, about: str) -> SettingsError:
    lines = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
    return SettingsError("; ".join(lines), about=about, fix="'tutor config' lists every setting.")


def _refuse_server_key(written: Mapping[str, Any]) -> None:
    """A file is copied, shared and committed more easily than an environment."""
    if isinstance(server := written.get("server"), Mapping) and "api_key" in server:
        raise SettingsError(
            "a key does not belong into config.toml",
            about="server.api_key",
            fix="Remove it there and set TUTOR_SERVER_API_KEY.",
        )


def known_variables() -> set[str]:
    """The environment variables that are settings."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name, value in Settings.model_fields.items():
        section = value.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            known |= {f"{PREFIX}{name}_{key}".upper() for key in section.model_fields}
    return known


def _refuse_unknown_variables() -> None:
    known = known_variables()
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsError(
            f"unknown variable {', '.join(unknown)}", about="environment", fix="'tutor config' lists every setting."
        )
