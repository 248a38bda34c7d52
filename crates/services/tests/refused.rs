//! What a service file is refused for, and that the error points at the place: one sound file, one change for each fault.

// The check is a function beside the tests, where clippy's leave for tests does not reach.
#![allow(clippy::unwrap_used, clippy::panic)]

use keytender_services::Service;

const DEMO: &str = include_str!("data/demo.toml");

/// Makes one change; the error must point at the line and column where `anchor` stands afterwards, and give the reason.
#[track_caller]
fn refused(from: &str, to: &str, anchor: &str, reason: &str) {
    assert_eq!(DEMO.matches(from).count(), 1, "`{from}` must stand once in the file");
    let changed = DEMO.replace(from, to);
    let lines = || changed.lines().enumerate().filter_map(|(line, text)| Some((line, text.find(anchor)?)));
    assert_eq!(lines().count(), 1, "`{anchor}` must stand on one line");
    let place = lines().map(|(line, column)| format!("{}:{}", line + 1, column + 1)).next().unwrap();
    let error = match Service::parse("demo.toml", &changed) {
        Ok(_) => panic!("`{to}` was accepted"),
        Err(error) => error,
    };
    let text = error.to_string();
    assert!(text.starts_with(&format!("demo.toml:{place}: ")), "expected {place} in: {text}");
    assert!(text.contains(reason), "expected `{reason}` in: {text}");
    assert!(text.contains("\n  help: "), "{text}");
}

#[test]
fn the_file_itself_is_sound() {
    let service = Service::parse("demo.toml", DEMO).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(service.hash.len(), 64);
    assert_eq!(service.settings[0].name, "base_url", "settings keep the order of the file");
}

#[test]
fn what_is_not_toml() {
    let error = Service::parse("demo.toml", "slug = \"demo\"\nname = oops\n").unwrap_err();
    assert_eq!((error.line, error.column), (2, 8));
    let error = Service::parse("demo.toml", "slug = \"d\u{e9}mo\" oops").unwrap_err();
    assert_eq!((error.line, error.column), (1, 15), "columns count characters");
}

#[test]
fn an_unknown_field_at_any_depth() {
    refused("name = \"Demo\"", "name = \"Demo\"\nnmae = 1", "nmae", "unknown field `nmae`");
    refused("label = \"Site\"", "label = \"Site\"\nhidden = true", "hidden", "unknown field `hidden`");
    refused("auth = { bearer", "oauth = { bearer", "oauth", "unknown field `oauth`");
    refused("{ status = 401 }", "{ status = 401, text = \"x\" }", "text = \"x\"", "unknown field `text`");
}

#[test]
fn a_slug_that_is_not_the_file_name() {
    refused("slug = \"demo\"", "slug = \"DEMO\"", "\"DEMO\"", "the slug `DEMO` does not fit the file");
    refused("slug = \"demo\"", "slug = \"other\"", "\"other\"", "the slug `other` does not fit the file");
}

#[test]
fn a_url_outside_the_hosts() {
    refused(
        "https://api.demo.example/keys",
        "https://api.demo.example.evil.example/keys",
        "\"https://api.demo.example.evil",
        "lies outside `hosts`",
    );
    refused(
        "\"{setting.base_url}/keys\"",
        "\"{setting.base_url}.evil.example/keys\"",
        "\"{setting.base_url}.evil",
        "lies outside `hosts`",
    );
    refused(
        "\"{setting.base_url}/keys\"",
        "\"{setting.base_url}@evil.example/keys\"",
        "\"{setting.base_url}@evil",
        "lies outside `hosts`",
    );
    refused(
        "\"https://api.demo.example\"]",
        "\"https://api.demo.example/keys\"]",
        "\"https://api.demo.example/keys\"]",
        "is not a host",
    );
    refused("\"https://api.demo.example\"]", "\"{setting.site}\"]", "\"{setting.site}\"]", "is not a host");
}

#[test]
fn a_page_that_is_not_on_the_web() {
    let open = "open = \"{setting.base_url}/portal\"";
    refused(open, "open = \"{setting.site}/portal\"", "\"{setting.site}/portal", "is no web page");
    refused(open, "open = \"javascript:alert(1)\"", "\"javascript:", "is no web page");
}

#[test]
fn a_pattern_that_is_no_regular_expression() {
    refused(r"'demo_\w{8}'", r"'demo_(\w{8}'", "'demo_(", "unclosed group");
}

#[test]
fn a_placeholder_that_means_nothing_there() {
    refused("\"for {option.days} days\"", "\"for {days} days\"", "{ name = \"{new.name}\"", "unknown placeholder {days}");
    refused(
        "\"for {option.days} days\"",
        "\"for {option.life} days\"",
        "{ name = \"{new.name}\"",
        "{option.life} cannot be filled in here",
    );
    refused(
        "{setting.site}/me",
        "{setting.cite}/me",
        "\"{setting.base_url}/{setting.cite}",
        "{setting.cite} cannot be filled in here",
    );
    refused("{managing.id}", "{managing.user}", "{ basic", "{managing.user} cannot be filled in here");
    refused("Replace {old.name}", "Replace {value.secret}", "\"Replace {value", "{value.secret} cannot be filled in here");
    refused(
        "query = { per_page = \"100\"",
        "query = { per_page = \"{new.name}\"",
        "\"{new.name}\", site",
        "only a key that is made gets a name",
    );
}

