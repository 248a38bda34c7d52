//! `keytender completions` and `man`: both made from the arguments, so that they cannot say anything else.

use crate::args::Cli;
use crate::exit::Exit;
use crate::parts::fault;
use crate::session::Session;
use clap::CommandFactory;
use keytender_api::Error;
use std::path::Path;

pub(super) fn completions(shell: clap_complete::Shell, session: &Session) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keytender", &mut script);
    session.out.write(&[&script]);
    Ok(Exit::Fine)
}

pub(super) fn pages(folder: &Path) -> Result<Exit, Error> {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| fault(format!("{}: {error}", folder.display())))?;
    Ok(Exit::Fine)
}
