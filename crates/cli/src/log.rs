//! The log in the home folder: what was done and what failed, never a value.
//!
//! Only events of Keytender's own crates are written: an HTTP library at its most talkative would write down what it sends.
//! A file is opened by the first event, so that a command without one costs nothing.

use std::path::PathBuf;
use std::sync::LazyLock;
use tracing::level_filters::LevelFilter;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// A file a day; this many are kept.
const DAYS: usize = 14;

/// How much is written: error, warn, info, debug, trace.
const LEVEL_VARIABLE: &str = "KEYTENDER_LOG";

/// Starts logging to the folder: `info` and graver unless the variable says otherwise, `debug` too with `verbose`, which also
/// says it on standard error.
pub(crate) fn start(folder: PathBuf, verbose: bool) {
    let asked: Option<LevelFilter> = std::env::var(LEVEL_VARIABLE).ok().and_then(|word| word.parse().ok());
    let level = asked.unwrap_or(LevelFilter::INFO).max(if verbose { LevelFilter::DEBUG } else { LevelFilter::OFF });
    let own = || Targets::new().with_target("keytender", level);
    let file = fmt::layer().with_ansi(false).with_writer(DailyFile::in_folder(folder)).with_filter(own());
    let stderr = verbose.then(|| fmt::layer().with_writer(std::io::stderr).with_ansi(false).without_time().with_filter(own()));
    // Fails if logging was started before, which then goes on.
    let _ = tracing_subscriber::registry().with(file).with(stderr).try_init();
}

type Appender = LazyLock<Option<RollingFileAppender>, Box<dyn FnOnce() -> Option<RollingFileAppender> + Send>>;

/// Today's file, opened when something is to be written. A folder that cannot be written to is no reason not to work.
struct DailyFile(Appender);

impl DailyFile {
    fn in_folder(folder: PathBuf) -> Self {
        Self(LazyLock::new(Box::new(move || {
            let builder = RollingFileAppender::builder().rotation(Rotation::DAILY).max_log_files(DAYS);
            builder.filename_prefix("keytender").filename_suffix("log").build(folder).ok()
        })))
    }
}

impl<'a> MakeWriter<'a> for DailyFile {
    type Writer = Box<dyn std::io::Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        match &*self.0 {
            Some(appender) => Box::new(appender.make_writer()),
            None => Box::new(std::io::sink()),
        }
    }
}
