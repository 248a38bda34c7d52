//! The state file: what outlives a process, what several processes may do at once, and what damage leads to.

use crate::client::{Service, send};
use keytender_practice::{Call, Fault, FaultKind, IssueRequest, KeyKind, Practice, PracticeError, Server};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// Names the folder for a second process of this very test.
const FOLDER: &str = "KEYTENDER_PRACTICE_TEST_FOLDER";
const KEYS_EACH: usize = 25;

fn overlaps() -> IssueRequest {
    IssueRequest::new("api-api-overlaps".parse::<KeyKind>().unwrap())
}

#[test]
fn keys_faults_and_counts_outlive_the_process_that_made_them() {
    let folder = TempDir::new().unwrap();
    let first = Practice::open(folder.path()).unwrap();
    let key = first.issue(&overlaps()).unwrap();
    let fault = Fault::forever(Call::List, FaultKind::Html);
    first.set_fault(fault.clone()).unwrap();
    drop(first);
    let again = Practice::open(folder.path()).unwrap();
    assert!(again.accepts(&key.token).unwrap());
    assert_eq!(again.list().unwrap()[0].id, key.id);
    assert_eq!(again.faults().unwrap(), [fault]);
    assert_eq!(again.make_log().unwrap().portal, 1);
}

#[test]
fn a_service_comes_back_on_the_same_port() {
    let folder = TempDir::new().unwrap();
    let practice = Practice::open(folder.path()).unwrap();
    let key = practice.issue(&overlaps()).unwrap();
    let running = Server::spawn(practice.clone(), 0).unwrap();
    let address = running.address();
    assert_eq!(running.url(), format!("http://127.0.0.1:{}", address.port()));
    assert!(matches!(Server::bind(practice.clone(), address.port()), Err(PracticeError::Listen { .. })));
    drop(running);
    let again = Server::spawn(practice, address.port()).unwrap();
    let token = format!("Bearer {}", key.token);
    let whoami = send(again.address(), "GET", "/api/v1/whoami", &[("Authorization", &token)], "").unwrap();
    assert_eq!(whoami.status, 200);
}

#[test]
fn a_running_service_sees_what_others_do_to_its_folder() {
    let service = Service::start();
    let key = service.issue("api-api-overlaps");
    let other = service.open_again();
    other.set_fault(Fault::once(Call::Verify, FaultKind::Status { code: 500, retry_after: None })).unwrap();
    assert_eq!(service.whoami(&key.token).status, 500);
    other.revoke(&key.id).unwrap();
    assert_eq!(service.whoami(&key.token).status, 401);
}

/// Runs itself a second and a third time as processes that issue keys, while two threads here do the same.
#[test]
fn processes_and_threads_that_issue_at_once_lose_no_key() {
    let issue_all = |folder: &std::path::Path| {
        let practice = Practice::open(folder).unwrap();
        for _ in 0..KEYS_EACH {
            practice.issue(&overlaps()).unwrap();
        }
    };
    if let Some(folder) = std::env::var_os(FOLDER) {
        return issue_all(folder.as_ref());
    }
    let folder = TempDir::new().unwrap();
    let process = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "sharing::processes_and_threads_that_issue_at_once_lose_no_key"]).env(FOLDER, folder.path());
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let mut processes = [process(), process()];
    std::thread::scope(|scope| {
        scope.spawn(|| issue_all(folder.path()));
        scope.spawn(|| issue_all(folder.path()));
    });
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    let practice = Practice::open(folder.path()).unwrap();
    assert_eq!(practice.list().unwrap().len(), 4 * KEYS_EACH);
    assert_eq!(practice.make_log().unwrap().portal, 4 * KEYS_EACH as u64);
}

#[test]
fn no_file_holds_a_token_and_only_the_owner_reads_them() {
    let service = Service::start();
    let first = service.issue("api-api-overlaps");
    let second = service.create(&first.token).text("token");
    let mut files = 0;
    for entry in fs::read_dir(service.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&first.token) && !text.contains(&second), "{}", path.display());
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 2, "the state and the lock");
    #[cfg(unix)]
    {
        let made = service.folder.path().join("deeper/still");
        Practice::open(&made).unwrap();
        assert_eq!(mode(&made), 0o700);
    }
}

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

#[test]
fn damage_is_told_with_the_way_out_and_never_reset() {
    let service = Service::start();
    let key = service.issue("api-api-overlaps");
    let path = service.folder.path().join("practice.json");
    let whole = fs::read_to_string(&path).unwrap();
    let damaged =
        ["", "not JSON", "[]", &whole[..whole.len() / 2], &whole.replace("\"kind\"", "\"sort\""), &whole.replace("api-api", "x")];
    for text in damaged {
        fs::write(&path, text).unwrap();
        let error = Practice::open(service.folder.path()).unwrap_err();
        assert!(matches!(error, PracticeError::Damaged { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.contains(path.to_str().unwrap()) && told.contains("move that file away or delete it"), "{told}");
        let reply = service.whoami(&key.token);
        assert_eq!((reply.status, reply.text("error")), (500, told));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, whole.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let newer = Practice::open(service.folder.path()).unwrap_err();
    assert!(matches!(newer, PracticeError::Newer { format: 2, .. }), "{newer:?}");
    fs::remove_file(&path).unwrap();
    assert!(Practice::open(service.folder.path()).unwrap().list().unwrap().is_empty(), "the way out works");
}
