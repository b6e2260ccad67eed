"""The pages of ``segrun --help`` and ``segrun COMMAND --help``; nothing is imported for them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A command: where it is, how it is written in short and whole, what it does, its options."""

    target: str
    short: str
    about: str
    usage: str
    options: str = ""

    def page(self) -> str:
        """Return what ``segrun COMMAND --help`` shows."""
        usage = textwrap.fill(
            self.usage, 98, initial_indent="  ", subsequent_indent="      ",
            break_on_hyphens=False,
        )  # fmt: skip
        return f"{self.about}\n\nusage\n{usage}\n{self.options}"


COMMANDS = {
    "plan": Command(
        "segrun.cli.main:plan",
        "plan [--estimate] KEY=VALUE,VALUE ...",
        "what -m would run: done, cached or missing",
        "segrun plan [--estimate] [FILE.yaml] [KEY=VALUE,VALUE ...]",
        """
  --estimate   time and memory as well, judged by finished runs; without any, memory by size

done: finished in the directory that hydra.sweep.dir names; cached: a finished run with the same
content key lies below the same outputs/<name>, and sweep.reuse=true takes it over. See
docs/sweeps.md.
""",
    ),
    "resume": Command(
        "segrun.sweep.resume:resume_command",
        "resume SWEEP",
        "run what is missing or failed of a sweep, and nothing else",
        "segrun resume SWEEP [hydra/launcher=NAME] [hydra.launcher.KEY=VALUE ...]",
        """
  SWEEP               the directory of a sweep
  hydra/launcher      another launcher: process, basic, joblib, dask or submitit
  hydra.launcher.KEY  another setting of the launcher, such as n_jobs
""",
    ),
    "reproduce": Command(
        "segrun.cli.reproduce:reproduce_command",
        "reproduce PATH",
        "run a run, a sweep or a benchmark again: does it come to the same?",
        "segrun reproduce PATH [dataset.path=FILE] [hydra.sweep.dir=DIR] "
        "[hydra.launcher.KEY=VALUE]",
        """
  PATH           a run, a sweep, an experiment with expectations (bench_kmeans_small), or a file of
                 expectations
  dataset.path   where the input lies now
  --write FILE   segrun reproduce --write FILE.json PATH writes expectations instead

Exit code 3 where something came to other results. See docs/benchmarks.md.
""",
    ),
    "describe": Command(
        "segrun.cli.segments:describe_command",
        "describe RUN",
        "segments of a run: which point, profiles, facts, names",
        "segrun describe RUN [--point POINT] [segments.KEY=VALUE ...]",
        """
  --point POINT       a point of the grid instead of the selected one
  segments.KEY=VALUE  other settings than the run's, such as segments.order_by=Amount

See docs/segments.md.
""",
    ),
    "name": Command(
        "segrun.cli.segments:name_command",
        'name RUN 3="Gift shops"',
        "give a segment a name",
        'segrun name RUN 3="Gift shops" ...',
        """
  3=NAME   number of a segment of a described run, and its name
""",
    ),
    "report": Command(
        "segrun.cli.report:report_command",
        "report RUN|SWEEP",
        "one page with everything, report.html, and its pictures",
        "segrun report RUN|SWEEP",
    ),
    "compare": Command(
        "segrun.cli.compare:compare_command",
        "compare RUN RUN",
        "scores, sizes, agreement and times side by side",
        "segrun compare RUN RUN [RUN ...] [--point POINT ...]: a --point for each run, or none",
        """
  --point POINT   a point of the grid instead of the selected one, for each run in order
""",
    ),
    "apply": Command(
        "segrun.cli.apply:apply_command",
        "apply RUN INPUT --output FILE",
        "the segments of new customers, and how they differ",
        "segrun apply RUN INPUT --output FILE [--point POINT] [--from DATE] [--to DATE] "
        "[--reference-date DATE] [--nearest] [--rows] [--as segment=COLUMN,name=COLUMN] [--force] "
        "[dataset.KEY=VALUE ...]",
        """
  INPUT                  new data, of the same columns as the run's
  --output FILE          customers with their segments: .csv, .parquet or .xlsx
  --point POINT          a point of the grid instead of the described or selected one
  --from, --to DATE      only rows of this time
  --reference-date DATE  counts Recency back from another date than the run's rule says
  --nearest              customers whom the algorithm cannot place go to the nearest segment
  --rows                 every row of the input with the segment of its customer, instead
  --as A=B               other names for the columns segment and name
  --force                replace files that are there
  dataset.KEY=VALUE      where the file is written otherwise than the run's

FILE.shift.csv beside it tells how the new customers differ. See docs/using.md.
""",
    ),
    "ingest": Command(
        "segrun.cli.ingest:ingest_command",
        "ingest RUN FILE ...",
        "new sales merged in: features and segments of the customers touched",
        "segrun ingest RUN [FILE ...] [--force | --skip-known] [--refresh] [--features] "
        "[--input FILE] [--point POINT] [--nearest] [--quiet] [dataset.KEY=VALUE ...]",
        """
  FILE               new rows; without any, what was ingested so far is told
  --force            ingest a file that was ingested before once more
  --skip-known       pass over files that were ingested before
  --refresh          give everybody a segment by the features of now
  --features         write the features and segments of now to RUN/ingest/
  --input FILE       where the run's own input lies now
  --point POINT      a point of the grid instead of the described or selected one
  --nearest          customers whom the algorithm cannot place go to the nearest segment
  --quiet            errors only
  dataset.KEY=VALUE  where the files are written otherwise than the run's

See docs/ingest.md.
""",
    ),
    "export": Command(
        "segrun.cli.export:export_command",
        "export RUN --to FILE|URL",
        "the input joined with its segments: a file or a database",
        "segrun export RUN --to FILE|DATABASE_URL [--table NAME] [--replace] [--customers] "
        "[--split] [--join FILE --on COLUMN] [--point POINT] [--input FILE] "
        "[--as segment=COLUMN,name=COLUMN]",
        """
  --to FILE|URL   .csv, .parquet or .xlsx, or a database such as sqlite:///FILE
  --table NAME    table of the database, by default segments
  --replace       replace a file or table that is there
  --customers     one row per customer with the features, instead of the rows of the input
  --split         one file per segment
  --join FILE     join another table by its column that --on names
  --on COLUMN     the column of the customer's id there
  --point POINT   a point of the grid instead of the described or selected one
  --input FILE    where the run's input lies now
  --as A=B        other names for the columns segment and name

See docs/using.md.
""",
    ),
    "plugins": Command(
        "segrun.cli.plugins:plugins_command",
        "plugins",
        "every algorithm: origin, parameters, grid, whether it runs here",
        "segrun plugins [check NAME | new NAME [FOLDER]]",
        """
  check NAME          run the conformance tests of an algorithm; needs pip install 'segrun[test]'
  new NAME [FOLDER]   write a working plugin to begin with

See docs/plugins.md.
""",
    ),
    "generate": Command(
        "segrun.cli.generate:generate_command",
        "generate dataset=NAME --output FILE",
        "an embedded dataset as a file of any size",
        "segrun generate dataset=NAME [dataset.KEY=VALUE ...] [seed=N] "
        "--output FILE.csv|FILE.parquet [--bytes 6.8GB] [--replace]",
        """
  dataset=NAME    synthetic_retail, synthetic_sales, synthetic_weblogs or synthetic_ratings
  --output FILE   .csv or .parquet
  --bytes SIZE    about so large, such as 500MB, instead of a number of customers
  --replace       replace a file that is there
""",
    ),
    "fetch": Command(
        "segrun.data.fetch:fetch_command",
        "fetch online_retail",
        "download the UCI Online Retail data into the cache",
        "segrun fetch online_retail",
    ),
    "cache": Command(
        "segrun.cli.cache:cache_command",
        "cache [clear [--older DAYS]]",
        "what is kept of large inputs; remove it",
        "segrun cache [clear [--older DAYS]]",
        """
  clear          remove what no process uses
  --older DAYS   only what was not used for so many days
""",
    ),
    "doctor": Command(
        "segrun.cli.doctor:doctor_command",
        "doctor [--all]",
        "environment, versions, which backends and engines work here",
        "segrun doctor [--all]",
        """
  --all   try engines that start other processes as well: a minute
""",
    ),
}

