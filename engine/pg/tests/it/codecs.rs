//! Each codec against Postgres's own `to_json`, over random and extreme values.

use std::collections::HashMap;

use serde_json::value::RawValue;
use sql::shape::{Cardinality, Codec, FieldShape, ObjectShape, ValueShape};

use crate::world::{World, object, statement};

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn digits(&mut self, most: u64) -> String {
        let count = 1 + self.below(most);
        (0..count)
            .map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap()))
            .collect()
    }
}

const COUNT: usize = 1500;

/// `{"…","…"}`, or `NULL` for `None`.
fn array_literal(values: &[Option<String>]) -> String {
    let element = |value: &Option<String>| match value {
        Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        None => "NULL".to_owned(),
    };
    format!("{{{}}}", values.iter().map(element).collect::<Vec<_>>().join(","))
}

async fn check(world: &World, type_: &str, codec: Codec, mut values: Vec<String>) {
    values.sort();
    values.dedup();
    let values: Vec<Option<String>> = values.into_iter().map(Some).chain([None]).collect();
    let shape = || object(&[("ours", codec.clone()), ("theirs", Codec::Text)]);
    let literal = array_literal(&values);
    let one = statement(
        &format!("select v, to_json(v)::text from unnest($1::text::{type_}[]) as v"),
        1,
        shape(),
    );
    compare(type_, &world.read(&one, &[Some(literal.clone())]).await.unwrap());
    // The same as arrays of one and of two dimensions, and within records.
    let arrays = statement(
        &format!(
            "select v, to_json(v)::text from (select array[e, null, e] as v from unnest($1::text::{type_}[]) as e) t \
             union all select array[array[null, e], array[e, e]], to_json(array[array[null, e], array[e, e]])::text \
             from unnest($1::text::{type_}[]) as e union all select '{{}}', '[]'"
        ),
        1,
        object(&[
            ("ours", Codec::Array(Box::new(codec.clone()))),
            ("theirs", Codec::Text),
        ]),
    );
    compare(
        type_,
        &world.read(&arrays, &[Some(literal.clone())]).await.unwrap(),
    );
    let records = statement(
        &format!("select array(select row(v, to_json(v)::text) from unnest($1::text::{type_}[]) as v)"),
        1,
        ValueShape::List {
            index: 0,
            item: Box::new(shape()),
        },
    );
    let mut records = records;
    records.shape.cardinality = Cardinality::OneOrNull;
    compare(type_, &world.read(&records, &[Some(literal)]).await.unwrap());
}

