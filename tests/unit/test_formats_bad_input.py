"""Files that cannot be read: each is refused with a sentence and advice, never with a traceback."""

from __future__ import annotations

import io
import os
import random
import runpy
import socket
import zipfile
from pathlib import Path

import docx
import pytest

from tutor.errors import SourceError
from tutor.ingest import formats
from tutor.ingest.formats import files

# By path, because whether test modules can import each other depends on pytest's import mode.
_SAMPLES = runpy.run_path(str(Path(__file__).with_name("test_formats.py")))
MAKERS, minimal_pdf, write_epub = (_SAMPLES[name] for name in ("MAKERS", "minimal_pdf", "write_epub"))

BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
PRINT_AGAIN = "Print it to a new PDF file."


def refused(path: Path) -> SourceError:
    """The error of reading ``path``, checked for what every error must say."""
    with pytest.raises(SourceError) as caught:
        formats.read(path, doc_id="x", source="x")
    error = caught.value
    assert error.about == str(path)
    assert error.what
    assert error.fix
    assert "\n" not in error.message
    return error


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def repacked(data: bytes, changes: dict[str, bytes | None]) -> bytes:
    """A ZIP container with some parts replaced, added or (``None``) left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            if content is not None:
                new.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("suffix", sorted(formats.SUFFIXES))
@pytest.mark.parametrize("data", [b"", b" \r\n\t \n"])
def test_empty(suffix: str, data: bytes, tmp_path: Path) -> None:
    assert refused(write(tmp_path, f"a{suffix}", data)).what == "the file is empty"


@pytest.mark.parametrize("suffix", [".txt", ".html"])
def test_nothing_but_invisible_characters(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path, f"a{suffix}", "\ufeff\u200b\xa0\n".encode())
    assert refused(path).what in ("the file is empty", "there is no text in it")


def test_unknown_suffix(tmp_path: Path) -> None:
    error = refused(write(tmp_path, "a.xyz", b"text"))
    assert ".xyz" in error.what
    assert ".epub" in error.fix


def test_missing_and_directory_and_socket(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "gone.txt").what
    (tmp_path / "folder.txt").mkdir()
    assert refused(tmp_path / "folder.txt").what == "is a directory"
    assert "does not exist" not in refused(write(tmp_path, "file", b"x") / "below.txt").what
    os.mkfifo(tmp_path / "pipe.txt")
    assert refused(tmp_path / "pipe.txt").what == "is not a regular file"


def test_a_file_that_vanishes_between_looking_and_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a.txt", b"text")

    def vanish(self: Path, mode: str = "r") -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "open", vanish)
    assert "does not exist" in refused(path).what


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a.txt", b"text")

    def deny(self: Path, mode: str = "r") -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)  # mode bits do not stop root, whom tests may run as
    error = refused(path)
    assert error.what == "permission denied"
    assert isinstance(error.__cause__, PermissionError)


def test_a_disk_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a.txt", b"text")

    def fail(self: Path, mode: str = "r") -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    assert refused(path).what == "cannot be read (Input/output error)"


def test_a_name_that_no_system_has(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "nul\0byte.txt").what


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.txt"
    with path.open("wb") as file:
        file.truncate(formats.MAX_BYTES + 1)  # a sparse file: no disk is used
    error = refused(path)
    assert error.what == "is 64.0 MB, more than the limit of 64.0 MB"
    monkeypatch.setattr(formats, "MAX_BYTES", 3)
    assert "limit of 0.0 MB" in refused(write(tmp_path, "a.txt", b"four")).what


@pytest.mark.parametrize("suffix", [".txt", ".rst", ".html"])
@pytest.mark.parametrize(
    "data",
    [
        b"text with a \x00 byte",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"\x01\x02\x03\x04\x05\x06\x07\x08" * 50,
        b"\xff\xfe\x00",  # a UTF-16 mark and half a character
        random.Random(7).randbytes(4096),
    ],
)
def test_binary(suffix: str, data: bytes, tmp_path: Path) -> None:
    assert refused(write(tmp_path, f"a{suffix}", data)).what == "looks like a binary file"


def test_html_that_shows_nothing_without_scripts(tmp_path: Path) -> None:
    page = b"<html><head><title>App</title></head><body><div id=root></div><script>go()</script></body></html>"
    assert "scripts" in refused(write(tmp_path, "app.html", page)).fix


@pytest.mark.parametrize(
    "data", [b"not a pdf", b"%PDF-1.7\n", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<</Root 9 0 R>>"]
)
def test_broken_pdf(data: bytes, tmp_path: Path) -> None:
    assert refused(write(tmp_path, "a.pdf", data)).what in ("is not a valid PDF file", "there is no text in it")


def test_pdf_without_text(tmp_path: Path) -> None:
    error = refused(write(tmp_path, "scan.pdf", minimal_pdf([[], []])))
    assert error.what == "there is no text in it"
    assert "OCR" in error.fix


def test_pdf_with_a_password(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(minimal_pdf([["secret words"]]))))
    writer.encrypt("open sesame", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    error = refused(write(tmp_path, "locked.pdf", out.getvalue()))
    assert (error.what, error.fix) == ("needs a password", "Save a copy without a password.")


def test_pdf_pages_that_cannot_be_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pypdf import PageObject

    path = write(tmp_path, "a.pdf", minimal_pdf([["first page"], ["second page"]]))
    original = PageObject.extract_text

    def fail_on_second(self: PageObject) -> str:
        text: str = original(self)
        if "second" in text:
            raise KeyError("/Font")
        return text

    monkeypatch.setattr(PageObject, "extract_text", fail_on_second)
    document = formats.read(path, doc_id="x", source="x")
    assert (document.text, document.meta) == ("first page\n", {"pages": 2, "unreadable_pages": ("2",)})

    def fail(self: PageObject) -> str:
        raise RecursionError

    monkeypatch.setattr(PageObject, "extract_text", fail)
    assert refused(path).fix == PRINT_AGAIN


@pytest.mark.parametrize("suffix", [".docx", ".epub"])
@pytest.mark.parametrize("data", [b"plain text", b"PK\x03\x04 cut off", b"PK\x05\x06" + bytes(18)])
def test_not_a_container(suffix: str, data: bytes, tmp_path: Path) -> None:
    assert "not a valid" in refused(write(tmp_path, f"a{suffix}", data)).what


@pytest.mark.parametrize("suffix", [".docx", ".epub"])
def test_office_file_with_a_password(suffix: str, tmp_path: Path) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
    assert "without a password" in refused(write(tmp_path, f"a{suffix}", data)).fix


@pytest.mark.parametrize("kind", ["docx", "epub"])
def test_container_with_a_password(kind: str, tmp_path: Path) -> None:
    data = bytearray(MAKERS[kind](tmp_path).read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    assert refused(write(tmp_path, f"locked.{kind}", bytes(data))).what == "is password-protected"


@pytest.mark.parametrize("kind", ["docx", "epub"])
def test_zip_bomb(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = MAKERS[kind](tmp_path).read_bytes()
    path = write(tmp_path, f"bomb.{kind}", repacked(data, {"zeros.bin": bytes(9 * 1024 * 1024)}))
    assert "zip bomb" in refused(path).fix
    monkeypatch.setattr(files, "_RATIO", 10**9)
    formats.read(path, doc_id="x", source="x")
    monkeypatch.setattr(files, "MAX_UNPACKED", 8 * 1024 * 1024)
    assert "limit 8.0 MB" in refused(path).what
    monkeypatch.setattr(files, "MAX_UNPACKED", 10**9)
    monkeypatch.setattr(files, "MAX_MEMBERS", 2)
    assert "parts" in refused(path).what


def test_a_part_that_is_larger_than_the_directory_says(tmp_path: Path) -> None:
    """The limit is checked on what the directory says, so a part must not unpack to more than that."""
    packed = repacked(MAKERS["epub"](tmp_path).read_bytes(), {"OEBPS/text/one.xhtml": b"<p>" + b"long " * 100_000})
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        real = archive.getinfo("OEBPS/text/one.xhtml").file_size.to_bytes(4, "little")
    data = packed.replace(real, (100).to_bytes(4, "little"))
    assert "damaged" in refused(write(tmp_path, "lie.epub", data)).what


def test_docx_with_missing_or_damaged_parts(tmp_path: Path) -> None:
    data = MAKERS["docx"](tmp_path).read_bytes()
    for number, changes in enumerate(
        (
            {"word/document.xml": None},
            {"word/document.xml": b"<w:document"},
            {"[Content_Types].xml": None},
            {"_rels/.rels": b"<nonsense/>"},
        )
    ):
        path = write(tmp_path, f"bad{number}.docx", repacked(data, dict(changes)))
        assert refused(path).what == "is not a valid DOCX file"


def test_docx_with_a_part_that_fails_its_checksum(tmp_path: Path) -> None:
    data = MAKERS["docx"](tmp_path).read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("word/document.xml")
    at = info.header_offset + 30 + len(info.filename) + info.compress_size // 2
    broken = data[:at] + bytes(byte ^ 0xFF for byte in data[at : at + 8]) + data[at + 8 :]
    assert "word/document.xml cannot be unpacked" in refused(write(tmp_path, "crc.docx", broken)).what


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_docx_with_entities(encoding: str, tmp_path: Path) -> None:
    data = MAKERS["docx"](tmp_path).read_bytes()
    part = f'<?xml version="1.0" encoding="{encoding}"?>{BOMB}<x>&b;</x>'.encode(encoding)
    path = write(tmp_path, "bomb.docx", repacked(data, {"word/document.xml": part}))
    assert "XML entities" in refused(path).what


def test_docx_without_text(tmp_path: Path) -> None:
    docx.Document().save(str(tmp_path / "blank.docx"))
    assert refused(tmp_path / "blank.docx").what == "there is no text in it"


@pytest.mark.parametrize(
    ("replaced", "what"),
    [
        ({"container": None}, "META-INF/container.xml is missing"),
        ({"container": "<container/>"}, "names no package"),
        ({"container": BOMB + "<container>&b;</container>"}, "XML entities"),
        ({"opf": None}, "OEBPS/content.opf is missing"),
        ({"opf": "<package"}, "not valid XML"),
        ({"opf": BOMB + "<package>&b;</package>"}, "XML entities"),
        ({"one": None}, "OEBPS/text/one.xhtml is missing"),
        ({"opf": "<package/>"}, "there is no text"),
        (
            {"encryption": '<encryption><CipherReference URI="OEBPS/text/two%20b.xhtml"/></encryption>'},
            "protected by DRM",
        ),
    ],
)
def test_broken_epub(replaced: dict[str, str | None], what: str, tmp_path: Path) -> None:
    write_epub(tmp_path / "bad.epub", **replaced)
    assert what in refused(tmp_path / "bad.epub").what


def test_epub_with_scrambled_fonts_and_names_that_climb_out(tmp_path: Path) -> None:
    fonts = '<encryption><CipherReference URI="OEBPS/font.otf"/></encryption>'
    write_epub(tmp_path / "fonts.epub", encryption=fonts)
    assert formats.read(tmp_path / "fonts.epub", doc_id="x", source="x").title == "The Log Book"
    opf = '<package><manifest><item id="a" href="../../../etc/passwd"/></manifest><spine><itemref idref="a"/></spine>'
    write_epub(tmp_path / "climb.epub", opf=f"{opf}</package>")
    assert "etc/passwd is missing" in refused(tmp_path / "climb.epub").what


@pytest.mark.parametrize("kind", MAKERS)
def test_damaged_anywhere(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes changed or cut at random give a document or a SourceError, and nothing is asked of the network."""

    def no_network(*args: object, **kwargs: object) -> None:
        raise AssertionError("a reader opened a socket")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    data = MAKERS[kind](tmp_path).read_bytes()
    chance = random.Random(20)
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 20)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path = write(
            tmp_path, f"damaged.{kind}", bytes(broken[: chance.choice((len(broken), chance.randrange(1, 9999)))])
        )
        outcome = text_or_reason(path)
        assert outcome.strip()


def text_or_reason(path: Path) -> str:
    """The text of the document, or why there is none; any other exception is a failure."""
    try:
        return formats.read(path, doc_id="x", source="x").text
    except SourceError as error:
        return error.what
