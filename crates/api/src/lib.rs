//! Use cases and the rotation driver, over the ports of `keytender-core`. No Tauri, SQL, HTTP client or wall clock here.
