//! Properties of the plan, over random sources, sheets and histories held in memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use shared::config::{Config, Share};

use crate::model::cell::Cell;
use crate::plan::*;
use crate::sheet::owned_row::OwnedRow;
use crate::spool::SpooledRow;
use crate::spool::row_file::Header;

/// A small sheet: key, two values and a person's note in each row; the note's column is not owned.
type Row = [Value; 4];

/// What a source holds: two values for each key.
type Source = BTreeMap<u8, (u8, u8)>;

fn sheet(policies: &str) -> Sheet {
    let text = format!(
        "monitor = \"none\"\n[credential.c]\nfile = \"c.json\"\n[sheet.s]\ncredential = \"c\"\nspreadsheet = \"x\"\ntab = \"T\"\n\
         key = [\"k\"]\nmax-shrink = \"100%\"\n{policies}\nsource = {{ kind = \"csv\", path = \"/x\" }}\n"
    );
    Config::parse(Path::new("config.toml"), &text).unwrap().sheets.remove("s").unwrap()
}

fn columns(sheet: &Sheet) -> Columns {
    Columns::resolve(sheet, &["k", "a", "b"].map(str::to_owned)).unwrap()
}

fn cells(key: u8, (a, b): (u8, u8)) -> Vec<Cell> {
    [key, a, b].iter().map(|number| Cell::Text(format!("v{number}"))).collect()
}

fn row(key: u8, values: (u8, u8)) -> Row {
    let [k, a, b] = &cells(key, values)[..] else { unreachable!("three cells") };
    [k.to_json(), a.to_json(), b.to_json(), json!(format!("note {key}"))]
}

fn spool(columns: &Columns, source: &Source) -> Spool {
    let mut spool = Spool::empty(Header::new(String::new(), Vec::new()), PathBuf::new(), PathBuf::new());
    for (offset, (key, values)) in (0u64..).zip(source) {
        let cells = cells(*key, *values);
        let hash = columns.key_of(|index| cells[index].clone()).unwrap().hash;
        spool.index.insert(hash, SpooledRow { offset, digest: columns.digest(&cells), line: 2, row: 0 });
    }
    spool.source_rows = source.len() as u64;
    spool
}

fn by_hash(columns: &Columns, source: &Source) -> HashMap<KeyHash, Vec<Cell>> {
    let entry = |(key, values): (&u8, &(u8, u8))| {
        let cells = cells(*key, *values);
        (columns.key_of(|index| cells[index].clone()).unwrap().hash, cells)
    };
    source.iter().map(entry).collect()
}

fn known(columns: &Columns, base: &Source) -> BaseRow {
    BaseRow {
        live_rows: by_hash(columns, base).into_keys().map(|key| (key, true)).collect(),
        live: base.len(),
    }
}

/// One run over the sheet in memory: reads, plans, writes. Answers the plan.
fn run(
    sheet: &Sheet,
    source: &Source,
    base: Option<&Source>,
    tab: &mut Vec<Row>,
    status: &mut HashSet<usize>,
) -> Plan {
    let columns = columns(sheet);
    let mut spool = spool(&columns, source);
    let header = ["k", "a", "b", "Notes", "Sync status"].map(str::to_owned);
    let mut layout = Layout::find(sheet, &columns, &header, 5, &[]).unwrap();
    let (snapshot, spilled) = snapshot(&columns, &mut spool, tab, status);
    let known = base.map(|base| known(&columns, base));
    let (sources, bases) = (by_hash(&columns, source), base.map(|base| by_hash(&columns, base)));
    let compared = |row: &Differing| {
        let base = bases.as_ref().and_then(|base| base.get(&row.key));
        let base = base.map(|cells| cells.iter().cloned().map(Some).collect());
        let sheet_cells = spilled[usize::try_from(row.offset).unwrap()].clone();
        let facts = RowFacts {
            row: row.row,
            source: sources[&row.key].clone(),
            sheet: sheet_cells,
            base,
            before: None,
            was_added: false,
        };
        Ok(compare(&columns, facts, |_, _| false))
    };
    let facts = facts(sheet, &columns, &spool, &snapshot, known.as_ref(), false);
    let plan = make(&facts, &mut layout, compared).unwrap();
    for update in &plan.shown {
        for (column, cell) in &update.changes {
            tab[update.row as usize - 2][*column] = cell.to_json();
        }
    }
    let sources: Vec<(&u8, &(u8, u8))> = source.iter().collect();
    for offset in &plan.adds {
        let (key, values) = sources[usize::try_from(*offset).unwrap()];
        let [k, a, b, _] = row(*key, *values);
        tab.push([k, a, b, json!("")]);
    }
    status.extend(plan.flags.iter().map(|flag| flag.row as usize - 2));
    status.retain(|at| !plan.unflags.iter().any(|row| row.row as usize - 2 == *at));
    plan
}

