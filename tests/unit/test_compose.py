"""The Compose file and the image: what they promise, checked without Docker; with it, also by ``compose config``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutor.settings import Settings, known_variables

ROOT = Path(__file__).resolve().parents[2]
NODES = ("qdrant-1", "qdrant-2", "qdrant-3")
QDRANTS = ("qdrant", *NODES)
APIS = ("api", "api-cluster")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def test_what_starts_by_default_and_with_the_cluster(services: dict[str, Any]) -> None:
    assert set(services) == {*QDRANTS, *APIS}
    assert {name for name, service in services.items() if "profiles" not in service} == {"api", "qdrant"}
    assert all(services[name]["profiles"] == ["cluster"] for name in ("api-cluster", *NODES))


def test_nothing_runs_with_more_rights_than_it_needs(services: dict[str, Any]) -> None:
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        assert "user" not in service  # both images set theirs
    assert all(services[name]["image"].endswith("-unprivileged") for name in QDRANTS)


def test_ports_are_published_on_the_loopback_address_only(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert len(published) == 3
    assert len({port.split(":")[1] for port in published}) == 3
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+", port) for port in published)
    assert not any("6335" in port or "6334" in port for port in published)


def test_secrets_are_required_and_never_written_down(services: dict[str, Any]) -> None:
    required = "${QDRANT_API_KEY:?set it in .env}"
    assert all(services[name]["environment"]["QDRANT__SERVICE__API_KEY"] == required for name in QDRANTS)
    assert all(services[name]["environment"]["TUTOR_QDRANT_API_KEY"] == required for name in APIS)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.search(r"^QDRANT_API_KEY=$", example, re.M)


def test_the_example_names_every_variable_of_the_file() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^([A-Z_]+)=", example, re.M))
    assert named == used
    # Unknown TUTOR_* variables are an error: what is for Compose alone must not look like a setting.
    assert {name for name in named if name.startswith("TUTOR_")} <= known_variables()


@pytest.mark.parametrize("name", APIS)
def test_the_api_understands_its_environment(
    name: str, services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in [variable for variable in os.environ if variable.startswith("TUTOR_")]:
        monkeypatch.delenv(variable)
    for variable, value in services[name]["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = Settings()
    host, port = re.fullmatch(r"http://([\w-]+):(\d+)", str(settings.qdrant.url).rstrip("/")).groups()  # type: ignore[union-attr]
    assert host in services[name]["depends_on"]
    assert port == "6333"
    expected = (6, 2) if name == "api-cluster" else (1, 1)
    assert (settings.qdrant.shards, settings.qdrant.replication) == expected
    assert str(settings.home) == "/data"


def test_start_order_follows_health(services: dict[str, Any]) -> None:
    healthy = {"condition": "service_healthy"}
    assert services["api"]["depends_on"] == {"qdrant": healthy}
    assert services["api-cluster"]["depends_on"] == dict.fromkeys(NODES, healthy)
    assert "depends_on" not in services["qdrant-1"]
    for name in NODES[1:]:
        assert services[name]["depends_on"] == {"qdrant-1": healthy}
    for service in services.values():
        assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])


def test_the_cluster(compose: dict[str, Any], services: dict[str, Any]) -> None:
    for name in NODES:
        command = services[name]["command"]
        assert services[name]["environment"]["QDRANT__CLUSTER__ENABLED"] == "true"
        assert command[:3] == ["./qdrant", "--uri", f"http://{name}:6335"]
        assert command[3:] == ([] if name == "qdrant-1" else ["--bootstrap", "http://qdrant-1:6335"])
        assert services[name]["networks"] == ["cluster"]
    assert compose["networks"]["cluster"] == {"internal": True}
    assert "QDRANT__CLUSTER__ENABLED" not in services["qdrant"]["environment"]
    assert set(services["api-cluster"]["networks"]) == {"default", "cluster"}


def test_every_service_keeps_its_data_in_a_volume_of_its_own(compose: dict[str, Any], services: dict[str, Any]) -> None:
    used = [volume.split(":") for service in services.values() for volume in service["volumes"]]
    assert {name for name, _ in used} == set(compose["volumes"])
    assert len(used) == len(services) == len(compose["volumes"])
    for name in QDRANTS:
        target = services[name]["volumes"][0].split(":")[1]
        environment = services[name]["environment"]
        # The root file system is read-only, so all that Qdrant writes must be below its volume.
        assert environment["QDRANT_INIT_FILE_PATH"].startswith(f"{target}/")
        assert environment["QDRANT__STORAGE__SNAPSHOTS_PATH"].startswith(f"{target}/")


def test_images_are_pinned(services: dict[str, Any]) -> None:
    assert {services[name]["image"] for name in QDRANTS} == {"qdrant/qdrant:v1.19.1-unprivileged"}
    base = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
    assert len(base) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", base[0])


def test_the_qdrant_client_accepts_the_pinned_server(services: dict[str, Any]) -> None:
    from importlib.metadata import version

    server = re.fullmatch(r"qdrant/qdrant:v(\d+)\.(\d+)\.\d+-unprivileged", services["qdrant"]["image"])
    assert server is not None
    major, minor = map(int, version("qdrant-client").split(".")[:2])
    assert major == int(server.group(1))
    assert abs(minor - int(server.group(2))) <= 1  # the client's own rule


def test_the_image() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "pip install -c constraints.txt ." in text
    assert text.index("pip install") < text.index("\nUSER tutor")  # the program is not writable for who runs it
    assert re.search(r'^CMD \["tutor", "serve", "--host", "0\.0\.0\.0", "--port", "8000"\]', text, re.M)
    assert "/healthz" in text
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".env", ".git", "tests"} <= set(ignored)
    assert not {"src", "corpus", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"} & set(ignored)


@contextmanager
def server(paths: dict[str, int]) -> Iterator[int]:
    """A local web server that answers each of ``paths`` with its status; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(paths.get(self.path, 404))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        yield http.server_port
        http.shutdown()
        thread.join()


