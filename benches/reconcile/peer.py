"""Joins and classifies shipped and received lines as the bench does, with duckdb or polars on two threads.

    python peer.py duckdb|polars FOLDER AS_OF
"""

import json
import os
import resource
import sys
import time

engine, folder, as_of = sys.argv[1], sys.argv[2], int(sys.argv[3])
shipped, receipts = f"{folder}/shipped.csv", f"{folder}/receipts.csv"
started = time.monotonic()


def with_duckdb():
    import duckdb

    db = duckdb.connect(config={"threads": 2})
    text = "'VARCHAR'"
    db.execute(
        f"""create view s as select * from read_csv('{shipped}', header=true, quote='', columns={{
            'shipment': {text}, 'warehouse': {text}, 'carton': {text}, 'sku': {text}, 'units': 'BIGINT',
            'eta_p90': 'INTEGER', 'closed': 'INTEGER'}})"""
    )
    db.execute(
        f"""create view e as select * from read_csv('{receipts}', header=true, quote='', columns={{
            'event': {text}, 'warehouse': {text}, 'shipment': {text}, 'carton': {text}, 'sku': {text},
            'kind': {text}, 'units': 'BIGINT', 'day': 'INTEGER'}})"""
    )
    rows = db.execute(
        f"""
        with once as (select distinct * from e),
        told as (
            select shipment, carton, sku,
                sum(units) filter (where kind = 'received') as told,
                sum(units) filter (where kind = 'damaged') as damaged,
                max(day) as last
            from once group by all
        ),
        lines as (
            select shipment, carton, sku, s.units as shipped, coalesce(t.told, 0) as told,
                coalesce(t.damaged, 0) as damaged, t.last, s.eta_p90, s.closed
            from s full join told t using (shipment, carton, sku)
        ),
        judged as (
            select *, case when shipped > 0 and told > shipped and told % shipped = 0 then told - shipped else 0 end
                as again
            from lines
        ),
        standing as (
            select shipment, max(closed) = 1 or (max(last) is not null and {as_of} >= max(last) + 5 and
                (bool_and(told >= coalesce(shipped, 0)) or {as_of} > max(eta_p90))) as final,
                {as_of} > max(eta_p90) as late, max(last) is not null as seen
            from judged group by shipment
        ),
        sku_known as (select shipment, sku, max(shipped) as shipped from judged group by all),
        found as (
            select case
                when again > 0 then 'duplicate_report'
                when j.shipped is null and k.shipped is null then 'unannounced_sku'
                when j.shipped is null then 'carton_extra'
                when told > j.shipped then 'over'
                when told < j.shipped and final and told = 0 then 'carton_missing'
                when told < j.shipped and final then 'short'
                when told < j.shipped and late then 'late'
                when told < j.shipped and seen then 'open' end as kind,
                case when again > 0 then again else abs(told - coalesce(j.shipped, 0)) end as units
            from judged j join standing using (shipment) join sku_known k using (shipment, sku)
            where told <> coalesce(j.shipped, 0)
            union all select 'damaged', damaged from judged where damaged > 0
        )
        select kind, count(*), sum(units) from found where kind is not null group by kind order by kind"""
    ).fetchall()
    return {kind: [count, int(units)] for kind, count, units in rows}, duckdb.__version__


def with_polars():
    os.environ["POLARS_MAX_THREADS"] = "2"
    import polars as pl

    s = pl.scan_csv(shipped, quote_char=None)
    e = pl.scan_csv(receipts, quote_char=None)
    units = pl.col("units")
    told = (
        e.unique()
        .group_by("shipment", "carton", "sku")
        .agg(
            units.filter(pl.col("kind") == "received").sum().alias("told"),
            units.filter(pl.col("kind") == "damaged").sum().alias("damaged"),
            pl.col("day").max().alias("last"),
        )
    )
    lines = (
        s.select("shipment", "carton", "sku", units.alias("shipped"), "eta_p90", "closed")
        .join(told, on=["shipment", "carton", "sku"], how="full", coalesce=True)
        .with_columns(pl.col("told").fill_null(0), pl.col("damaged").fill_null(0))
    )
    shipped_units = pl.col("shipped").fill_null(0)
    told_units = pl.col("told")
    again = (shipped_units > 0) & (told_units > shipped_units) & (told_units % shipped_units == 0)
    last, p90 = pl.col("last").max(), pl.col("eta_p90").max()
    window = "shipment"
    complete = (told_units >= shipped_units).all()
    standing = lines.group_by(window).agg(
        (
            (pl.col("closed").max() == 1)
            | (last.is_not_null() & (as_of >= last + 5) & (complete | (as_of > p90)))
        )
        .fill_null(False)
        .alias("final"),
        (as_of > p90).alias("late"),
        last.is_not_null().alias("seen"),
    )
    known = lines.group_by("shipment", "sku").agg(pl.col("shipped").max().alias("known"))
    off = (
        lines.filter(told_units != shipped_units)
        .join(standing, on=window)
        .join(known, on=["shipment", "sku"])
        .with_columns(
            pl.when(again)
            .then(pl.lit("duplicate_report"))
            .when(pl.col("shipped").is_null() & pl.col("known").is_null())
            .then(pl.lit("unannounced_sku"))
            .when(pl.col("shipped").is_null())
            .then(pl.lit("carton_extra"))
            .when(told_units > shipped_units)
            .then(pl.lit("over"))
            .when(pl.col("final") & (told_units == 0))
            .then(pl.lit("carton_missing"))
            .when(pl.col("final"))
            .then(pl.lit("short"))
            .when(pl.col("late"))
            .then(pl.lit("late"))
            .when(pl.col("seen"))
            .then(pl.lit("open"))
            .alias("kind"),
            (told_units - shipped_units).abs().alias("units"),
        )
        .filter(pl.col("kind").is_not_null())
        .group_by("kind")
        .agg(pl.len().alias("lines"), pl.col("units").sum())
    )
    damaged = lines.filter(pl.col("damaged") > 0).select(
        pl.lit("damaged").alias("kind"), pl.len().alias("lines"), pl.col("damaged").sum().alias("units")
    )
    off, damaged = pl.collect_all([off, damaged], engine="streaming")
    return {kind: [count, int(sum)] for kind, count, sum in off.rows() + damaged.rows()}, pl.__version__


found, version = with_duckdb() if engine == "duckdb" else with_polars()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "version": version,
            "wall": time.monotonic() - started,
            "cpu": usage.ru_utime + usage.ru_stime,
            "mib": usage.ru_maxrss / 1024,
            "found": dict(sorted(found.items())),
        }
    )
)
