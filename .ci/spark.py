"""Protects a Parquet data set with Spark, which pipes the rows through the command line. One executor is killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

from pyspark.sql import SparkSession

master, cli, policy, keys, folder = sys.argv[1:]
apply = f"node {cli} apply --ndjson --policy {policy} --keys {keys}"


def pids(pattern):
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split()]


spark = (
    SparkSession.builder.master(master)
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "8")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")

spark.read.option("header", True).csv(f"{folder}/in.csv").repartition(16).write.parquet(f"{folder}/in.parquet")
people = spark.read.parquet(f"{folder}/in.parquet")

with open(f"{folder}/in.ndjson", "w", encoding="utf8") as out:
    for line in people.toJSON().toLocalIterator():
        out.write(line + "\n")

killed = []


def kill():
    """Waits until the command line runs, then kills an executor. If there is none (a local master), kills the pipe."""
    while not pids(f"^node {cli} apply"):
        time.sleep(0.02)
    time.sleep(0.3)
    victims = pids("CoarseGrainedExecutorBackend") or pids(f"^node {cli} apply")
    for pid in victims[:1]:
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)


thread = threading.Thread(target=kill, daemon=True)
thread.start()
protected = people.toJSON().pipe(apply, checkCode=True)
spark.read.json(protected, primitivesAsString=True).write.parquet(f"{folder}/out.parquet")
thread.join(timeout=1)

with open(f"{folder}/out.ndjson", "w", encoding="utf8") as out:
    for row in spark.read.parquet(f"{folder}/out.parquet").toLocalIterator():
        out.write(json.dumps(row.asDict(), ensure_ascii=False, sort_keys=True) + "\n")
print(f"killed {len(killed)}")
spark.stop()
