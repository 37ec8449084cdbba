"""The same work done by gspread and gspread-dataframe: MODE URL SPREADSHEET TAB SOURCE.

Modes: gspread-load, gspread-sync, dataframe.
"""

import csv
import sys

import gspread
import gspread.http_client
import gspread.urls
import requests

REAL = "https://sheets.googleapis.com"


def client(url):
    """A client whose every address begins with the stand-in's."""
    for module in (gspread.urls, gspread.http_client):
        for name, value in list(vars(module).items()):
            if isinstance(value, str) and value.startswith(REAL):
                setattr(module, name, url + value[len(REAL):])
    session = requests.Session()
    session.headers["Authorization"] = "Bearer bench"
    return gspread.Client(auth=None, session=session)


def source_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def load(tab, rows):
    tab.resize(len(rows), len(rows[0]))
    tab.update(rows, "A1", raw=True)


def sync(tab, rows):
    """All values, compared cell by cell; what differs in one batch_update."""
    found = tab.get_all_values()
    changes = []
    for number, (wanted, there) in enumerate(zip(rows, found), start=1):
        for column, (new, old) in enumerate(zip(wanted, there), start=1):
            if new != old:
                changes.append({"range": gspread.utils.rowcol_to_a1(number, column), "values": [[new]]})
    if changes:
        tab.batch_update(changes, raw=True)


def main(mode, url, spreadsheet, title, source):
    tab = client(url).open_by_key(spreadsheet).worksheet(title)
    if mode == "dataframe":
        import pandas
        from gspread_dataframe import set_with_dataframe

        # It writes everything each time, whatever the sheet holds.
        set_with_dataframe(tab, pandas.read_csv(source, dtype=str, keep_default_na=False), resize=True)
    elif mode == "gspread-load":
        load(tab, source_rows(source))
    else:
        sync(tab, source_rows(source))


main(*sys.argv[1:])
