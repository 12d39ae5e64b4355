"""Opens the storage of studies: a SQLite file for one machine, PostgreSQL for several."""

import random
import time
import warnings

import optuna
import sqlalchemy

from .errors import SweepError, UsageError

# A worker that misses this many heartbeats is considered dead.
MISSED_HEARTBEATS = 3
# Seconds that a SQLite transaction waits for those of other processes.
SQLITE_TIMEOUT = 60
OPEN_ATTEMPTS = 5
# Raised when the storage does not respond.
STORAGE_ERRORS = (optuna.exceptions.StorageInternalError, sqlalchemy.exc.SQLAlchemyError)


def open_storage(arguments, on_stale):
    """Returns the storage of --storage. Calls on_stale(study, trial) for the trial of a dead worker."""
    url = arguments.storage or f"sqlite:///{arguments.results.resolve() / 'studies.sqlite'}"
    try:
        dialect = sqlalchemy.make_url(url).get_backend_name()
    except sqlalchemy.exc.ArgumentError:
        dialect = "unknown"
    if dialect == "sqlite":
        options = {"connect_args": {"timeout": SQLITE_TIMEOUT}}
        arguments.results.mkdir(parents=True, exist_ok=True)
    elif dialect in ("postgresql", "postgres"):
        url = "postgresql+psycopg://" + url.partition("://")[2]
        options = postgresql_options(arguments.heartbeat)
    else:
        raise UsageError(f"--storage {url}: expected postgresql://USER@HOST/DATABASE or sqlite:///FILE")
    heartbeat = {"heartbeat_interval": arguments.heartbeat, "grace_period": MISSED_HEARTBEATS * arguments.heartbeat,
                 "heartbeat_stale_trial_callback": on_stale}
    storage = try_to_open(url, options, heartbeat)
    if dialect == "sqlite":
        configure_sqlite(storage.engine)
    return storage


def postgresql_options(heartbeat):
    """Returns engine options for which a disconnected host notices it, and does not block the others."""
    server = f"-c idle_in_transaction_session_timeout={heartbeat}s -c tcp_user_timeout={heartbeat}s"
    return {"pool_size": 1, "max_overflow": 1, "pool_pre_ping": True,
            "connect_args": {"connect_timeout": max(2, heartbeat), "tcp_user_timeout": 1000 * heartbeat,
                             "keepalives_idle": heartbeat, "keepalives_interval": heartbeat, "keepalives_count": 1,
                             "options": server}}


def try_to_open(url, options, heartbeat):
    """Opens the storage and creates its tables. Retries, because workers that start together can collide."""
    for attempt in range(1, OPEN_ATTEMPTS + 1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return optuna.storages.RDBStorage(url, engine_kwargs=dict(options), **heartbeat)
        except ImportError:
            raise SweepError("--storage: the Python package psycopg is missing; install it with: "
                             "python3 -m pip install 'psycopg[binary]'") from None
        except Exception as error:  # SQLAlchemy's, Optuna's and, if tables are incomplete, AssertionError
            if attempt == OPEN_ATTEMPTS:
                shown = sqlalchemy.make_url(url).render_as_string(hide_password=True)
                raise SweepError(f"--storage {shown} cannot be opened: {first_line(error)}; check that the server "
                                 "runs and that the database exists") from None
            time.sleep(random.uniform(0.2, 1))


def first_line(error):
    cause = error.__cause__ or error
    return (str(getattr(cause, "orig", cause)).strip().splitlines() or [type(cause).__name__])[0]


def configure_sqlite(engine):
    """Makes each SQLite transaction lock the file before it reads, and speeds up commits.

    Optuna selects a row FOR UPDATE before it changes it. SQLite has no such lock, so two workers could both find a
    trial waiting and take it.
    """
    @sqlalchemy.event.listens_for(engine, "connect")
    def begin_by_hand(connection, _):
        connection.isolation_level = None
        # An occasional fsync instead of two in each transaction. A power failure can undo the last transactions, but
        # never half of one; their trials are then trained again, or found complete.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    @sqlalchemy.event.listens_for(engine, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()
