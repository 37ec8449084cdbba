//! How the page looks: one column on a phone, light or dark as the reader's device is. Every pair of colours has a contrast
//! of at least 4.5 to 1.

/// The style sheet.
pub const CSS: &str = "
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --line: #c9d0da; --soft: #f1f4f8; --dim: #4d5a6b;
  --good: #0b6b3a; --bad: #b3151b; --goodsoft: #d9f0e2; --badsoft: #fbdcdc; --bar: #4a6fa5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #12171e; --line: #3a4553; --soft: #1c242e;
  --dim: #a8b4c4; --good: #6ddc9c; --bad: #ff9a97; --goodsoft: #12351f; --badsoft: #45191a; --bar: #7fa3d6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .2rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1rem 0 .4rem; } header p, .problems p { color: var(--dim); margin: .2rem 0; }
.good { color: var(--good); } .bad { color: var(--bad); }
.problems { list-style: none; padding: 0; } .problems li { border-left: .3rem solid var(--bad); background: var(--soft);
  padding: .6rem .8rem; margin: .5rem 0; } .problems strong { font-weight: 600; }
.problems .hint { color: var(--ink); font-family: ui-monospace, monospace; font-size: .9rem; }
article { border: 1px solid var(--line); border-radius: .4rem; padding: .2rem .8rem .6rem; margin: .6rem 0; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .4rem; margin: 0; }
dt { color: var(--dim); font-size: .85rem; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .5rem; vertical-align: top;
  border-bottom: 1px solid var(--line); } tbody th { font-weight: 400; } .wide { overflow-x: auto; }
.wide table { min-width: 36rem; } .wide td, .wide th { white-space: nowrap; }
.days { list-style: none; display: grid; grid-template-columns: repeat(auto-fill, minmax(2.4rem, 1fr)); gap: .2rem; padding: 0; }
.days li { border-radius: .2rem; text-align: center; padding: .15rem 0; background: var(--soft); color: var(--dim); }
.days .good { background: var(--goodsoft); color: var(--good); } .days .bad { background: var(--badsoft); color: var(--bad); }
.days small { display: block; font-size: .75rem; }
summary { cursor: pointer; padding: .4rem 0; } svg { display: block; width: 100%; height: .25rem; } rect { fill: var(--bar); }
.heard { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
";
