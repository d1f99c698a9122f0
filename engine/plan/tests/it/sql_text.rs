use crate::sql;

#[test]
fn print_all() {
    for query in [
        "{ track(where: {track_id: {_gt: 3}}, order_by: {track_id: asc}, limit: 20) { track_id name unit_price } }",
        "{ track(limit: 20, order_by: {track_id: asc}) { track_id album { title artist { name } } genre { name } } }",
        "{ artist(order_by: {artist_id: asc}, limit: 10) { artist_id albums(order_by: {album_id: asc}, limit: 5) { title tracks(limit: 10) { name } } } }",
        "{ play_event_aggregate(where: {track_id: {_eq: 1}}) { aggregate { count avg { duration_ms } max { played_at } } } }",
        "{ album(where: {tracks: {genre: {name: {_eq: \"Jazz\"}}}}, order_by: {album_id: asc}, limit: 20) { album_id title artist { name } } }",
    ] {
        println!("{}\n", sql(query));
    }
}
