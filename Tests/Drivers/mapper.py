"""The driver's own object mapper: tables made from models, queries, batches, conditions, counters, types, lifetimes."""

from __future__ import annotations

import os
import uuid

from cassandra.cqlengine import columns, connection, management, usertype
from cassandra.cqlengine.models import Model
from cassandra.cqlengine.query import BatchQuery, LWTException
from cassandra.cluster import Session

from checks import Report, equal

KEYSPACE = "mapper"


class Address(usertype.UserType):
    street = columns.Text()
    zip = columns.Integer()


class Person(Model):
    id = columns.UUID(primary_key=True, default=uuid.uuid4)
    name = columns.Text(index=True)
    age = columns.Integer()
    address = columns.UserDefinedType(Address)
    tags = columns.Set(columns.Text)
    scores = columns.List(columns.Integer)
    links = columns.Map(columns.Text, columns.Text)


class Visit(Model):
    day = columns.Text(partition_key=True)
    at = columns.Integer(primary_key=True, clustering_order="DESC")
    what = columns.Text(static=True)
    note = columns.Text()


class Views(Model):
    page = columns.Text(primary_key=True)
    count = columns.Counter()


def run(session: Session, report: Report, label: str) -> None:
    """Runs the mapper's checks over a session of a cluster or a proxy."""
    os.environ["CQLENG_ALLOW_SCHEMA_MANAGEMENT"] = "1"
    connection.set_session(session)
    management.create_keyspace_simple(KEYSPACE, 1)
    connection.set_session(session)
    for model in (Person, Visit, Views):
        model.__keyspace__ = KEYSPACE

    def tables() -> bool:
        management.sync_type(KEYSPACE, Address)
        for model in (Person, Visit, Views):
            management.sync_table(model, keyspaces=[KEYSPACE])
        # A second time finds nothing to do.
        for model in (Person, Visit, Views):
            management.sync_table(model, keyspaces=[KEYSPACE])
        return True

    def models() -> bool:
        anna = Person.create(name="Anna", age=30, address=Address(street="s", zip=1), tags={"a"}, scores=[1], links={"x": "y"})
        anna.tags.add("b")
        anna.scores.append(2)
        anna.links["z"] = "w"
        anna.age = 31
        anna.save()
        found = Person.get(id=anna.id)
        equal((found.name, found.age, found.tags, found.scores, found.links), ("Anna", 31, {"a", "b"}, [1, 2], {"x": "y", "z": "w"}))
        equal((found.address.street, found.address.zip), ("s", 1))
        equal(Person.objects.filter(name="Anna").count(), 1)
        Person.objects(id=anna.id).update(tags__remove={"a"}, scores__prepend=[0], links__update={"n": "m"})
        found = Person.get(id=anna.id)
        equal((found.tags, found.scores, found.links["n"]), ({"b"}, [0, 1, 2], "m"))
        found.delete()
        return equal(Person.objects.filter(id=anna.id).count(), 0)

    def batches() -> bool:
        with BatchQuery() as batch:
            for at in range(5):
                Visit.batch(batch).create(day="monday", at=at, note=f"note {at}", what="static")
        visits = list(Visit.objects.filter(day="monday").limit(3))
        equal([visit.at for visit in visits], [4, 3, 2])
        return equal(visits[0].what, "static")

    def conditions() -> bool:
        Visit.if_not_exists().create(day="tuesday", at=1, note="first")
        try:
            Visit.if_not_exists().create(day="tuesday", at=1, note="second")
            raise AssertionError("the second one was applied")
        except LWTException as refused:
            equal(refused.existing["note"], "first")
        Visit.objects(day="tuesday", at=1).iff(note="first").update(note="changed")
        return equal(Visit.get(day="tuesday", at=1).note, "changed")

    def counters() -> bool:
        for _ in range(4):
            view = Views.objects.filter(page="home").first() or Views.create(page="home")
            view.count += 2
            view.save()
        return equal(Views.get(page="home").count, 8)

    def lifetimes() -> bool:
        Visit.ttl(5000).create(day="short", at=1, note="dies")
        row = session.execute(f"SELECT ttl(note) AS l FROM {KEYSPACE}.visit WHERE day = 'short'").one()
        left = row["l"] if isinstance(row, dict) else row.l
        return 4_900 < left <= 5_000

    for name, body in (
        ("sync_table", tables),
        ("models", models),
        ("batches", batches),
        ("conditions", conditions),
        ("counters", counters),
        ("times to live", lifetimes),
    ):
        report.check(f"{label}: cqlengine {name}", body)
