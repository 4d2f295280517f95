"""What an engine on this machine needs of the process that uses it, be it `medallion` or bare dbt (dbt_plugin)."""

from __future__ import annotations

import os
import socket

from medallion import sail
from medallion.lake import ON_THIS_MACHINE

LOOPBACK = ["127.0.0.1", "localhost"]
# They name another Spark, or turn target local into a client of one; profiles.yml says all there is to say.
OTHER_SPARKS = ["SPARK_HOME", "SPARK_REMOTE", "SPARK_CONF_DIR", "SPARK_API_MODE", "SPARK_CONNECT_MODE_ENABLED"]
OTHER_SPARKS += ["PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT", "SPARK_LOCAL_IP", "SPARK_LOCAL_HOSTNAME"]


def prepare(target: str) -> None:
    """Sets the environment right for a target; what others than those of this machine need is on their server.

    Args:
        target: its name in profiles.yml.
    """
    if target not in ON_THIS_MACHINE:
        os.environ.setdefault("HOSTNAME", socket.gethostname())  # the lease of a shared lake names it
        return
    for name in OTHER_SPARKS:
        os.environ.pop(name, None)
    # Java decodes file names by the locale, and skips those that it cannot represent.
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if not locale.upper().replace("-", "").endswith("UTF8"):
        os.environ["LC_ALL"] = "C.UTF-8"
    # gRPC takes the way to loopback through a proxy too; no_grpc_proxy hides no_proxy from it.
    for name in ("no_proxy", "NO_PROXY", *(["no_grpc_proxy"] if "no_grpc_proxy" in os.environ else [])):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join([*hosts, *(host for host in LOOPBACK if host not in hosts)])


def be_brief() -> None:
    """Lets PySpark's client of Sail give up within seconds, with a sentence; by itself it tries for ten minutes."""
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client.core import SparkConnectClient
    from pyspark.sql.connect.client.retries import DefaultPolicy

    create = SparkConnectClient.__init__
    if create.__name__ == "brief":
        return

    def brief(client: SparkConnectClient, *arguments: object, **options: object) -> None:
        if not sail.is_listening():
            raise PySparkException(
                f"No Sail server answers at {sail.HOST}:{sail.port()}. Start one in another terminal with"
                " `medallion serve`, or use `medallion build`, which starts one of its own."
            )
        create(client, *arguments, **options)
        client.set_retry_policies([DefaultPolicy(max_retries=4)])

    SparkConnectClient.__init__ = brief
