"""A file with everything awkward, and what plain Python makes of it."""

import csv
import io
import random
from collections import defaultdict
from datetime import datetime
from fractions import Fraction

HEADER = "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country".split()

DAYS = "Friday Monday Saturday Sunday Thursday Tuesday Wednesday".split()
MONTHS = (
    "April August December February January July June March May November October September"
).split()

#: Ids that are texts and nothing else: with leading zeros, words that mean missing elsewhere,
#: upper and lower case, letters beyond ASCII, separators and quotes.
IDS = ["007", "7", "0007", "NA", "null", "None", "nan", "10", "9", "a", "A", "Z", "é", "Éa", "a,b",
       'say "so"', "a b", "-1"]  # fmt: skip

#: No Wednesday and no July; dates as the shop writes them, unpadded. Sundays, Saturdays, both sides
#: of a year's end, the last minute of a leap day, the first moment of a month.
DATES = ["12/31/2010 23:59", "1/1/2011 0:00", "1/2/2011 10:05", "12/5/2010 8:26", "2/29/2012 23:59",
         "3/1/2012 0:00", "1/8/2011 9:00", "9/4/2011 7:7", "11/3/2011 12:00", "8/1/2011 0:01",
         "5/6/2011 13:30", "4/4/2011 18:45", "6/14/2011 6:00", "10/20/2011 23:00"]  # fmt: skip

#: The latest of all, which two customers share, and moments around a whole day before it.
LATEST = "6/30/2012 12:00"
NEAR = ["6/29/2012 12:00", "6/29/2012 12:01", "6/29/2012 11:59"]

TEXTS = ["LANTERN", "£5 voucher", 'a "quoted", one', "two\nlines", "", "NA", "fête"]


def lines(fine=False):
    """The lines as dicts of texts; `fine`: prices with more than six decimals too."""
    rng = random.Random(7)
    prices = ["2.55", "0.001", "2.555", "0", "1099.99", "-0.5", "3.3"]
    if fine:
        prices += ["1.2345678", "0.0000001", "1234567.89"]
    found = [
        {
            "InvoiceNo": rng.choice(["", "", "C"]) + str(536000 + rng.randrange(40)),
            "StockCode": rng.choice(["A", "B", "85123A", "POST", "0001"]),
            "Description": rng.choice(TEXTS),
            "Quantity": rng.choice(["1", "6", "-1", "-12", "100", "3"]),
            "InvoiceDate": rng.choice(DATES),
            "UnitPrice": rng.choice(prices),
            "CustomerID": rng.choice(IDS),
            "Country": rng.choice(["United Kingdom", "EIRE", "Réunion", "NA", "N/A"]),
        }
        for _ in range(240)
    ]
    # Missing: each column once at least.
    for i, name in enumerate(HEADER):
        for place in (i, 100 + 3 * i):
            found[place][name] = ""
    for i, date in enumerate([LATEST, LATEST, *NEAR]):
        found[200 + i] |= {"InvoiceDate": date, "CustomerID": IDS[i], "Description": "LANTERN"}
    return found


def write(path, rows):
    """Write lines as a shop's program of old: ISO-8859-1, quotes where needed."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HEADER, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("iso-8859-1"))
    return path


def moment(text):
    """Read a date as the shop writes it."""
    return datetime.strptime(text, "%m/%d/%Y %H:%M") if text else None


def rfm(rows, *, complete, invoices=False, cancellations=True, mean=True, saturdays=False):
    """The 21 features (or 22) by plain Python: ids and rows of values."""
    kept = [row for row in rows if all(row[name] for name in complete)]
    if not cancellations:
        kept = [row for row in kept if not _cancelled(row)]
    reference = max(moment(row["InvoiceDate"]) for row in kept)
    of = defaultdict(list)
    for row in kept:
        of[row["CustomerID"]].append(row)
    days = [day for day in DAYS if saturdays or day != "Saturday"]
    return {
        customer: _features(of[customer], reference, invoices, mean, days)
        for customer in sorted(of)
    }


def _cancelled(row):
    """C before digits, and a negative quantity or amount."""
    quantity = int(row["Quantity"])
    marked = row["InvoiceNo"][:1] == "C" and row["InvoiceNo"][1:2].isdigit()
    return marked and (quantity < 0 or quantity * Fraction(row["UnitPrice"]) < 0)


def _features(bought, reference, invoices, mean, days):
    total = sum(Fraction(row["UnitPrice"]) * int(row["Quantity"]) for row in bought)
    dates = [moment(row["InvoiceDate"]) for row in bought]
    orders = len({row["InvoiceNo"] for row in bought}) if invoices else len(bought)
    return [
        float(total / len(bought) if mean else total), orders, (reference - max(dates)).days,
        *(sum(date.strftime("%A") == day for date in dates) for day in days),
        *(sum(date.strftime("%B") == month for date in dates) for month in MONTHS),
    ]  # fmt: skip
