"""A Slurm of one node that a test starts for itself: munged, slurmctld and slurmd."""

import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess

from services import find_program, free_port, wait_until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue")
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={directory}/munge.socket,cred_expire=5
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd.pid
SlurmctldLogFile={directory}/slurmctld.log
SlurmdLogFile={directory}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,bf_interval=1,sched_interval=1,requeue_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=10
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=scavenge Nodes={host} Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=20 OverSubscribe=NO
PartitionName=urgent Nodes={host} PriorityTier=2 PreemptMode=OFF OverSubscribe=NO
"""


def is_installed():
    return all(find_program(name, "usr/sbin") for name in PROGRAMS)


class Slurm:
    """A cluster with two CPUs and two partitions; jobs in `urgent` preempt those in `scavenge`, with 20 s of grace."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "slurm"
        self.daemons = []
        for name in ("state", "spool"):
            (self.directory / name).mkdir(parents=True)
        host = socket.gethostname().partition(".")[0]
        self.configuration = self.directory / "slurm.conf"
        self.configuration.write_text(CONFIGURATION.format(
            host=host, directory=self.directory, controller_port=free_port(), node_port=free_port()))
        # None of the cluster on which the test itself may run.
        outside = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
        self.environment = outside | {"SLURM_CONF": str(self.configuration)}
        try:
            self.start_munge()
            self.start("slurmctld", "-D", "-c", "-f", str(self.configuration))
            self.start("slurmd", "-D", "-c", "-f", str(self.configuration), "-N", host)
            if not wait_until(lambda: "idle" in self.call("sinfo", "--noheader", "--format=%t").stdout, 60):
                raise RuntimeError(f"Slurm does not start:\n{self.logs()}")
        except BaseException:
            self.stop()
            raise

    def start_munge(self):
        key = self.directory / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        user = "munge" if os.geteuid() == 0 else None
        self.directory.parent.chmod(0o755)
        if user:
            for path in (self.directory, key):
                shutil.chown(path, user)
        self.start("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={self.directory}/munge.socket",
                   f"--log-file={self.directory}/munge.log", f"--pid-file={self.directory}/munge.pid",
                   f"--seed-file={self.directory}/munge.seed", user=user)
        if not wait_until((self.directory / "munge.socket").exists, 20):
            raise RuntimeError("munged does not start")
        if user:
            shutil.chown(self.directory, "root")

    def start(self, program, *arguments, user=None):
        log = open(self.directory / f"{program}.out", "w")
        self.daemons.append(subprocess.Popen([find_program(program, "usr/sbin"), *arguments], stdout=log, stderr=log,
                                             env=self.environment, user=user, start_new_session=True))
        log.close()

    def call(self, *command, **options):
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, env=self.environment, **options)

    def logs(self):
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in self.directory.glob("*.log"))

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
