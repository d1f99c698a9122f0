-- A world of people who listen to music. Row counts: see data.sql.
create table performer (
  id integer primary key,
  name text not null,
  country text not null
);
create table record (
  id integer primary key,
  performer_id integer not null references performer,
  title text not null,
  released date not null
);
create table genre (
  id integer primary key,
  name text not null
);
create table song (
  id integer primary key,
  record_id integer not null references record,
  genre_id integer not null references genre,
  name text not null,
  composer text,
  length_ms integer not null,
  size_bytes integer not null,
  price numeric(6, 2) not null
);
create table mixtape (
  id integer primary key,
  name text not null
);
create table mixtape_song (
  mixtape_id integer not null references mixtape,
  song_id integer not null references song,
  primary key (mixtape_id, song_id)
);
create table listener (
  id integer primary key,
  handle text not null unique,
  country text not null,
  joined_at timestamptz not null
);
-- What mutations write to.
create table shelf (
  id serial primary key,
  name text not null
);
create table box (
  id serial primary key,
  shelf_id integer not null references shelf,
  label text not null
);
create table item (
  id serial primary key,
  box_id integer references box,
  label text not null,
  weight integer not null
);
create table stock (
  id integer primary key,
  label text not null,
  amount integer not null
);
insert into stock select n, 'label ' || n, n from generate_series(1, 100000) as n;
create table play (
  id bigint primary key,
  listener_id integer not null references listener,
  song_id integer not null references song,
  played_at timestamptz not null,
  heard_ms integer not null,
  device text not null,
  stars smallint,
  context jsonb not null
);
