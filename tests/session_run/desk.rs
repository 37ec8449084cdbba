use crate::{add, assert_states, number, wait_for_file, world};

#[test]
fn a_task_is_added_once_listed_cancelled_and_retried() {
    let world = world("exit 0");
    add(&world, &["b", "a"]);
    world.run(&["--add", "again", "--id", "a"]).exit(65).error("there is a task \"a\" already");
    let listed = world.run(&["--list"]);
    listed.exit(0);
    let ids: Vec<&str> = listed.stdout.lines().filter_map(|line| line.split_whitespace().nth(3)).collect();
    assert_eq!(ids, ["b", "a"], "the order in which they came: {}", listed.stdout);
    world.run(&["--cancel", "b"]).exit(0);
    assert_states(&world, &[("a", "pending"), ("b", "failed")]);
    world.run(&[]).exit(0);
    assert_states(&world, &[("a", "done"), ("b", "failed")]);
    world.run(&["--cancel", "a"]).exit(65).error("task \"a\" is done, so there is nothing to cancel");
    world.run(&["--retry", "a"]).exit(65).error("task \"a\" is done, so there is nothing to retry");
    world.run(&["--retry", "c"]).exit(65).error("there is no task \"c\"").hint_with("session-run --list");
    world.run(&["--retry", "b"]).exit(0);
    world.run(&[]).exit(0);
    assert_states(&world, &[("a", "done"), ("b", "done")]);
}

#[test]
fn a_running_task_is_not_cancelled_and_the_queue_can_be_used_meanwhile() {
    let world = world("touch started; while [ ! -e go ]; do sleep 0.05; done");
    add(&world, &["a"]);
    let running = world.process(&[]).spawn();
    wait_for_file(&world, "state/sessions/checkpoints/a/started");
    world.run(&["--cancel", "a"]).exit(65).error("task \"a\" is running");
    add(&world, &["b"]);
    assert_states(&world, &[("a", "claimed"), ("b", "pending")]);
    world.write("state/sessions/checkpoints/a/go", b"");
    running.wait().exit(0);
}

#[test]
fn who_uses_the_queue_does_not_pass_for_the_schedule() {
    let world = world("exit 0");
    add(&world, &["a"]);
    world.run(&["--list"]).exit(0);
    world.run(&["--retry", "none"]).exit(65);
    world.process_of("quota-reset", &["--status"]).run().exit(0);
    let runs = "SELECT count(*) FROM run WHERE NOT rehearsal";
    assert_eq!(
        (number(&world, runs), world.events().len()),
        (0, 0),
        "nothing ran, and nobody outside hears of it"
    );
    world.run(&[]).exit(0);
    assert_eq!(number(&world, runs), 1);
}

#[test]
fn a_task_is_json_or_text_and_anything_else_is_refused() {
    let world = world("exit 0");
    world.run(&["--add", "{\"prompt\": 5}"]).exit(0);
    world.run(&["--add", "{\"prompt\": "]).exit(65).error("the task is not a JSON object");
    world.run(&["--add", " "]).exit(65).error("the task is empty");
    world.run(&["--add", "x", "--id", "../x"]).exit(65).error("\"../x\" is not an id of a task");
    world.run(&["--add", "x", "--list"]).exit(64);
    world.run(&["--id", "x"]).exit(64);
}
