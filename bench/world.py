"""The worlds the bench runs on: the one of operations.py, and generated ones of any size; with their metadata."""
import pathlib

HERE = pathlib.Path(__file__).resolve().parent

# table, column, referenced table, name of the object relationship, name of the array relationship
REFERENCES = [
    ("record", "performer_id", "performer", "performer", "records"),
    ("song", "record_id", "record", "record", "songs"),
    ("song", "genre_id", "genre", "genre", "songs"),
    ("mixtape_song", "mixtape_id", "mixtape", "mixtape", "mixtape_songs"),
    ("mixtape_song", "song_id", "song", "song", "mixtape_songs"),
    ("play", "listener_id", "listener", "listener", "plays"),
    ("play", "song_id", "song", "song", "plays"),
    ("box", "shelf_id", "shelf", "shelf", "boxes"),
    ("item", "box_id", "box", "box", "items"),
]


def load(postgres, database):
    """Creates the world of operations.py; about 20 seconds."""
    postgres.create(database)
    for name in ("schema.sql", "data.sql"):
        postgres.run(database, (HERE / "world" / name).read_text())


def document(tables, url):
    """A metadata document with one source."""
    configuration = {
        "connection_info": {
            "database_url": url,
            "isolation_level": "read-committed",
            "use_prepared_statements": True,
        }
    }
    return {"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": tables, "configuration": configuration}]}


def select(role, columns, filter):
    return {"role": role, "permission": {"columns": columns, "filter": filter}}


def metadata(url):
    """All tables for admin, both directions of each reference, and what the role `listener` may see."""
    tables = {
        name: {"table": {"schema": "public", "name": name}}
        for name in (
            "performer", "record", "genre", "song", "mixtape", "mixtape_song", "listener", "play",
            "shelf", "box", "item", "stock",
        )
    }  # fmt: skip
    for table, column, target, one, many in REFERENCES:
        tables[table].setdefault("object_relationships", []).append(
            {"name": one, "using": {"foreign_key_constraint_on": column}}
        )
        back = {"table": {"schema": "public", "name": table}, "column": column}
        tables[target].setdefault("array_relationships", []).append(
            {"name": many, "using": {"foreign_key_constraint_on": back}}
        )
    tables["song"]["select_permissions"] = [select("listener", ["id", "name", "length_ms"], {})]
    own = {"listener_id": {"_eq": "X-Hasura-Listener-Id"}}
    tables["play"]["select_permissions"] = [select("listener", ["id", "song_id", "played_at", "heard_ms"], own)]
    return document(list(tables.values()), url)


def generated_sql(count):
    """DDL of `count` tables of ten columns, each with a reference to an earlier one. In parts of 500 tables."""
    part = []
    for number in range(count):
        reference = f" references t{number // 3}" if number else ""
        part.append(
            f"create table t{number} (id integer primary key, parent_id integer{reference}, owner_id integer, a text, "
            "b text, c integer, d numeric, e timestamptz, f boolean, g jsonb);"
            f" insert into t{number} values (1, {1 if number else 'null'}, 1, 'a', 'b', 1, 1.5, now(), true, '{{}}');"
        )
        if len(part) == 500:
            yield "".join(part)
            part = []
    yield "".join(part)


def generated_metadata(url, count, roles):
    """Relationships both ways, and select permissions of `roles` roles on every table, each with its own columns."""
    columns = ["id", "parent_id", "owner_id", "a", "b", "c", "d", "e", "f", "g"]
    tables = []
    for number in range(count):
        table = {"table": {"schema": "public", "name": f"t{number}"}}
        if number:
            table["object_relationships"] = [{"name": "parent", "using": {"foreign_key_constraint_on": "parent_id"}}]
        children = [child for child in range(number * 3, number * 3 + 3) if 0 < child < count]
        table["array_relationships"] = [
            {
                "name": f"children_{child}",
                "using": {
                    "foreign_key_constraint_on": {
                        "table": {"schema": "public", "name": f"t{child}"},
                        "column": "parent_id",
                    }
                },
            }
            for child in children
        ]
        table["select_permissions"] = [
            select(
                f"role{role}",
                [column for at, column in enumerate(columns) if at == 0 or (at + role + number) % 5],
                {"owner_id": {"_eq": "X-Hasura-User-Id"}},
            )
            for role in range(roles)
        ]
        tables.append(table)
    return document(tables, url)
