"""Which members must be settled together: those between whom value moves, directly or in a chain."""

from __future__ import annotations

from typing import Any

PARTNERS = ("to_member", "from_member")
"""Fields of an activity's payload that name another member."""


class Links:
    """Union-find over member ids. The name of a group is its smallest id, so it does not depend on the order
    told."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def join(self, one: str, other: str) -> None:
        first, second = self.root(one), self.root(other)
        if first != second:
            low, high = sorted((first, second))
            self._parent[low] = low
            self._parent[high] = low

    def root(self, member_id: str) -> str:
        parent = self._parent
        root = member_id
        while (above := parent.get(root, root)) != root:
            root = above
        while (above := parent.get(member_id, member_id)) != root:
            parent[member_id] = root
            member_id = above
        return root

    def read(self, member_id: str, payload: dict[str, Any] | None) -> None:
        """Join the member with everybody whom the payload of her activity names."""
        if payload:
            for field in PARTNERS:
                partner = payload.get(field)
                if isinstance(partner, str) and partner:
                    self.join(member_id, partner)

    def roots(self) -> list[tuple[str, str]]:
        """(member id, name of the group) of everybody linked to somebody, ascending."""
        return [(member_id, self.root(member_id)) for member_id in sorted(self._parent)]
