//! Lists `catalog/*.toml` for `include_str!`, so that adding a service is adding one file.
// Cargo reads a build script's directives from its standard output.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("catalog");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = std::fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.file_name().into_string().map_err(|name| format!("{} is not UTF-8", name.display()))?;
        if !name.ends_with(".toml") {
            return Err(format!("catalog/ holds service files only, not {name}").into());
        }
        writeln!(list, "    ({name:?}, include_str!({:?})),", file.path())?;
    }
    list.push_str("]\n");
    let target = PathBuf::from(std::env::var("OUT_DIR")?).join("catalog.rs");
    std::fs::write(target, list)?;
    Ok(())
}