_MORE = {
    "plugins check NAME": "run the conformance tests of an algorithm",
    "plugins new NAME [FOLDER]": "write a working plugin to begin with",
}


def _commands() -> str:
    lines = []
    for name, command in COMMANDS.items():
        told = {command.short: command.about} | (_MORE if name == "plugins" else {})
        lines += [f"  {short:<25}   {about}" for short, about in told.items()]
    return "\n".join(lines)


_COLUMNS = "'dataset.columns={customer: A, date: B, amount: C}'"
HELP = f"""\
segrun - many clusterings of customers, declared in YAML, run fast, compared honestly

usage
  segrun [KEY=VALUE ...]              run one experiment
  segrun -m KEY=VALUE,VALUE ...       run every combination, one job each
  segrun FILE.yaml [KEY=VALUE ...]    run the experiment in a file, such as a sweep's best.yaml
  segrun COMMAND                      see below; segrun COMMAND --help tells its options

examples
  segrun -m algo=kmeans,dbscan
  segrun dataset=online_retail dataset.path=OnlineRetail.csv.gz algo=kmeans
  segrun dataset=transactions dataset.path=FILE {_COLUMNS}
  segrun algo=kmeans algo.params.n_clusters=7      fix an axis of the grid
  segrun algo=kmeans 'algo.grid.n_clusters=[3,5,7]'
  segrun experiment=kit_kmeans_x1 dataset.path=OnlineRetail.csv.gz

groups (folders of conf/; your own ./conf beside the current directory extends them)
  dataset features augmentation transform algo backend engine evaluation segments experiment

commands
{_commands()}

options
  -m, --multirun   run every combination
  --cfg job        show the composed configuration and stop
  --info config    show how the configuration was composed
  --hydra-help     all options of Hydra
  --version        version of segrun
  -h, --help       this page

Results go to outputs/<name>/<time>/. Exit code: 0 all done; 1 a job or point failed;
2 the configuration is wrong; 3 reproduce came to other results; 130 interrupted.
"""
