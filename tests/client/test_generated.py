"""The client's calls and shapes, and the API's document in the reference, are what the routes say."""

from pathlib import Path

from scripts.write_client import CLIENT, ROOT, files


def test_the_document_and_the_client_are_written_from_the_routes_as_they_are():
    different = [str(path.relative_to(ROOT)) for path, text in files().items() if _read(path) != text]
    assert different == [], "run: python -m scripts.write_client"


def test_nothing_is_left_of_routes_that_are_gone():
    kept = {*(CLIENT / "calls").glob("*.py"), *(CLIENT / "shapes").glob("*.py")}
    assert kept == {path for path in files() if path.suffix == ".py"}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
