"""What is measured: each operation as GraphQL, and as the best SQL known that gives the same JSON in one statement.

The SQL is a pgbench script: it is what the machine can do without any engine, the floor of the tables.
"""
import re
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Operation:
    name: str
    what: str
    query: str
    sql: str | None = None
    # Variable or header → the range its random values are drawn from; the same names stand as :name in the SQL.
    vary: dict = field(default_factory=dict)
    role: str | None = None
    # Which of `vary` are session variables, with their header.
    session: dict = field(default_factory=dict)
    # Further variables, made of the random values.
    variables: Callable[[dict], dict] | None = None
    # Which of `vary` only serve to make these.
    hidden: set = field(default_factory=set)
    # Texts that stand as :name in the SQL: parameters like the variables of a request.
    texts: dict = field(default_factory=dict)
    # Run before each measurement, so that what is written does not pile up.
    reset: str | None = None

    def given(self, values):
        """The variables of a request with these random values."""
        own = {name: value for name, value in values.items() if name not in self.session and name not in self.hidden}
        return {**own, **(self.variables(values) if self.variables else {})}


def script(operation, fixed=None):
    """The SQL as a pgbench script; with fixed values instead, as a plain statement."""
    text = operation.sql
    if fixed is None:
        return "".join(f"\\set {name} random({low}, {high})\n" for name, (low, high) in operation.vary.items()) + text
    for name, value in [*fixed.items(), *((name, f"'{text}'") for name, text in operation.texts.items())]:
        text = re.sub(rf":{name}\b", str(value), text)
    return text


def array(values):
    """The text of a Postgres array; of texts without anything to escape."""
    return "{" + ",".join(map(str, values)) + "}"


SONG = "id, record_id, genre_id, name, composer, length_ms, size_bytes, price"
PLAY = "id, listener_id, song_id, played_at, heard_ms, device, stars, context"

# Puts the tables that are written to back to what they were, files included, and lets nothing of an earlier run be
# flushed during the next one.
EMPTY = "truncate shelf, box, item restart identity; checkpoint"
STOCKED = """truncate stock;
insert into stock select n, 'label ' || n, n from generate_series(1, 100000) as n;
vacuum analyze stock;
checkpoint"""

