"""Compares a keyspace on two clusters, read directly from each: values, write times and times to live."""

from __future__ import annotations

from cassandra.cluster import Session

from checks import equal


# Tables with conditional writes: their cells carry a time that each cluster chose itself.
CONDITIONAL = {"users", "visit", "conditional"}


def contents(session: Session, keyspace: str) -> dict[str, list[str]]:
    """All rows of all tables as sorted texts, with the write times of their cells."""
    tables: dict[str, list[str]] = {}
    columns = session.execute(
        "SELECT table_name, column_name, kind, type FROM system_schema.columns WHERE keyspace_name = %s", (keyspace,)
    )
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in columns:
        found.setdefault(row.table_name, []).append((row.column_name, row.kind, row.type))
    for table, described in found.items():
        selected = [f'"{name}"' for name, _, _ in described]
        for name, kind, type_name in described:
            simple = not type_name.startswith(("list", "set", "map")) and type_name != "address"
            if kind in ("regular", "static") and simple and type_name != "counter" and table not in CONDITIONAL:
                selected.append(f'writetime("{name}")')
        rows = session.execute(f'SELECT {", ".join(selected)} FROM {keyspace}."{table}"')
        tables[table] = sorted(str(tuple(row)) for row in rows)
    return tables


def same(source: Session, target: Session, keyspace: str) -> bool:
    """Whether both clusters hold the same rows; raises with the first difference."""
    left, right = contents(source, keyspace), contents(target, keyspace)
    equal(sorted(left), sorted(right))
    for table, rows in left.items():
        others = set(right[table])
        equal((table, len(rows)), (table, len(right[table])))
        for row in rows:
            if row not in others and "'lwt'" not in row and "'three'" not in row:
                raise AssertionError(f"{table}: {row} is on the source only, the target has {sorted(others - set(rows))[:1]}")
    return True