def check_passes(test: list[str], port: int, default: str) -> bool:
    """Whether a health check's command succeeds when the service listens on ``port`` here."""
    program = sys.executable if test[1] == "python" else test[1]
    script = test[3].replace("$$", "$").replace(default, str(port))
    assert str(port) in script
    done = subprocess.run([program, test[2], script], capture_output=True, timeout=60, check=False)
    return done.returncode == 0


@pytest.mark.parametrize(("name", "path"), [("qdrant", "/readyz"), *((node, "/livez") for node in NODES)])
@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not here: the health check of Qdrant was not run")
def test_the_health_check_of_qdrant(name: str, path: str, services: dict[str, Any]) -> None:
    test = services[name]["healthcheck"]["test"]
    assert test[:3] == ["CMD", "bash", "-c"]
    for status, healthy in ((200, True), (503, False), (404, False)):
        with server({path: status}) as port:
            assert check_passes(test, port, "6333") is healthy
    assert not check_passes(test, port, "6333")  # nobody listens any more


@pytest.mark.parametrize("name", APIS)
def test_the_health_check_of_the_api(name: str, services: dict[str, Any]) -> None:
    test = services[name]["healthcheck"]["test"]
    assert test[:3] == ["CMD", "python", "-c"]
    assert test[3] in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for status, healthy in ((200, True), (503, False)):
        with server({"/healthz": status}) as port:
            assert check_passes(test, port, "8000") is healthy


def compose_command() -> list[str] | None:
    """The Compose program of this machine; it reads files without a running Docker."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            done = subprocess.run([*command, "version"], capture_output=True, timeout=60, check=False)
            if done.returncode == 0:
                return command
    return None


def run_config(folder: Path, *options: str, key: str | None) -> subprocess.CompletedProcess[str]:
    command = compose_command()
    if command is None:
        pytest.skip("Docker Compose is not installed: 'compose config' was not run on docker-compose.yml")
    environment = {name: value for name, value in os.environ.items() if name != "QDRANT_API_KEY"}
    if key is not None:
        environment["QDRANT_API_KEY"] = key
    empty = folder / "empty.env"  # an .env beside the file would hide a missing variable
    empty.touch()
    arguments = [*command, "--env-file", str(empty), "-f", str(ROOT / "docker-compose.yml"), *options]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, env=environment, check=False)


@pytest.mark.parametrize("options", [(), ("--profile", "cluster")])
def test_compose_accepts_the_file(options: tuple[str, ...], tmp_path: Path) -> None:
    done = run_config(tmp_path, *options, "config", key="k3y")
    assert done.returncode == 0, done.stderr
    resolved = yaml.safe_load(done.stdout)
    assert resolved["services"]["api"]["environment"]["TUTOR_QDRANT_API_KEY"] == "k3y"


def test_compose_refuses_to_start_without_the_key(tmp_path: Path) -> None:
    done = run_config(tmp_path, "config", key=None)
    assert done.returncode != 0
    assert "set it in .env" in done.stderr