OPERATIONS = [
    Operation("noop", "`__typename` alone: HTTP and GraphQL, no table", "{ __typename }", "select 1;"),
    Operation(
        "by_pk",
        "one row by primary key",
        "query ($id: Int!) { song_by_pk(id: $id) { id name composer length_ms price } }",
        """select json_build_object('song_by_pk', (select row_to_json(r) from (
             select id, name, composer, length_ms, price from song where id = :id ) as r));""",
        {"id": (1, 3600)},
    ),
    Operation(
        "list_20",
        "20 rows of 5 columns after a key",
        """query ($after: Int!) { song(where: {id: {_gt: $after}}, order_by: {id: asc}, limit: 20) {
             id name composer length_ms price } }""",
        """select json_build_object('song', coalesce((select json_agg(r) from (
             select id, name, composer, length_ms, price from song where id > :after order by id limit 20) as r), '[]'));""",
        {"after": (0, 3500)},
    ),
    Operation(
        "list_1000",
        "1,000 rows of 8 columns",
        f"{{ song(order_by: {{id: asc}}, limit: 1000) {{ {SONG.replace(',', '')} }} }}",
        f"""select json_build_object('song', (select json_agg(r) from (
             select {SONG} from song order by id limit 1000) as r));""",
    ),
    Operation(
        "nested_object",
        "20 rows with objects two levels deep",
        """query ($after: Int!) { song(where: {id: {_gt: $after}}, order_by: {id: asc}, limit: 20) {
             id name genre { name } record { title performer { name country } } } }""",
        """select json_build_object('song', coalesce(json_agg(json_build_object('id', s.id, 'name', s.name,
             'genre', json_build_object('name', g.name), 'record', json_build_object('title', r.title,
             'performer', json_build_object('name', p.name, 'country', p.country))) order by s.id), '[]'))
           from (select * from song where id > :after order by id limit 20) as s
           join genre as g on g.id = s.genre_id join record as r on r.id = s.record_id
           join performer as p on p.id = r.performer_id;""",
        {"after": (0, 3500)},
    ),
    Operation(
        "nested_array",
        "10 performers, 5 records each, 10 songs each",
        """query ($after: Int!) { performer(where: {id: {_gt: $after}}, order_by: {id: asc}, limit: 10) {
             name records(order_by: {id: asc}, limit: 5) { title songs(order_by: {id: asc}, limit: 10) {
               id name length_ms } } } }""",
        """select json_build_object('performer', coalesce(json_agg(json_build_object('name', p.name, 'records', r.list)
             order by p.id), '[]'))
           from (select * from performer where id > :after order by id limit 10) as p
           cross join lateral (select coalesce(json_agg(json_build_object('title', r.title, 'songs', s.list)
               order by r.id), '[]') as list
             from (select * from record where performer_id = p.id order by id limit 5) as r
             cross join lateral (select coalesce(json_agg(x), '[]') as list from (
               select id, name, length_ms from song where record_id = r.id order by id limit 10) as x) as s) as r;""",
        {"after": (0, 195)},
    ),
    Operation(
        "filter_order_limit",
        "three conditions on a million rows, newest 20",
        """query ($l: Int!) { play(where: {listener_id: {_eq: $l}, device: {_in: ["phone", "desk"]}, stars: {_gte: 2}},
             order_by: {played_at: desc}, limit: 20) { id song_id played_at heard_ms stars } }""",
        """select json_build_object('play', coalesce((select json_agg(r) from (
             select id, song_id, played_at, heard_ms, stars from play where listener_id = :l
             and device in ('phone', 'desk') and stars >= 2 order by played_at desc limit 20) as r), '[]'));""",
        {"l": (1, 20000)},
    ),
    Operation(
        "aggregate",
        "count, average and newest of the plays of a song",
        """query ($s: Int!) { play_aggregate(where: {song_id: {_eq: $s}}) {
             aggregate { count avg { heard_ms } max { played_at } } } }""",
        """select json_build_object('play_aggregate', json_build_object('aggregate', json_build_object(
             'count', count(*), 'avg', json_build_object('heard_ms', avg(heard_ms)),
             'max', json_build_object('played_at', max(played_at))))) from play where song_id = :s ;""",
        {"s": (1, 3600)},
    ),
    Operation(
        "filter_relation",
        "a condition two relationships away, first 20",
        """{ song(where: {record: {performer: {country: {_eq: "Portugal"}}}}, order_by: [{name: asc}, {id: asc}],
             limit: 20) { id name length_ms } }""",
        """select json_build_object('song', (select json_agg(r) from (
             select s.id, s.name, s.length_ms from song as s where exists (
               select from record as r join performer as p on p.id = r.performer_id
               where r.id = s.record_id and p.country = 'Portugal') order by s.name, s.id limit 20) as r));""",
    ),
    Operation(
        "deep_tree",
        "a condition three relationships away, then four levels, some 1,000 leaves",
        """{ mixtape(where: {mixtape_songs: {song: {genre: {name: {_eq: "Jazz"}}}}}, order_by: {id: asc}, limit: 12) {
             id name mixtape_songs(order_by: {song_id: asc}, limit: 90) {
               song { id name record { title performer { name } } } } } }""",
        """select json_build_object('mixtape', coalesce(json_agg(json_build_object('id', m.id, 'name', m.name,
             'mixtape_songs', l.list) order by m.id), '[]'))
           from (select * from mixtape as m where exists (select from mixtape_song as ms
               join song as s on s.id = ms.song_id join genre as g on g.id = s.genre_id
               where ms.mixtape_id = m.id and g.name = 'Jazz') order by id limit 12) as m
           cross join lateral (select coalesce(json_agg(json_build_object('song', json_build_object('id', s.id,
               'name', s.name, 'record', json_build_object('title', r.title,
               'performer', json_build_object('name', p.name)))) order by x.song_id), '[]') as list
             from (select song_id from mixtape_song where mixtape_id = m.id order by song_id limit 90) as x
             join song as s on s.id = x.song_id join record as r on r.id = s.record_id
             join performer as p on p.id = r.performer_id) as l;""",
    ),
    Operation(
        "large",
        "10,000 rows of 8 columns, one of them jsonb: some 2 MB",
        f"{{ play(order_by: {{id: asc}}, limit: 10000) {{ {PLAY.replace(',', '')} }} }}",
        f"""select json_build_object('play', (select json_agg(r) from (
             select {PLAY} from play order by id limit 10000) as r));""",
    ),
    Operation(
        "permission_list",
        "role `listener`: own plays by a session variable, newest 20 with the song's name",
        "{ play(order_by: {played_at: desc}, limit: 20) { id played_at heard_ms song { name } } }",
        """select json_build_object('play', coalesce(json_agg(json_build_object('id', p.id, 'played_at', p.played_at,
             'heard_ms', p.heard_ms, 'song', json_build_object('name', s.name)) order by p.played_at desc), '[]'))
           from (select * from play where listener_id = :l order by played_at desc limit 20) as p
           join song as s on s.id = p.song_id;""",
        {"l": (1, 20000)},
        role="listener",
        session={"l": "x-hasura-listener-id"},
    ),
    Operation(
        "insert_one",
        "one row, answered with its columns",
        "mutation ($n: String!) { insert_shelf_one(object: {name: $n}) { name } }",
        """with w as (insert into shelf (name) values ('shelf ' || :k) returning name)
           select json_build_object('insert_shelf_one', (select row_to_json(w) from w));""",
        {"k": (1, 100000)},
        variables=lambda values: {"n": f"shelf {values['k']}"},
        hidden={"k"},
        reset=EMPTY,
    ),
    Operation(
        "update_by_pk",
        "one column of one row",
        """mutation ($id: Int!, $amount: Int!) {
             update_stock_by_pk(pk_columns: {id: $id}, _set: {amount: $amount}) { id label amount } }""",
        """with w as (update stock set amount = :amount where id = :id returning id, label, amount)
           select json_build_object('update_stock_by_pk', (select row_to_json(w) from w));""",
        {"id": (1, 100000), "amount": (1, 1000)},
        reset=STOCKED,
    ),
    Operation(
        "insert_100",
        "100 rows of 2 columns in a variable",
        "mutation ($rows: [item_insert_input!]!) { insert_item(objects: $rows) { affected_rows } }",
        """with w as (insert into item (label, weight)
             select label, :w + weight from unnest(:labels::text[], :weights::int4[]) as v (label, weight) returning 1)
           select json_build_object('insert_item', json_build_object('affected_rows', count(*))) from w;""",
        {"w": (1, 1000)},
        variables=lambda values: {"rows": [{"label": f"item {n}", "weight": values["w"] + n} for n in range(100)]},
        hidden={"w"},
        texts={"labels": array(f"item {n}" for n in range(100)), "weights": array(range(100))},
        reset=EMPTY,
    ),
    Operation(
        "insert_nested",
        "a shelf with 10 boxes with 10 items each, in a variable",
        "mutation ($rows: [shelf_insert_input!]!) { insert_shelf(objects: $rows) { affected_rows } }",
        """with s as (insert into shelf (name) values ('shelf ' || :k) returning id),
           b as (insert into box (shelf_id, label) select s.id, v.label from s, unnest(:boxes::text[]) as v (label)
             returning id),
           n as (select id, row_number() over (order by id) as number from b),
           i as (insert into item (box_id, label, weight) select n.id, v.label, v.weight
             from unnest(:owners::int4[], :labels::text[], :weights::int4[]) as v (owner, label, weight)
             join n on n.number = v.owner returning 1)
           select json_build_object('insert_shelf', json_build_object('affected_rows',
             (select count(*) from s) + (select count(*) from b) + (select count(*) from i)));""",
        {"k": (1, 100000)},
        variables=lambda values: {"rows": [{"name": f"shelf {values['k']}", "boxes": {"data": [
            {"label": f"box {b}", "items": {"data": [{"label": f"item {n}", "weight": n} for n in range(10)]}}
            for b in range(10)]}}]},
        hidden={"k"},
        texts={
            "boxes": array(f"box {n}" for n in range(10)),
            "owners": array(1 + n // 10 for n in range(100)),
            "labels": array(f"item {n % 10}" for n in range(100)),
            "weights": array(n % 10 for n in range(100)),
        },
        reset=EMPTY,
    ),
    Operation(
        "upsert_1000",
        "1,000 rows of 3 columns that are there already, in a variable",
        """mutation ($rows: [stock_insert_input!]!) { insert_stock(objects: $rows,
             on_conflict: {constraint: stock_pkey, update_columns: [amount]}) { affected_rows } }""",
        """with w as (insert into stock (id, label, amount) select 1000 * :k + id, label, amount
             from unnest(:ids::int4[], :labels::text[], :amounts::int4[]) as v (id, label, amount)
           on conflict (id) do update set amount = excluded.amount returning 1)
           select json_build_object('insert_stock', json_build_object('affected_rows', count(*))) from w;""",
        {"k": (0, 99)},
        variables=lambda values: {"rows": [
            {"id": 1000 * values["k"] + n, "label": f"label {n}", "amount": n} for n in range(1, 1001)]},
        hidden={"k"},
        texts={
            "ids": array(range(1, 1001)),
            "labels": array(f"label {n}" for n in range(1, 1001)),
            "amounts": array(range(1, 1001)),
        },
        reset=STOCKED,
    ),
    Operation(
        "introspection",
        "the whole schema as the admin role sees it",
        """{ __schema { queryType { name } mutationType { name } subscriptionType { name } types { kind name description
             fields(includeDeprecated: true) { name description args { name description type { ...T } defaultValue }
               type { ...T } isDeprecated deprecationReason }
             inputFields { name description type { ...T } defaultValue } interfaces { ...T }
             enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
             possibleTypes { ...T } } directives { name description locations args { name type { ...T } } } } }
           fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }""",
    ),
]
