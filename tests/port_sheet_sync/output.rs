//! What a run says and what it records.

use crate::world;

#[test]
fn a_first_run_fills_the_sheet_and_a_second_writes_nothing() {
    let world = world().build();
    let first = world.run(&["--json"]);
    let sheet = first.exit(0).sheet();
    assert_eq!((&sheet["added"], &sheet["verified"]), (&3.into(), &true.into()));
    assert_eq!(world.rows().len(), 4);
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!((world.counts().writes, world.counts().tokens), (0, 1));
}