/// A snapshot of a tab in memory, and the cells of its differing rows.
fn snapshot(
    columns: &Columns,
    spool: &mut Spool,
    tab: &[Row],
    status: &HashSet<usize>,
) -> (Snapshot, Vec<Vec<Cell>>) {
    let mut snapshot = Snapshot { last_row: 1, ..Snapshot::default() };
    let (mut missing, mut spilled) = (HashMap::new(), Vec::new());
    for (at, cells) in tab.iter().enumerate() {
        let row = u32::try_from(at).unwrap() + 2;
        let values: Vec<&[Value]> = cells[..3].iter().map(std::slice::from_ref).collect();
        let digest = columns.digest(cells[..3].iter().map(Cell::from_json));
        let owned = OwnedRow { row, digest, columns: &values, at: 0 };
        let flag = json!("flag");
        let flag = status.contains(&at).then_some(&flag);
        let spill = |cells: &[Cell<&str>]| {
            spilled.push(cells.iter().cloned().map(|cell| cell.map(str::to_owned)).collect());
            Ok(spilled.len() as u64 - 1)
        };
        snapshot.add(owned, flag, columns, spool, &mut missing, spill).unwrap();
    }
    (snapshot, spilled)
}

fn facts<'a>(
    sheet: &'a Sheet,
    columns: &'a Columns,
    spool: &'a Spool,
    snapshot: &'a Snapshot,
    base: Option<&'a BaseRow>,
    allow_shrink: bool,
) -> PlanFacts<'a> {
    static NOTHING_ADDED: LazyLock<HashSet<KeyHash>> = LazyLock::new(HashSet::new);
    static NOTHING_UNDECIDED: LazyLock<Undecided> = LazyLock::new(Undecided::default);
    PlanFacts {
        sheet,
        columns,
        spool,
        snapshot,
        held: None,
        base,
        added: &NOTHING_ADDED,
        undecided: &NOTHING_UNDECIDED,
        formatted: &[],
        shown_as: &[],
        allow_shrink,
        today: NaiveDate::default(),
    }
}

fn source() -> impl Strategy<Value = Source> {
    proptest::collection::btree_map(0u8..12, (0u8..3, 0u8..3), 0..12)
}

/// A tab as the last run left it, with rows deleted, cells edited, rows of people's own and everything moved about.
fn tab(base: Source) -> impl Strategy<Value = Vec<Row>> {
    let rows: Vec<Row> = base.into_iter().map(|(key, values)| row(key, values)).collect();
    let kept = proptest::sample::subsequence(rows.clone(), 0..=rows.len());
    let edits = proptest::collection::vec((any::<proptest::sample::Index>(), 1usize..3), 0..4);
    let own =
        proptest::collection::vec(Just([json!(""), json!(""), json!(""), json!("a person's own row")]), 0..3);
    (kept, edits, own).prop_flat_map(|(mut rows, edits, own)| {
        for (index, column) in edits {
            if let Some(at) = (!rows.is_empty()).then(|| index.index(rows.len())) {
                rows[at][column] = json!("edited");
            }
        }
        rows.extend(own);
        Just(rows).prop_shuffle()
    })
}

fn history() -> impl Strategy<Value = (Source, Source, Vec<Row>)> {
    (source(), source()).prop_flat_map(|(base, source)| (Just(base.clone()), Just(source), tab(base)))
}

fn rows_of(tab: &[Row], key: u8) -> Vec<&Row> {
    tab.iter().filter(|row| row[0] == json!(format!("v{key}"))).collect()
}

