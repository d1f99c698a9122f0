//! Every rule over this checkout.

use tidy::file::{self, File};
use tidy::{Problem, attribute, dependency, length, link, lock, name, sleep, sql_text, word};

#[track_caller]
#[expect(
    clippy::expect_used,
    reason = "a test whose checkout cannot be read has failed"
)]
fn hold(rule: impl FnOnce(&[File]) -> Vec<Problem>) {
    let files = file::all(&file::root()).expect("the checkout can be read");
    assert!(
        files.len() > 20,
        "this is not the repository: {} files",
        files.len()
    );
    let problems: Vec<_> = rule(&files).iter().map(ToString::to_string).collect();
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[test]
fn crates_name_only_lower_floors() {
    hold(dependency::check);
}

#[test]
fn pg_names_only_the_catalog() {
    hold(dependency::pg_names_only_the_catalog);
}

#[test]
fn files_are_short() {
    hold(|files| length::check(files, length::REASONS));
}

#[test]
fn files_are_named_after_what_is_in_them() {
    hold(name::check);
}

#[test]
fn nothing_is_left_unfinished() {
    hold(word::check);
}

#[test]
fn tests_wait_for_conditions() {
    hold(sleep::check);
}

#[test]
fn lints_are_not_switched_off_silently() {
    hold(attribute::check);
}

#[test]
fn sql_is_not_pieced_together() {
    hold(sql_text::check);
}

#[test]
fn links_lead_somewhere() {
    hold(link::check);
}

#[test]
fn the_architecture_names_every_crate() {
    hold(link::architecture_names_every_crate);
}

#[test]
fn packages_come_from_the_registry() {
    hold(lock::check);
}
