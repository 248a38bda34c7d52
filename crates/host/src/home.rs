//! The folder in which everything of an installation lies, and the names in it.
//!
//! Nothing here reads or writes what the files hold; each has its own module. The folder is `KEYTENDER_HOME` or the
//! platform's place for a user's data, such as `~/.local/share/keytender`.

use crate::private;
use etcetera::BaseStrategy;
use std::ffi::OsStr;
use std::io;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The file that holds the installation's id.
const INSTALLATION: &str = "installation";

/// The variable that names another home.
pub const HOME_VARIABLE: &str = "KEYTENDER_HOME";

/// The folders in a home, each made 0700 when it is opened.
const FOLDERS: [&str; 7] = ["escrow", "undo", "locks", "logs", "services", "practice", "backups"];

/// Where everything of an installation lies. The folders exist once it is open; the files may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// Why a folder cannot be Keytender's home. Nothing was written into it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// The system does not say where a user's data belongs.
    #[error("this system names no folder for your data; set {HOME_VARIABLE} to one of your own")]
    Nowhere,
    /// It is a symbolic link that another user controls, and may point elsewhere tomorrow.
    #[error("{path} is a symbolic link that belongs to another user (id {owner}); set {HOME_VARIABLE} to a folder of your own")]
    ForeignLink {
        /// The link.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
    },
    /// The folder belongs to another user.
    #[error(
        "{path} belongs to another user (id {owner}); run Keytender as that user, or set {HOME_VARIABLE} to a folder of your own"
    )]
    ForeignFolder {
        /// The folder.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
    },
    /// Every user of this computer could replace what lies in it.
    #[error("every user of this computer can write to {path}; run `chmod 700` on it, or set {HOME_VARIABLE} to another folder")]
    WorldWritable {
        /// The folder.
        path: PathBuf,
    },
    /// Something that is no folder lies there.
    #[error("{path} is not a folder; move it away, or set {HOME_VARIABLE} to another folder")]
    NotAFolder {
        /// What lies there.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{path} cannot be used: {detail}")]
    Failed {
        /// The folder.
        path: PathBuf,
        /// In the system's words.
        detail: String,
    },
}

impl Home {
    /// Opens the home at `path`, else at `KEYTENDER_HOME`, else at the platform's place, and makes the folders that are
    /// missing, each 0700. A home that was there keeps its own mode.
    ///
    /// # Errors
    /// See [`HomeError`].
    pub fn open(path: Option<PathBuf>) -> Result<Self, HomeError> {
        let asked = path.or_else(|| std::env::var_os(HOME_VARIABLE).filter(|text| !text.is_empty()).map(PathBuf::from));
        let chosen = asked.or_else(derive_default_path).ok_or(HomeError::Nowhere)?;
        // Absolute, because the folder that the process is in may change while it runs.
        let root = std::path::absolute(&chosen).map_err(|error| failed(&chosen, &error))?;
        look_at(&root)?;
        private::make_folder(&root).map_err(|error| failed(&root, &error))?;
        // Again, now that it is there for certain: someone may have been quicker.
        look_at(&root)?;
        for name in FOLDERS {
            let folder = root.join(name);
            private::make_folder(&folder).map_err(|error| failed(&folder, &error))?;
        }
        Ok(Self { root })
    }

    /// The folder itself, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What a person edits.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// Everything but values.
    #[must_use]
    pub fn ledger_file(&self) -> PathBuf {
        self.root.join("ledger.sqlite")
    }

    /// This installation's random id, made and kept when first asked for. It lies beside the ledger and not only in it: with
    /// it the keychain's items are found again when the ledger is lost. Random (version 4), because it stands in the
    /// keychain in the clear and is to tell no date.
    ///
    /// # Errors
    /// [`HomeError::Failed`] when the file cannot be read or written, or holds something else.
    pub fn installation(&self) -> Result<Uuid, HomeError> {
        let path = self.root.join(INSTALLATION);
        let read = || -> std::io::Result<Uuid> {
            let mut file = private::open_file(&path)?;
            // Two first starts at once agree on one id.
            file.lock()?;
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            if !text.trim().is_empty() {
                return text.trim().parse().map_err(std::io::Error::other);
            }
            let fresh = Uuid::new_v4();
            file.write_all(format!("{fresh}\n").as_bytes())?;
            file.sync_all()?;
            Ok(fresh)
        };
        read().map_err(|error| failed(&path, &error))
    }