proptest! {
    #[test]
    fn after_one_run_the_sheet_holds_the_source_and_a_second_run_writes_nothing((base, source, mut tab) in history()) {
        let (sheet, mut status) = (sheet("on-edit = \"restore\""), HashSet::new());
        run(&sheet, &source, Some(&base), &mut tab, &mut status);
        for (key, values) in &source {
            let rows = rows_of(&tab, *key);
            prop_assert_eq!(rows.len(), 1);
            prop_assert_eq!(&rows[0][..3], &row(*key, *values)[..3]);
        }
        let plan = run(&sheet, &source, Some(&source), &mut tab, &mut status);
        prop_assert!(plan.adds.is_empty() && plan.updates.is_empty() && plan.flags.is_empty() && plan.unflags.is_empty());
    }

    #[test]
    fn notes_and_peoples_own_rows_are_never_touched((base, source, mut tab) in history()) {
        let before: Vec<Value> = tab.iter().map(|row| row[3].clone()).collect();
        let keys: Vec<Value> = tab.iter().map(|row| row[0].clone()).collect();
        run(&sheet(""), &source, Some(&base), &mut tab, &mut HashSet::new());
        prop_assert_eq!(tab.iter().take(before.len()).map(|row| row[3].clone()).collect::<Vec<_>>(), before);
        prop_assert_eq!(tab.iter().take(keys.len()).map(|row| row[0].clone()).collect::<Vec<_>>(), keys);
    }

    #[test]
    fn an_edit_is_kept_and_everything_else_still_follows_the_source((base, source, mut tab) in history()) {
        let before = tab.clone();
        let plan = run(&sheet("on-edit = \"keep\""), &source, Some(&base), &mut tab, &mut HashSet::new());
        for (old, new) in before.iter().zip(&tab) {
            for column in 1..3 {
                prop_assert!(old[column] != json!("edited") || new[column] == json!("edited"));
            }
        }
        prop_assert!(plan.drifts.iter().all(|drift| drift.theirs == Cell::Text("edited".to_owned())));
    }

    #[test]
    fn exactly_the_bookings_that_left_are_flagged((base, source, mut tab) in history()) {
        let mut status = HashSet::new();
        let before = tab.clone();
        run(&sheet("on-missing = \"flag\""), &source, Some(&base), &mut tab, &mut status);
        for (at, row) in before.iter().enumerate() {
            let left = row[0] != json!("") && !source.keys().any(|key| row[0] == json!(format!("v{key}")));
            prop_assert_eq!(status.contains(&at), left);
        }
    }

    #[test]
    fn without_a_base_nothing_counts_as_an_edit((_, source, mut tab) in history()) {
        let plan = run(&sheet(""), &source, None, &mut tab, &mut HashSet::new());
        prop_assert!(plan.drifts.is_empty());
    }
}

#[test]
fn a_source_that_lost_too_much_is_refused_until_a_person_accepts_it() {
    let strict = Sheet { max_shrink: Share::parse("40%").unwrap(), ..sheet("") };
    let columns = columns(&strict);
    let base: Source = (0..10).map(|key| (key, (0, 0))).collect();
    for (left, refused) in [(6, false), (5, true), (0, true)] {
        let source: Source = base.clone().into_iter().take(left).collect();
        let mut spool = spool(&columns, &source);
        let tab: Vec<Row> = base.iter().map(|(key, values)| row(*key, *values)).collect();
        let (snapshot, _) = snapshot(&columns, &mut spool, &tab, &HashSet::new());
        let known = known(&columns, &base);
        let facts = |allow_shrink| facts(&strict, &columns, &spool, &snapshot, Some(&known), allow_shrink);
        assert_eq!(refuse_shrunken_source(&facts(false)).is_err(), refused, "{left} of 10 left");
        assert!(refuse_shrunken_source(&facts(true)).is_ok());
    }
}

#[test]
fn what_an_earlier_round_wrote_is_no_edit_of_a_person() {
    let (sheet, theirs) = (sheet("on-edit = \"keep\""), Cell::Text("v7".to_owned()));
    let columns = columns(&sheet);
    let facts = || RowFacts {
        row: 2,
        source: cells(1, (9, 0)),
        sheet: cells(1, (7, 0)),
        base: Some(cells(1, (5, 0)).into_iter().map(Some).collect()),
        before: None,
        was_added: false,
    };
    let kept = compare(&columns, facts(), |_, _| false);
    assert!(kept.changes.is_empty() && kept.drifts.len() == 1, "a person's 7 is kept");
    let ours = compare(&columns, facts(), |key, cell| key == "v1" && *cell == theirs);
    assert!(ours.changes.len() == 1 && ours.drifts.is_empty(), "our own 7 is not");
}
