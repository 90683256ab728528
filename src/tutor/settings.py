"""Settings: defaults, then ``<home>/config.toml``, then ``TUTOR_*`` environment variables, then command-line options.

Sections become prefixes: ``qdrant.url`` in the file is ``TUTOR_QDRANT_URL`` in the environment. Unknown keys fail.
``tutor config`` prints what is in force.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
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


class LlmSettings(_Section):
    """The language model that writes answers; with provider ``none`` answers are cut from the passages."""

    provider: Literal["none", "ollama", "compatible", "openai", "anthropic", "gguf"] = "none"
    model: str = Field("", description="The name that the provider knows, or the path of a GGUF file.")
    url: str = Field("", description="The server's base address, where not the provider's own.")
    api_key: SecretStr = Field(SecretStr(""), description="Empty: from the keyring, where it was put by tutor models.")
    timeout_s: float = Field(60.0, gt=0, le=3600, description="For one whole reply.")
    first_token_s: float = Field(20.0, gt=0, le=600, description="How long the first piece of a reply may take.")
    retries: int = Field(
        2, ge=0, le=10, description="How often a failed request is sent again, before its first piece."
    )
    context_tokens: int = Field(
        0, ge=0, le=10_000_000, description="Prompt and reply together; 0: what is known of it."
    )
    max_tokens: int = Field(500, ge=16, le=32_000, description="The longest reply.")
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


class JudgeSettings(_Section):
    """The judge model of ``tutor eval``, on any OpenAI-compatible server; with no url no model is asked."""

    url: str = Field("", description="Its base address, such as http://127.0.0.1:11434/v1.")
    model: str = Field("", description="The name that the server knows.")
    api_key: SecretStr = SecretStr("")
    timeout_s: float = Field(60.0, gt=0, le=600, description="For one request, which is tried three times.")
    max_cases: int = Field(50, ge=1, le=10_000, description="At most so many cases are judged in a run.")


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="_", env_nested_max_split=1, extra="forbid", frozen=True
    )

    home: Path = Field(default_factory=lambda: user_data_path("tutor", appauthor=False))
    index: Path | None = Field(None, description="The embedded index's folder; empty: <home>/index.")
    log: Literal["debug", "info", "warning", "error"] = "warning"
    corpus: CorpusSettings = CorpusSettings()
    encoder: EncoderSettings = EncoderSettings()
    qdrant: QdrantSettings = QdrantSettings()
    search: SearchSettings = SearchSettings()
    server: ServerSettings = ServerSettings()
    llm: LlmSettings = LlmSettings()
    study: StudySettings = StudySettings()
    judge: JudgeSettings = JudgeSettings()

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
        return init_settings, env_settings, toml

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
        return _FromFile(**tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise _invalid(error, str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: tomllib.TOMLDecodeError, UnicodeDecodeError
        raise SettingsError(f"the settings cannot be read ({error})", about=str(path)) from error


def _invalid(error: ValidationError, about: str) -> SettingsError:
    lines = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
    return SettingsError("; ".join(lines), about=about, fix="'tutor config' lists every setting.")


def _refuse_unknown_variables() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name, value in Settings.model_fields.items():
        section = value.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            known |= {f"{PREFIX}{name}_{key}".upper() for key in section.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsError(
            f"unknown variable {', '.join(unknown)}", about="environment", fix="'tutor config' lists every setting."
        )
