//! Real servers that tests rotate keys against, installed once into the target folder from committed lock files.

use crate::shell::{Fault, Step, root};
use std::fs;

/// Installs verdaccio, unless what the lock file names is there already.
pub(crate) fn install() -> Result<(), Fault> {
    let from = root().join("tests/peers/verdaccio");
    let into = root().join("target/peers/verdaccio");
    let lock = fs::read(from.join("package-lock.json")).map_err(Fault::file(&from))?;
    // Written last: an installation that was cut short has no stamp and is made again.
    let stamp = into.join(".installed-from");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    fs::create_dir_all(&into).map_err(Fault::file(&into))?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(from.join(file), into.join(file)).map_err(Fault::file(&into.join(file)))?;
    }
    // No package here needs an install script, so none may run.
    Step::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).folder(&into).run()?;
    fs::write(&stamp, lock).map_err(Fault::file(&stamp))
}
