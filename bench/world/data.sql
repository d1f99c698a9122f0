-- Deterministic. 280 performers, 360 records, 3,600 songs, 20 mixtapes, 20,000 listeners, 1,000,000 plays.
insert into genre
select n, name from unnest(array['Ambient', 'Ballad', 'Blues', 'Choral', 'Country', 'Disco', 'Drone', 'Dub', 'Electro',
  'Fado', 'Folk', 'Funk', 'Gospel', 'Grime', 'House', 'Jazz', 'Klezmer', 'Metal', 'Opera', 'Pop', 'Punk', 'Rock', 'Ska',
  'Soul', 'Swing']) with ordinality as g (name, n);
insert into performer
select n, 'Performer ' || n || ' ' || left(md5('p' || n), 4 + n % 9),
  (array['Brazil', 'Denmark', 'Ghana', 'India', 'Japan', 'Mexico', 'Portugal', 'Scotland'])[1 + n % 8]
from generate_series(1, 280) as n;
insert into record
select n, 1 + n * 7919 % 210, 'Record ' || n || ' ' || left(md5('r' || n), 6 + n % 15), date '1960-01-01' + n * 61
from generate_series(1, 360) as n;
insert into song
select n, 1 + n * 7919 % 360, 1 + (n / 3 * 7) % 25, 'Song ' || n || ' "' || left(md5('s' || n), 4 + n % 12) || '"',
  case when n % 7 > 0 then 'Composer ' || left(md5('c' || n % 800), 10) end,
  90000 + n * 6151 % 400000, 1000000 + n * 10473 % 9000000, case when n % 17 = 0 then 1.99 else 0.99 end
from generate_series(1, 3600) as n;
insert into mixtape select n, 'Mixtape ' || n from generate_series(1, 20) as n;
insert into mixtape_song
select mixtape, song.id from generate_series(1, 20) as mixtape join song on song.id % (mixtape + 1) = 0;
insert into listener
select n, 'listener_' || n, (array['BR', 'DK', 'GH', 'IN', 'JP', 'MX', 'PT', 'GB'])[1 + n % 8],
  timestamptz '2020-01-01Z' + n * interval '1 hour'
from generate_series(1, 20000) as n;
insert into play
select n, 1 + n * 7919 % 20000, 1 + n * 104729 % 3600, timestamptz '2023-01-01Z' + n * interval '37 seconds',
  1000 + n * 31 % 300000, (array['phone', 'desk', 'tv', 'speaker'])[1 + (n / 7) % 4],
  case when n % 3 > 0 then 1 + n % 5 end,
  jsonb_build_object('from', '10.' || n % 256 || '.' || n / 256 % 256 || '.1', 'version', n % 9, 'skipped', n % 5 = 0)
from generate_series(1::bigint, 1000000) as n;

create index on record (performer_id);
create index on song (record_id);
create index on song (genre_id);
create index on mixtape_song (song_id);
create index on play (listener_id, played_at desc);
create index on play (song_id);
vacuum (freeze, analyze);
