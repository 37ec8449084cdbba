use std::time::Duration;

use support::{Answer, Receiver};

use crate::{hooked, pairs, sink_states, told, webhook, world};

/// Makes every run fail at once, in a way that needs a person.
const BROKEN: &str = "tab = \"Port sheet\"";

#[test]
fn each_shape_of_webhook_is_what_its_service_takes() {
    let receiver = Receiver::start();
    let shapes = ["json", "slack", "discord", "ntfy"];
    let tables: String = shapes
        .iter()
        .map(|shape| {
            webhook(shape, &receiver).replace("/hook", &format!("/{shape}")) + &format!("shape = {shape:?}\n")
        })
        .collect();
    let world = world().tables(&tables).build();
    world.replace_in_config(BROKEN, "tab = \"Gone\"");
    world.run(&[]).exit(78);
    let of = |shape: &str| {
        let path = format!("/{shape}");
        receiver.received().into_iter().find(|received| received.path == path).unwrap()
    };
    let json = |shape: &str| serde_json::from_str::<serde_json::Value>(&of(shape).body).unwrap();
    assert_eq!(json("json")["subject"], "sheet.port-sheet");
    assert_eq!(json("json")["event"], "first-failure");
    for (text, shape) in [
        (json("slack")["text"].as_str().unwrap().to_owned(), "slack"),
        (json("discord")["content"].as_str().unwrap().to_owned(), "discord"),
        (of("ntfy").body, "ntfy"),
    ] {
        assert!(text.contains("sheet \"port-sheet\" failed: ") && text.contains("Gone"), "{shape}: {text}");
    }
    let title = of("ntfy").headers["title"].to_str().unwrap().to_owned();
    assert!(title.starts_with("port-jobs on "), "{title}");
    assert_eq!(of("ntfy").headers["priority"], "high");
}

#[test]
fn a_program_gets_the_alert_on_standard_input_and_its_arguments_as_they_stand() {
    let world = world().build();
    let told = world.path("told");
    let script = "cat > \"$1\"; printf '%s' \"$2\" >> \"$1\"; echo noise; echo noise >&2";
    world.append_to_config(&format!(
        "[[alert.sink]]\nkind = \"command\"\ncommand = [\"/bin/sh\", \"-c\", {script:?}, \"sh\", {told:?}, \"a b; $(id)\"]\n"
    ));
    world.replace_in_config(BROKEN, "tab = \"Gone\"");
    let run = world.process(&[]).without_trace().run();
    run.exit(78);
    assert!(!run.stdout.contains("noise") && !run.stderr.contains("noise"), "{run:?}");
    let text = world.read_text(&told);
    let json = text.strip_suffix("a b; $(id)").unwrap();
    let alert: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(alert["event"], "first-failure");
}

#[test]
fn a_program_that_hangs_is_killed_with_all_it_started() {
    let world = world().build();
    let pids = world.path("pids");
    let script = format!("sleep 600 & echo $! > {pids:?}; echo $$ >> {pids:?}; wait");
    world.append_to_config(&format!(
        "[[alert.sink]]\nkind = \"command\"\ncommand = [\"/bin/sh\", \"-c\", {script:?}]\n"
    ));
    world.replace_in_config(BROKEN, "tab = \"Gone\"");
    world.run(&[]).exit(78);
    for pid in world.read_text(&pids).lines() {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(status.is_empty() || status.contains(") Z "), "{pid} still runs: {status}");
    }
    let (name, failures, error) = sink_states(&world).remove(0);
    assert_eq!((name.as_str(), failures), ("command", 1));
    assert!(error.unwrap().contains("10s"));
}

