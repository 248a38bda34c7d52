//! Folders and files that only their owner can open, whatever the process's umask says.
//!
//! Modes are a Unix matter. On Windows the folders lie in the user's profile, whose access list already keeps others out,
//! and nothing is set here.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder and what is missing above it, each 0700. One that is there is left as it is.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // The umask takes bits away from the mode above; one that takes the owner's own would leave us outside.
        Ok(()) => set_mode(path, 0o700),
        // Another process was quicker: as good, if it made a folder.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens a file for reading and writing, made empty with mode 0600 if it is not there, narrowed to 0600 if it is.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    narrow(path)?;
    Ok(file)
}

/// Takes everyone but the owner out of a file's mode; one that is not there needs nothing.
pub(crate) fn narrow(path: &Path) -> io::Result<()> {
    match set_mode(path, 0o600) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let now = std::fs::metadata(path)?.permissions().mode() & 0o7777;
    if now == mode { Ok(()) } else { std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)) }
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}