#[test]
fn a_name_that_is_defined_nowhere() {
    refused("managing = { kind = \"pair\"", "managing = { kind = \"pear\"", "[kind.key]", "there is no kind `pear`");
    refused("verify = \"me\"", "verify = \"self\"", "\"self\"", "there is no verify `self`");
    refused("make = { api = \"create\" }", "make = { person = \"create\" }", "\"create\" }", "there is no guide `create`");
    refused("carries = { id = \"md5:secret\" }", "carries = { id = \"md5:token\" }", "[kind.key]", "there is no field `token`");
}

#[test]
fn a_definition_that_nothing_uses() {
    refused("list = \"keys\"\n", "", "[list.keys]", "list `keys` is used by no kind");
}

#[test]
fn a_kind_that_lacks_something() {
    refused("class = \"api-key\"\n", "", "[kind.key]", "kind `key` has no `class`");
}

#[test]
fn a_rule_that_can_never_hold() {
    refused(
        "dead = [{ status = 401 }",
        "dead = [{ status = [401, 503] }",
        "{ status = [401, 503]",
        "a rule for status 503 is never looked at",
    );
    refused("alive = [{ status = 200,", "alive = [{ status = 302,", "{ status = 302", "a rule for status 302 is never looked at");
}

#[test]
fn parts_that_contradict_each_other() {
    refused("choices = [30, 90]", "choices = [30, 60]", "[kind.key]", "the default of option `days`");
    refused("value = { secret = ", "value = { token = ", "\"{setting.base_url}/keys\"", "must tell where each field");
    refused("id = \"md5:secret\"", "id = \"/id\"", "[kind.key]", "is read without a reply");
    refused("default = \"https://demo.example/v1/\"", "default = \"demo.example\"", "[setting.base_url]", "it is not a URL");
}

#[test]
fn half_a_switch_or_one_that_nobody_can_see() {
    refused("enable = { api = \"on\" }\n", "", "\"off\" }", "`disable` without `enable` cannot be taken back");
    refused("disable = { api = \"off\" }\n", "", "\"on\" }", "`enable` without `disable` has nothing to take back");
    let on = "enable = { api = \"on\" }";
    refused(on, "enable = { api = \"off\" }  # again", "\"off\" }  #", "`disable` and `enable` are the same request");
    refused(
        on,
        "enable = { person = \"portal\" }  # by hand",
        "\"portal\" }  #",
        "must both be requests, or both be done by a person",
    );
    refused("verify = \"me\"\n", "", "[kind.key]", "kind `key` has a switch and no `verify`");
    refused(on, "enable = { api = \"onn\" }", "\"onn\"", "there is no switch `onn`");
    refused("[switch.on]", "[switch.on-again]", "\"on\" }", "there is no switch `on`");
    refused(
        "disabled = true, site = \"{setting.site}\"",
        "disabled = \"{new.name}\"",
        "{ disabled = \"{new",
        "only a key that is made gets a name",
    );
    refused(
        "refused = [{ status = 403, because",
        "refused = [{ status = 503, because",
        "{ status = 503",
        "a rule for status 503 is never looked at",
    );
}

#[test]
fn a_switch_that_nothing_uses() {
    let unused = "[switch.spare]\nconfidence = \"documented\"\nrequest = { method = \"POST\", url = \"{setting.base_url}/x\", auth = \"none\" }\n\n[[guide.portal]]";
    refused("[[guide.portal]]", unused, "[switch.spare]", "switch `spare` is used by no kind");
}

#[test]
fn a_case_that_its_rules_contradict() {
    refused("expect = \"alive\"", "expect = \"dead\"", "[[case]]", "case `alive` expects dead, the rules say alive");
    refused(
        "expect = \"alive\"",
        "expect = \"alive\"\nreads = { id = \"k2\" }",
        "[[case]]",
        "case `alive` expects id = `k2`, the rules say `k1`",
    );
    refused("call = \"verify.me\"", "call = \"verify.you\"", "\"verify.you\"", "there is no call `verify.you`");
}

#[test]
fn a_case_of_a_switch_is_read_by_the_rules_of_its_own_way() {
    let read = |call: &str, status: u16, expect: &str| {
        let reply = format!("reply = {{ status = {status}, json = {{ disabled = false }} }}");
        let case =
            format!("[[case]]\nname = \"x\"\ncall = \"{call}\"\norigin = \"documented\"\n{reply}\nexpect = \"{expect}\"\n");
        Service::parse("demo.toml", &format!("{DEMO}\n{case}")).map(drop).map_err(|error| error.fault.to_string())
    };
    for (call, status, expect) in [
        ("switch.off", 204, "switched"),
        ("switch.off", 404, "refused"),
        ("switch.on", 200, "switched"),
        ("switch.on", 204, "no-verdict"),
        ("switch.on", 429, "limited"),
    ] {
        assert_eq!(read(call, status, expect), Ok(()), "{call} {status}");
    }
    assert_eq!(read("switch.on", 404, "refused"), Err("case `x` expects refused, the rules say no-verdict".into()));
    assert_eq!(read("switch.of", 200, "switched"), Err("there is no call `switch.of`".into()));
}
