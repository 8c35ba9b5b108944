"""The catalog as CSV: a file for each kind, one row for each item, for spreadsheets and the systems that write them.

A column that is not there leaves what it is about as it was; an empty cell takes it away. Money is in major units, as
in every file of ours; tags stand in one cell with ``|`` between them; what else is known of goods has columns named
``attribute:<name>``. Columns nobody knows are refused, so that a misspelt one is not lost in silence.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, json

from shuke.books.catalog import BRAND, CATEGORY, PRODUCT, SKU, Item
from shuke.values.amounts import AmountError, format_amount, parse_amount

_TEXT, _MONEY, _TAGS, _FLAG = "text", "money", "tags", "flag"

COLUMNS: Final[dict[str, dict[str, str]]] = {
    SKU: {
        **dict.fromkeys(("sku", "name", "product", "category", "brand"), _TEXT),
        "cost": _MONEY,
        "list_price": _MONEY,
        "tags": _TAGS,
        "archived": _FLAG,
    },
    PRODUCT: {
        **dict.fromkeys(("product", "name", "category", "brand"), _TEXT),
        "tags": _TAGS,
        "archived": _FLAG,
    },
    CATEGORY: {"category": _TEXT, "name": _TEXT, "parent": _TEXT, "archived": _FLAG},
    BRAND: {"brand": _TEXT, "name": _TEXT, "archived": _FLAG},
}
"""The columns of each kind. The first names the item."""

ATTRIBUTE: Final = "attribute:"
_WITH_ATTRIBUTES: Final = (SKU, PRODUCT)
_CELL_MOST: Final = 16_384  # characters
_FLAGS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_FORMULA: Final = re.compile(r"[=@\t\r]|[+-](?!\d[\d.,]*\Z)")


class CsvError(ValueError):
    """A file that cannot be read, or one of its cells: ``line`` of the file (from 1), ``column`` by name."""

    def __init__(self, said: str, *, line: int = 1, column: str = "") -> None:
        self.said, self.line, self.column = said, line, column
        where = f"line {line}, {column}" if column else f"line {line}"
        super().__init__(f"{where}: {said}")


class Row(Struct):
    """An item as a line of a file tells it: ``fields`` as an edit takes them."""

    line: int
    id: str
    fields: dict[str, Any]


def kind_of(header: Iterable[str]) -> str | None:
    """What the rows under a header are about; None where that cannot be told."""
    names = set(header)
    return next((kind for kind, columns in COLUMNS.items() if next(iter(columns)) in names), None)


def read(text: Iterable[str], *, scale: int, kind: str | None = None) -> tuple[str, Iterator[Row]]:
    """What the file is about (as ``kind`` says, else its header), and its rows. Lines are read as they are asked for.

    ``scale``: decimals of the currency. Raises ``CsvError``, also while rows are read.
    """
    csv.field_size_limit(max(_CELL_MOST * 8, csv.field_size_limit()))
    lines = csv.reader(text, strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
    except csv.Error as broken:
        raise CsvError(str(broken)) from broken
    if header and header[0].startswith("\ufeff"):
        header[0] = header[0].removeprefix("\ufeff")
    found = kind or kind_of(header)
    if found is None:
        named = ", ".join(next(iter(columns)) for columns in COLUMNS.values())
        raise CsvError(f"the first line names the columns, and one of them must be: {named}")
    _check(found, header)
    return found, _rows(lines, found, header, scale)


def _check(kind: str, header: list[str]) -> None:
    known = COLUMNS[kind]
    id_column = next(iter(known))
    if id_column not in header:
        raise CsvError(f"there is no column {id_column}", column=id_column)
    for name in header:
        if header.count(name) > 1:
            raise CsvError("this column is there twice", column=name)
        is_attribute = kind in _WITH_ATTRIBUTES and name.startswith(ATTRIBUTE) and name != ATTRIBUTE
        if name not in known and not is_attribute:
            also = f" and {ATTRIBUTE}<name>" if kind in _WITH_ATTRIBUTES else ""
            raise CsvError(f"there is no such column; there are {', '.join(known)}{also}", column=name)


def _rows(lines: Iterator[list[str]], kind: str, header: list[str], scale: int) -> Iterator[Row]:
    known = COLUMNS[kind]
    id_column = next(iter(known))
    reader: Any = lines
    while True:
        try:
            cells = next(lines, None)
        except csv.Error as broken:
            raise CsvError(str(broken), line=reader.line_num) from broken
        if cells is None:
            return
        if not any(cells):
            continue
        line = reader.line_num
        if len(cells) != len(header):
            raise CsvError(f"{len(cells)} cells under {len(header)} columns", line=line)
        told = dict(zip(header, map(_meant, cells), strict=True))
        if not told[id_column]:
            raise CsvError("this is missing", line=line, column=id_column)
        yield Row(line, told.pop(id_column), _fields(told, known, scale, line))


def _fields(told: Mapping[str, str], known: Mapping[str, str], scale: int, line: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    for name, cell in told.items():
        if len(cell) > _CELL_MOST:
            raise CsvError(f"more than {_CELL_MOST} characters", line=line, column=name)
        if name.startswith(ATTRIBUTE):
            if cell:
                attributes[name.removeprefix(ATTRIBUTE)] = cell
            continue
        try:
            fields[name] = _value(cell, known[name], scale)
        except ValueError as wrong:  # also an AmountError
            raise CsvError(str(wrong), line=line, column=name) from wrong
    if any(name.startswith(ATTRIBUTE) for name in told):
        fields["attributes"] = attributes or None
    if fields.get("archived", False) is None:
        fields["archived"] = False
    return fields


def _meant(cell: str) -> str:
    """The cell without blanks around it, and without the mark that kept it from being a formula."""
    found = cell.strip()
    return found[1:] if found.startswith("'") and _FORMULA.match(found[1:]) else found


def _value(cell: str, kind: str, scale: int) -> Any:
    if not cell:
        return None
    if kind == _MONEY:
        amount = parse_amount(cell, scale=scale)
        if amount < 0:
            raise AmountError(f'"{cell}" is below zero')
        return amount
    if kind == _TAGS:
        return [tag.strip() for tag in cell.split("|") if tag.strip()]
    if kind == _FLAG:
        if cell.lower() not in _FLAGS:
            raise ValueError("write yes or no")
        return _FLAGS[cell.lower()]
    return cell


# -- Writing ----------------------------------------------------------------------------------------------


def header_of(kind: str, attributes: Iterable[str]) -> list[str]:
    """The columns of a file of this kind, with one for each of these attributes."""
    more = [f"{ATTRIBUTE}{name}" for name in sorted(attributes)] if kind in _WITH_ATTRIBUTES else []
    return [*COLUMNS[kind], *more]


def write(items: Iterable[Item], header: list[str], *, scale: int) -> str:
    """Rows under a header (which is not written), as ``read`` takes them back: attributes become texts."""
    return written([_cell(item, name, scale) for name in header] for item in items)


def written(rows: Iterable[list[str]]) -> str:
    """Rows as lines of a file."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(item: Item, name: str, scale: int) -> str:
    columns = COLUMNS[item.kind]
    if name == next(iter(columns)):
        return _safe(item.id)
    if name == "archived":
        return "yes" if item.archived_at is not None else ""
    if name.startswith(ATTRIBUTE):
        value = item.body.get("attributes", {}).get(name.removeprefix(ATTRIBUTE))
    else:
        value = item.body.get(name)
    if value is None:
        return ""
    if columns.get(name) == _MONEY:
        return format_amount(value, scale=scale)
    if columns.get(name) == _TAGS:
        return _safe("|".join(value))
    return _safe(value if isinstance(value, str) else json.encode(value).decode())


def _safe(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