/// Every object's `ours` is the text in `theirs`.
fn compare(type_: &str, json: &str) {
    let rows: Vec<HashMap<String, Box<RawValue>>> =
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{type_}: {error} in {json:.300}"));
    assert!(!rows.is_empty());
    for row in rows {
        let theirs: Option<String> = serde_json::from_str(row["theirs"].get()).unwrap();
        assert_eq!(row["ours"].get(), theirs.as_deref().unwrap_or("null"), "{type_}");
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[tokio::test]
async fn integers_and_booleans() {
    let world = World::new("pg_codec_integers");
    let mut random = Random(1);
    let integers = |random: &mut Random, bits: u32| -> Vec<String> {
        let mut all: Vec<i64> = vec![0, 1, -1, i64::MAX >> (64 - bits), i64::MIN >> (64 - bits)];
        all.extend((0..COUNT).map(|_| (random.next() as i64) >> (64 - bits)));
        all.iter().map(i64::to_string).collect()
    };
    check(&world, "int2", Codec::Int2, integers(&mut random, 16)).await;
    check(&world, "int4", Codec::Int4, integers(&mut random, 32)).await;
    check(&world, "int8", Codec::Int8, integers(&mut random, 64)).await;
    check(&world, "oid", Codec::Oid, texts(&["0", "1", "4294967295"])).await;
    check(&world, "bool", Codec::Bool, texts(&["t", "f"])).await;
}

#[tokio::test]
async fn floats() {
    let world = World::new("pg_codec_floats");
    let mut random = Random(2);
    let mut doubles = texts(&[
        "NaN",
        "Infinity",
        "-Infinity",
        "0",
        "-0",
        "5e-324",
        "1.7976931348623157e308",
        "1e15",
        "1e14",
    ]);
    let mut singles = texts(&[
        "NaN",
        "Infinity",
        "-Infinity",
        "0",
        "-0",
        "1e-45",
        "3.4028235e38",
        "1e6",
        "1e5",
    ]);
    let mut double = |value: f64| {
        if value.is_finite() {
            doubles.push(format!("{value:e}"));
        }
    };
    let mut single = |value: f32| {
        if value.is_finite() {
            singles.push(format!("{value:e}"));
        }
    };
    for _ in 0..COUNT {
        double(f64::from_bits(random.next()));
        // Whole numbers around the point where not every one is a double, and short decimals.
        let shift = random.below(12);
        double(((1_u64 << 53) + random.below(1 << 50)) as f64 * (1_u64 << shift) as f64);
        double((random.below(1_000_000) as f64) / 1000.0);
        double(2_f64.powi(i32::try_from(random.below(2000)).unwrap() - 1000));
        single(f32::from_bits(random.next() as u32));
        single(((1_u64 << 24) + random.below(1 << 22)) as f32 * (1_u64 << random.below(12)) as f32);
        single((random.below(100_000) as f32) / 100.0);
        single(2_f32.powi(i32::try_from(random.below(250)).unwrap() - 125));
    }
    check(&world, "float8", Codec::Float8, doubles).await;
    check(&world, "float4", Codec::Float4, singles).await;
}

#[tokio::test]
async fn numerics() {
    let world = World::new("pg_codec_numerics");
    let mut random = Random(3);
    let mut values = texts(&[
        "0",
        "0.0",
        "0.00000",
        "-0.0001",
        "1e30",
        "1e-30",
        "10000",
        "9999.9999",
        "0.00001234",
        "100000000.00000001",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e300",
        "1e-300",
    ]);
    for _ in 0..COUNT {
        let sign = if random.below(2) == 0 { "-" } else { "" };
        let (whole, fraction) = (random.digits(20), random.digits(25));
        values.push(match random.below(4) {
            0 => format!("{sign}{whole}"),
            1 => format!(
                "{sign}0.{}{fraction}",
                "0".repeat(usize::try_from(random.below(20)).unwrap())
            ),
            2 => format!("{sign}{whole}.{fraction}"),
            _ => format!(
                "{sign}{whole}{}",
                "0".repeat(usize::try_from(random.below(20)).unwrap())
            ),
        });
    }
    check(&world, "numeric", Codec::Numeric, values).await;
}

#[tokio::test]
async fn texts_and_bytes() {
    let world = World::new("pg_codec_texts");
    world
        .sql("create type mood as enum ('sad', 'a \"b\" \\ c', 'ü')")
        .await;
    world.sql("create domain short as varchar(20)").await;
    let mut random = Random(4);
    let mut values: Vec<String> = (1..128_u8).map(|byte| char::from(byte).to_string()).collect();
    for _ in 0..COUNT {
        let length = random.below(60);
        let character = |random: &mut Random| match random.below(4) {
            0 => char::from_u32(1 + u32::try_from(random.below(0x30)).unwrap()),
            1 => char::from_u32(u32::try_from(random.below(0x11_0000)).unwrap()).filter(|c| *c != '\0'),
            _ => char::from_u32(0x20 + u32::try_from(random.below(0x60)).unwrap()),
        };
        values.push((0..length).filter_map(|_| character(&mut random)).collect());
    }
    check(&world, "text", Codec::Text, values.clone()).await;
    check(&world, "varchar", Codec::Text, values.clone()).await;
    check(&world, "bpchar", Codec::Text, values).await;
    check(&world, "name", Codec::Text, texts(&["a", "b c", "d\"e"])).await;
    check(&world, "mood", Codec::Text, texts(&["sad", "a \"b\" \\ c", "ü"])).await;
    check(&world, "short", Codec::Text, texts(&["", "x", "y\nz"])).await;
    let bytes = (0..COUNT).map(|_| format!("\\x{:x}{:02x}", random.next() | 1 << 63, random.below(256)));
    check(
        &world,
        "bytea",
        Codec::Bytea,
        bytes.chain(["\\x".to_owned()]).collect(),
    )
    .await;
    let uuids = (0..COUNT).map(|_| {
        let text = format!("{:016x}{:016x}", random.next(), random.next());
        format!(
            "{}-{}-{}-{}-{}",
            &text[..8],
            &text[8..12],
            &text[12..16],
            &text[16..20],
            &text[20..]
        )
    });
    check(&world, "uuid", Codec::Uuid, uuids.collect()).await;
    let documents = [
        "{\"b\": [1,  2.50, {\"a\": null}], \"a\": \"x\\n\"}",
        "null",
        "\"s\"",
        "1e5",
        "[]",
        "{}",
        "[1 ]",
    ];
    check(&world, "json", Codec::Json, texts(&documents)).await;
    check(&world, "jsonb", Codec::Jsonb, texts(&documents)).await;
}

#[tokio::test]
async fn dates_and_times() {
    let world = World::new("pg_codec_dates");
    let mut random = Random(5);
    let pick = |random: &mut Random, from: i64, to: i64| {
        from + i64::try_from(random.below(u64::try_from(to - from).unwrap())).unwrap()
    };
    let mut dates = texts(&[
        "infinity",
        "-infinity",
        "4713-11-24 BC",
        "0001-12-31 BC",
        "0001-01-01",
        "5874897-12-31",
        "2000-02-29",
        "9999-12-31",
        "10000-01-01",
    ]);
    let mut timestamps = texts(&[
        "infinity",
        "-infinity",
        "4713-11-24 00:00:00 BC",
        "294276-12-31 23:59:59.999999",
        "1999-12-31 23:59:59.9",
        "0001-12-31 23:59:59.000001 BC",
    ]);
    let mut times = texts(&[
        "00:00:00",
        "24:00:00",
        "23:59:59.999999",
        "12:30:00.5",
        "01:02:03.00001",
    ]);
    let mut zoned = texts(&[
        "00:00:00+00",
        "24:00:00-15:59:59",
        "12:00:00+05:30",
        "12:00:00.25-08",
        "01:00:00+01:02:03",
    ]);
    for _ in 0..COUNT {
        let (month, day) = (pick(&mut random, 1, 13), pick(&mut random, 1, 29));
        let year = match random.below(3) {
            0 => pick(&mut random, 1, 4700),
            1 => pick(&mut random, 1900, 2100),
            _ => pick(&mut random, 1, 290_000),
        };
        let era = if year < 4700 && random.below(3) == 0 {
            " BC"
        } else {
            ""
        };
        let micros = random.below(1_000_000) / 10_u64.pow(u32::try_from(random.below(6)).unwrap());
        let clock = format!(
            "{:02}:{:02}:{:02}.{micros}",
            random.below(24),
            random.below(60),
            random.below(60)
        );
        dates.push(format!("{year:04}-{month:02}-{day:02}{era}"));
        timestamps.push(format!("{year:04}-{month:02}-{day:02} {clock}{era}"));
        zoned.push(format!(
            "{clock}{}{:02}:{:02}",
            if random.below(2) == 0 { '+' } else { '-' },
            random.below(15),
            random.below(60)
        ));
        times.push(clock);
    }
    check(&world, "date", Codec::Date, dates).await;
    check(&world, "timestamp", Codec::Timestamp, timestamps.clone()).await;
    check(&world, "timestamptz", Codec::TimestampTz, timestamps).await;
    check(&world, "time", Codec::Time, times).await;
    check(&world, "timetz", Codec::TimeTz, zoned).await;
}

#[tokio::test]
async fn nested_records_and_missing_objects() {
    let world = World::new("pg_codec_records");
    let object = |presence, fields: Vec<(&str, ValueShape)>| {
        let field = |(key, value): (&str, ValueShape)| FieldShape {
            key: format!("\"{key}\":").into_bytes().into(),
            value,
        };
        ValueShape::Object(ObjectShape {
            presence,
            fields: fields.into_iter().map(field).collect(),
        })
    };
    let column = |index, codec| ValueShape::Column { index, codec };
    let item = object(
        None,
        vec![
            ("n", column(0, Codec::Int4)),
            ("type", ValueShape::Constant(b"\"row\"".as_slice().into())),
            (
                "inner",
                ValueShape::List {
                    index: 1,
                    item: Box::new(object(None, vec![("t", column(0, Codec::Text))])),
                },
            ),
        ],
    );
    let row = object(
        None,
        vec![
            (
                "items",
                ValueShape::List {
                    index: 0,
                    item: Box::new(item),
                },
            ),
            (
                "none",
                ValueShape::List {
                    index: 1,
                    item: Box::new(column(0, Codec::Int4)),
                },
            ),
            ("here", object(Some(2), vec![("x", column(3, Codec::Int4))])),
            ("gone", object(Some(4), vec![("x", column(3, Codec::Int4))])),
            (
                "one",
                ValueShape::Record {
                    index: 5,
                    value: Box::new(object(None, vec![("a", column(0, Codec::Bool))])),
                },
            ),
            (
                "two",
                ValueShape::Record {
                    index: 6,
                    value: Box::new(column(0, Codec::Bool)),
                },
            ),
            ("empty", object(None, vec![])),
        ],
    );
    let text = "select array(select row(n, array(select row('t' || m) from generate_series(1, n) m)) \
                from generate_series(0, 2) n), null::record[], true, 7, null::bool, row(true), null::record";
    let json = world.read(&statement(text, 0, row), &[]).await.unwrap();
    assert_eq!(
        json,
        "[{\"items\":[{\"n\":0,\"type\":\"row\",\"inner\":[]},{\"n\":1,\"type\":\"row\",\"inner\":[{\"t\":\"t1\"}]},\
         {\"n\":2,\"type\":\"row\",\"inner\":[{\"t\":\"t1\"},{\"t\":\"t2\"}]}],\"none\":[],\"here\":{\"x\":7},\
         \"gone\":null,\"one\":{\"a\":true},\"two\":null,\"empty\":{}}]"
    );
}
