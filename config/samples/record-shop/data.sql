-- Made up, and the same every time.

insert into genre (id, name)
select n, name
from unnest(array['Ambient', 'Blues', 'Chamber', 'Dub', 'Folk', 'Funk', 'Jazz', 'Rock']) with ordinality as g (name, n);

insert into artist (id, name, country, founded)
select n, name, (array['Denmark', 'Ghana', 'Japan', 'Mexico', 'Portugal', 'Scotland'])[1 + n % 6], 1958 + (n * 37 % 61)
from unnest(array[
  'The Copper Lanterns', 'Mira Okonjo Trio', 'Salt & Static', 'Harbour Choir', 'Nine Dry Rivers', 'Ode Fabrik',
  'Lumen Park', 'The Late Ferries', 'Ines Carvalho', 'Paper Observatory', 'Sundial Republic', 'Low Tide Assembly'
]) with ordinality as a (name, n);

insert into album (id, artist_id, title, released, price)
select n, artist.id,
  (array['Harbour', 'Copper', 'Winter', 'Glass', 'Quiet', 'Northern', 'Electric', 'Paper', 'Second'])[1 + n * 5 % 9] || ' ' ||
  (array['Songs', 'Light', 'Machines', 'Letters', 'Weather', 'Rooms', 'Distance'])[1 + n * 3 % 7],
  make_date(artist.founded + 1 + n * 5 % 7, 1 + n * 5 % 12, 1 + n * 11 % 28), 7.50 + (n * 13 % 29) * 0.75
from generate_series(1, 36) as n
join artist on artist.id = 1 + (n - 1) % 12;

insert into track (id, album_id, genre_id, position, title, seconds)
select (album - 1) * 9 + position, album, 1 + (album * 5 + position / 4) % 8, position,
  (array['Blue', 'Slow', 'Borrowed', 'Hollow', 'Silver', 'Hidden', 'Open', 'Last', 'Burning', 'Distant', 'Broken'])
    [1 + (album * 9 + position) * 7 % 11] || ' ' ||
  (array['Window', 'Season', 'Engine', 'Bridge', 'Signal', 'Garden', 'Morning', 'Compass', 'River', 'Staircase'])
    [1 + (album * 4 + position) * 3 % 10],
  95 + (album * 173 + position * 59) % 310
from generate_series(1, 36) as album, generate_series(1, 9) as position;

insert into customer (id, name, email, city, joined_at)
select n, first || ' ' || last, lower(first) || n || '@example.com',
  (array['Aarhus', 'Accra', 'Braga', 'Dundee', 'Oaxaca', 'Sapporo'])[1 + n % 6],
  timestamptz '2021-01-04 09:00:00Z' + n * interval '17 days 3 hours'
from generate_series(1, 40) as n,
  lateral (select (array['Ana', 'Ben', 'Chi', 'Dag', 'Eve', 'Fio', 'Gus', 'Hoa'])[1 + n % 8] as first,
    (array['Lind', 'Mensah', 'Sato', 'Ruiz', 'Costa'])[1 + n % 5] as last) as names;

insert into purchase (id, customer_id, purchased_at, note)
select n, 1 + n * 7 % 40, timestamptz '2023-02-01 10:30:00Z' + n * interval '3 days 5 hours',
  case when n % 9 = 0 then 'gift' end
from generate_series(1, 240) as n;

insert into purchase_line (purchase_id, album_id, quantity, price)
select purchase, album.id, 1 + (purchase + line) % 2, album.price
from generate_series(1, 240) as purchase, generate_series(0, 2) as line
join album on true
where line <= purchase % 3 and album.id = 1 + (purchase * 5 + line * 11) % 36;

insert into review (id, album_id, customer_id, stars, body, written_at)
select n, 1 + n * 11 % 36, 1 + n * 17 % 40, 1 + n * 7 % 5,
  (array['Grows with every turn.', 'The second side is the better one.', null, 'A gift that stayed.', 'Fine for trains.'])[1 + n % 5],
  timestamptz '2023-06-01 18:00:00Z' + n * interval '2 days'
from generate_series(1, 90) as n
on conflict do nothing;

-- Generated keys go on after the ones above.
select setval(pg_get_serial_sequence(name, 'id'), 1000)
from unnest(array['artist', 'genre', 'album', 'track', 'customer', 'purchase', 'review']) as name;

analyze;