#[test]
fn a_sink_that_hangs_keeps_neither_the_job_beyond_its_limit_nor_another_sink() {
    let (hangs, works) = (Receiver::start(), Receiver::start());
    let world = world().tables(&webhook("hangs", &hangs)).tables(&webhook("works", &works)).build();
    world.replace_in_config(BROKEN, "tab = \"Gone\"");
    hangs.answers(&[Answer::Hang]);
    // It would never end by itself. The limit is 10 s; the rest is the run and a busy machine.
    world.process(&[]).killed_after(Duration::from_secs(40)).run().exit(78);
    assert_eq!(told(&works.taken()), pairs(&[("sheet.port-sheet", "first-failure")]));
    let states = sink_states(&world);
    assert_eq!((states[0].1, states[1].1), (1, 0), "{states:?}");
    world.run(&[]).exit(78);
    assert_eq!(
        told(&hangs.taken()),
        pairs(&[("sheet.port-sheet", "first-failure")]),
        "it comes with the next run"
    );
}

#[test]
fn a_sink_that_breaks_or_refuses_is_noted_without_its_secret_address_and_changes_no_exit_code() {
    let receiver = Receiver::start();
    let world = world().build();
    world.write_private(
        &world.path("state/credentials/hook-url"),
        format!("{}services/T000/secret-part-of-it\n", receiver.url()).as_bytes(),
    );
    world
        .append_to_config("[[alert.sink]]\nkind = \"webhook\"\nurl-file = \"hook-url\"\nshape = \"slack\"\n");
    world.replace_in_config(BROKEN, "tab = \"Gone\"");
    receiver.answers(&[Answer::Drop, Answer::Refuse(500)]);
    for part in ["did not answer", "answered 500: no: …"] {
        let run = world.run(&[]);
        run.exit(78);
        let error = sink_states(&world).remove(0).2.unwrap();
        assert!(error.contains(part) && error.contains(&receiver.host()), "{error}");
        for said in [&error, &run.stderr, &run.stdout] {
            assert!(!said.contains("secret-part-of-it"), "{said}");
        }
    }
    world.run(&[]).exit(78);
    assert_eq!(sink_states(&world).remove(0).1, 0);
}

#[test]
fn a_secret_that_others_can_read_is_not_used() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    let token = world.path("state/credentials/hook-token");
    world.write_private(&token, b"a-token-for-the-hook\n");
    world.append_to_config("token-file = \"hook-token\"");
    world.replace_in_config(BROKEN, "tab = \"Gone\"");
    world.set_mode(&token, 0o644);
    world.run(&[]).exit(78);
    assert_eq!(receiver.received().len(), 0);
    let error = sink_states(&world).remove(0).2.unwrap();
    assert!(error.contains("mode 0644") && error.contains("chmod 600"), "{error}");
    world.set_mode(&token, 0o600);
    world.run(&[]).exit(78);
    assert_eq!(receiver.received()[0].headers["authorization"], "Bearer a-token-for-the-hook");
}

#[test]
fn a_server_that_is_gone_is_told_again_when_it_is_back() {
    let world = world().build();
    let receiver = Receiver::start();
    let table = webhook("hook", &receiver);
    world.append_to_config(&table.replace(&receiver.url(), "http://127.0.0.1:1/"));
    world.replace_in_config(BROKEN, "tab = \"Gone\"");
    world.run(&[]).exit(78);
    assert!(sink_states(&world).remove(0).2.unwrap().contains("did not answer"));
    world.replace_in_config("http://127.0.0.1:1/", &receiver.url());
    world.process_of("token-check", &["--now"]).run();
    assert_eq!(told(&receiver.taken())[0], pairs(&[("sheet.port-sheet", "first-failure")])[0]);
}

#[test]
fn a_server_that_resets_every_connection_is_noted_and_changes_no_exit_code() {
    let receiver = Receiver::resetting();
    let world = hooked(&receiver).build();
    world.replace_in_config(BROKEN, "tab = \"Gone\"");
    world.run(&[]).exit(78);
    let error = sink_states(&world).remove(0).2.unwrap();
    assert!(error.contains("reset"), "{error}");
}
