"""What others need for the demand that `plan -- export` wrote: velocities with polars and duckdb, a forecast with
statsforecast. Each task in a process of its own; CPU seconds over all its threads, its memory at its peak."""

import multiprocessing
import resource
import sys
import time

WINDOWS = [3, 7, 14, 30, 60, 90]
DAYS = 365
# Series a forecast is made of: more of them cost in proportion.
SERIES = 5_000


def prepare(folder, lines):
    """The long table both engines read, as a data team keeps it."""
    import numpy as np
    import polars as pl

    days = np.fromfile(f"{folder}/days.u16", dtype="<u2").reshape(lines, DAYS)
    table = pl.DataFrame(
        {
            "sku": np.repeat(np.arange(lines, dtype=np.uint32), DAYS),
            # 1 is yesterday.
            "back": np.tile(np.arange(DAYS, 0, -1, dtype=np.uint16), lines),
            "qty": days.reshape(-1),
        }
    )
    table.write_parquet(f"{folder}/days.parquet")


def polars_velocities(folder, _lines):
    import polars as pl

    rates = [
        (pl.col("qty").filter(pl.col("back") <= n).cast(pl.Int64).sum() / n).alias(f"v{n}") for n in WINDOWS
    ]
    table = pl.scan_parquet(f"{folder}/days.parquet").group_by("sku").agg(rates).collect()
    return [round(table[f"v{n}"].sum(), 3) for n in WINDOWS]


def duckdb_velocities(folder, _lines):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads TO 2")
    rates = ", ".join(f"SUM(qty) FILTER (WHERE back <= {n}) / {n}.0 AS v{n}" for n in WINDOWS)
    connection.execute(
        f"CREATE TABLE velocity AS SELECT sku, {rates} FROM '{folder}/days.parquet' GROUP BY sku"
    )
    sums = ", ".join(f"SUM(v{n})" for n in WINDOWS)
    return [round(float(v), 3) for v in connection.execute(f"SELECT {sums} FROM velocity").fetchone()]


def statsforecast_models(folder, lines):
    import numpy as np
    from statsforecast.models import CrostonSBA, TSB

    days = np.fromfile(f"{folder}/days.u16", dtype="<u2").reshape(lines, DAYS)
    series = days[: min(SERIES, lines)].astype(np.float32)
    results = []
    for model in (CrostonSBA(), TSB(alpha_d=0.1, alpha_p=0.1)):
        model.forecast(y=series[0], h=42)  # compiles
        begin, total = cpu(), 0.0
        for y in series:
            total += float(model.forecast(y=y, h=42)["mean"].sum())
        results.append(f"{model}: {(cpu() - begin) / len(series) * 1e6:.1f} us a series")
    return results


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run(task, folder, lines, answers):
    begin, wall = cpu(), time.monotonic()
    result = task(folder, lines)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    answers.put((cpu() - begin, time.monotonic() - wall, peak, result))


def main():
    folder, lines = sys.argv[1], int(sys.argv[2])
    alone = multiprocessing.get_context("spawn")
    prepare(folder, lines)
    for task in (polars_velocities, duckdb_velocities, statsforecast_models):
        answers = alone.Queue()
        process = alone.Process(target=run, args=(task, folder, lines, answers))
        process.start()
        used, wall, peak, result = answers.get()
        process.join()
        each = f"{used / lines * 1e6:7.1f} us a line" if task is not statsforecast_models else ""
        print(
            f"{task.__name__:22} {used:8.2f} CPU s {wall:7.2f} s {peak:6} MiB {each}  {result}",
            flush=True,
        )


if __name__ == "__main__":
    main()