    /// Keeps the id that the ledger has, where the file was lost or is of another ledger.
    ///
    /// # Errors
    /// [`HomeError::Failed`] when the file cannot be written.
    pub fn keep_installation(&self, id: Uuid) -> Result<(), HomeError> {
        let path = self.root.join(INSTALLATION);
        let write = || -> std::io::Result<()> {
            let mut file = private::open_file(&path)?;
            file.lock()?;
            file.set_len(0)?;
            file.write_all(format!("{id}\n").as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| failed(&path, &error))
    }

    /// Values, where there is no keychain or they are too long for it.
    #[must_use]
    pub fn sealed_vault_file(&self) -> PathBuf {
        self.root.join("vault.sealed")
    }

    /// Slots into which replies are sealed.
    #[must_use]
    pub fn escrow_folder(&self) -> PathBuf {
        self.root.join("escrow")
    }

    /// Sealed copies of destinations, until the old key is retired.
    #[must_use]
    pub fn undo_folder(&self) -> PathBuf {
        self.root.join("undo")
    }

    /// Locks that processes hold. The ledger puts its own beside itself, which is here.
    #[must_use]
    pub fn locks_folder(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// Logs.
    #[must_use]
    pub fn logs_folder(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// A person's own manifests.
    #[must_use]
    pub fn services_folder(&self) -> PathBuf {
        self.root.join("services")
    }

    /// The practice service's state.
    #[must_use]
    pub fn practice_folder(&self) -> PathBuf {
        self.root.join("practice")
    }

    /// Copies of the ledger, one a day.
    #[must_use]
    pub fn backups_folder(&self) -> PathBuf {
        self.root.join("backups")
    }
}

/// The platform's place: `$XDG_DATA_HOME/keytender` or `~/.local/share/keytender` on Linux, in `~/Library/Application
/// Support` on macOS, in the local (not the roaming) profile on Windows: locks and SQLite's shared memory do not travel.
fn derive_default_path() -> Option<PathBuf> {
    let platform = etcetera::base_strategy::choose_native_strategy().ok()?;
    let (folder, name) = if cfg!(windows) { (platform.cache_dir(), "Keytender") } else { (platform.data_dir(), "keytender") };
    Some(folder.join(OsStr::new(name)))
}

fn failed(path: &Path, error: &io::Error) -> HomeError {
    HomeError::Failed { path: path.to_owned(), detail: error.to_string() }
}

/// Refuses a home that others control. One that is not there yet is fine.
fn look_at(root: &Path) -> Result<(), HomeError> {
    let link = match std::fs::symlink_metadata(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| failed(root, &error))?,
    };
    let folder = std::fs::metadata(root).map_err(|error| failed(root, &error))?;
    if !folder.is_dir() {
        return Err(HomeError::NotAFolder { path: root.to_owned() });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let me = rustix::process::geteuid().as_raw();
        if link.is_symlink() && link.uid() != me {
            return Err(HomeError::ForeignLink { path: root.to_owned(), owner: link.uid() });
        }
        if folder.uid() != me {
            return Err(HomeError::ForeignFolder { path: root.to_owned(), owner: folder.uid() });
        }
        if folder.mode() & 0o002 != 0 {
            return Err(HomeError::WorldWritable { path: root.to_owned() });
        }
    }
    #[cfg(not(unix))]
    let _ = link; // owners and modes are not looked at there: the profile's access list decides
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_made_with_all_its_folders() {
        let base = tempfile::tempdir().unwrap();
        let root = base.path().join("deep/home");
        let home = Home::open(Some(root.clone())).unwrap();
        assert_eq!(home, Home::open(Some(root.clone())).unwrap(), "opening it again is harmless");
        assert_eq!(home.root(), root);
        let folders = [
            home.escrow_folder(),
            home.undo_folder(),
            home.locks_folder(),
            home.logs_folder(),
            home.services_folder(),
            home.practice_folder(),
            home.backups_folder(),
        ];
        assert_eq!(folders.len(), FOLDERS.len());
        for folder in &folders {
            assert!(folder.is_dir(), "{}", folder.display());
        }
        for file in [home.config_file(), home.ledger_file(), home.sealed_vault_file()] {
            assert_eq!(file.parent(), Some(home.root()));
            assert!(!file.exists(), "{}", file.display());
        }
    }

    #[test]
    fn a_file_is_no_home() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("file");
        std::fs::write(&path, "").unwrap();
        assert_eq!(Home::open(Some(path.clone())), Err(HomeError::NotAFolder { path }));
    }

    #[cfg(unix)]
    #[test]
    fn a_home_that_anyone_can_write_to_is_refused_even_with_a_sticky_bit() {
        use std::os::unix::fs::PermissionsExt;
        let base = tempfile::tempdir().unwrap();
        for mode in [0o777, 0o1777, 0o702] {
            std::fs::set_permissions(base.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = Home::open(Some(base.path().to_owned()));
            assert_eq!(refused, Err(HomeError::WorldWritable { path: base.path().to_owned() }), "{mode:o}");
        }
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0, "nothing was written into it");
        std::fs::set_permissions(base.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Home::open(Some(base.path().to_owned())).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_of_ones_own_is_followed() {
        let base = tempfile::tempdir().unwrap();
        let (target, link) = (base.path().join("target"), base.path().join("link"));
        private::make_folder(&target).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        Home::open(Some(link)).unwrap();
        assert!(target.join("escrow").is_dir());
    }

    /// Giving a link away needs root; an unprivileged run still sees the refusal of a folder.
    #[cfg(unix)]
    #[test]
    fn what_belongs_to_someone_else_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let (target, link) = (base.path().join("target"), base.path().join("link"));
        private::make_folder(&target).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let given_away = std::os::unix::fs::lchown(&link, Some(4321), None);
        if rustix::process::geteuid().is_root() {
            given_away.unwrap();
            assert_eq!(Home::open(Some(link.clone())), Err(HomeError::ForeignLink { path: link, owner: 4321 }));
            std::os::unix::fs::chown(&target, Some(4321), None).unwrap();
            assert_eq!(Home::open(Some(target.clone())), Err(HomeError::ForeignFolder { path: target, owner: 4321 }));
        } else {
            // An unprivileged run looks at a folder that is certainly another's: the root of the file system.
            assert!(given_away.is_err());
            assert_eq!(Home::open(Some("/".into())), Err(HomeError::ForeignFolder { path: "/".into(), owner: 0 }));
        }
    }
}
