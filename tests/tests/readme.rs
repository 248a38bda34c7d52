//! What README says of the catalogue is what the catalogue holds.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use keytender_services::Catalog;
use std::collections::BTreeSet;

#[test]
fn the_table_of_services_is_the_catalogue() {
    let text = include_str!("../../README.md");
    let table = text.split("## What it knows").nth(1).unwrap().split("\n## ").next().unwrap();
    let listed: BTreeSet<(String, String)> = table
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let slug = cells.get(2)?.strip_prefix('`')?.strip_suffix('`')?;
            Some((slug.to_owned(), (*cells.get(1)?).to_owned()))
        })
        .collect();
    let catalog = Catalog::builtin().unwrap();
    let held: BTreeSet<_> = catalog.services().map(|service| (service.slug.to_string(), service.name.clone())).collect();
    assert_eq!(listed, held);
}
