#!/usr/bin/env python3
"""Times one run by two processes with a limited link between them, against one process.

Each process is on a "machine" of its own: a network namespace with its own host name. tc limits the link
between them. Needs root, iproute2 and an Open MPI build of mnist-train. Prints a table and a model's
prediction for more machines. Run it on an otherwise idle machine.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
MACHINES = ("mnist-bench-1", "mnist-bench-2")
NETWORK = "10.231.7"


def parameters_of(hidden):
    widths = [784, *map(int, hidden.split(",")), 10]
    return sum((inputs + 1) * outputs for inputs, outputs in zip(widths, widths[1:]))


def ip(command):
    subprocess.run(["ip", *command.split()], check=True)


class Link:
    """Two network namespaces, and a link between them with a bandwidth of `gigabits` per second in each direction."""

    def __init__(self, gigabits):
        self.gigabits = gigabits

    def __enter__(self):
        try:
            self.connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def connect(self):
        for machine in MACHINES:
            ip(f"netns add {machine}")
        first, second = MACHINES
        ip(f"link add mnist-eth netns {first} type veth peer name mnist-eth netns {second}")
        for number, machine in enumerate(MACHINES, 1):
            ip(f"-n {machine} addr add {NETWORK}.{number}/24 dev mnist-eth")
            ip(f"-n {machine} link set lo up")
            ip(f"-n {machine} link set mnist-eth up")
            subprocess.run(["ip", "netns", "exec", machine, "tc", "qdisc", "add", "dev", "mnist-eth", "root", "tbf",
                            "rate", f"{self.gigabits}gbit", "burst", "256k", "latency", "50ms"], check=True)

    def __exit__(self, *_):
        for machine in MACHINES:
            subprocess.run(["ip", "netns", "del", machine], check=False)

    def sent(self):
        """Returns the bytes that the first machine has sent."""
        path = "/sys/class/net/mnist-eth/statistics/tx_bytes"
        return int(subprocess.check_output(["ip", "netns", "exec", MACHINES[0], "cat", path]))

    def mpirun(self, folder, command):
        """Runs a command on both machines; returns the output of both."""
        agent = folder / "agent"  # instead of ssh
        agent.write_text("#!/bin/sh\nhost=$1; shift\n"
                         "exec ip netns exec $host unshare --uts sh -c \"hostname $host; $*\"\n")
        agent.chmod(0o755)
        launch = ["mpirun", "--allow-run-as-root", "--mca", "plm_rsh_agent", str(agent), "--mca", "btl", "tcp,self",
                  "--mca", "btl_tcp_if_include", f"{NETWORK}.0/24", "--mca", "oob_tcp_if_include", f"{NETWORK}.0/24",
                  "--bind-to", "none", "--host", f"{MACHINES[0]}:1,{MACHINES[1]}:1", "-n", "2"]
        setup = f"hostname {MACHINES[0]}; exec \"$@\""
        return subprocess.check_output(["ip", "netns", "exec", MACHINES[0], "unshare", "--uts", "sh", "-c", setup, "sh",
                                        *launch, *command], stderr=subprocess.DEVNULL)


def seconds_per_step(output, steps):
    return json.loads(output.decode().splitlines()[-1])["seconds"] / steps


def measure(arguments, hidden, batch):
    """Returns the median seconds per step of one process and of two over each link, measured in turns, and the bytes
    sent per step."""
    steps = -(-arguments.limit // batch)
    command = [str(arguments.program), "--data", str(arguments.data), "--limit", str(arguments.limit), "--epochs", "1",
               "--hidden", hidden, "--batch", str(batch), "--threads", "1", "--device", "cpu", "--no-test", "--quiet",
               "--json"]
    single, pairs, sent = [], {gigabits: [] for gigabits in arguments.gigabits}, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command += ["--out", str(folder / "model.pt")]
        for _ in range(arguments.rounds):
            single.append(seconds_per_step(subprocess.check_output(command, stderr=subprocess.DEVNULL), steps))
            for gigabits in arguments.gigabits:
                with Link(gigabits) as link:
                    pairs[gigabits].append(seconds_per_step(link.mpirun(folder, command), steps))
                    # Once a run: the checkpoint that it starts from, and a comparison of the results.
                    sent = (link.sent() - 16 * parameters_of(hidden)) / steps
    return statistics.median(single), {key: statistics.median(value) for key, value in pairs.items()}, sent


def predicted(single, update, parameters, batch, link, machines):
    """Returns the seconds of a step: its share of the gradients, the update, and the exchange of gradients and
    images."""
    gigabits, latency = link
    leaves = min(-(-batch // 128), 16)
    share = -(-leaves // machines) / leaves if leaves > 1 else 1
    received = 0 if leaves == 1 else 2 * (machines - 1) / machines * 4 * parameters
    received += (machines - 1) / machines * share * batch * 784
    # Two exchanges of gradients: each process sends to all others, one after another.
    waiting = 0 if leaves == 1 else 2 * (machines - 1) * latency
    return (single - update) * share + update + received * 8 / (gigabits * 1e9) + waiting


def report(arguments, hidden, measured):
    """Prints the rows of a network."""
    # The time of the update is that of a step without examples, extrapolated.
    small, large = min(measured), max(measured)
    slope = (measured[large][0] - measured[small][0]) / max(large - small, 1)
    update = max(measured[large][0] - slope * large, 0) if slope else 0
    for batch, (single, pairs, sent) in measured.items():
        for gigabits, pair in pairs.items():
            link = gigabits, arguments.latency / 1e3
            model = [predicted(single, update, parameters_of(hidden), batch, link, machines)
                     for machines in (2, 4, 8, 16, 64)]
            print(f"784-{hidden.replace(',', '-')}-10 | {batch} | {gigabits:g} Gbit/s | {sent / 1e6:.2f} MB | "
                  f"{single * 1e3:.2f} ms | {pair * 1e3:.2f} ms | {single / pair:.2f} | "
                  + " | ".join(f"{single / value:.2f}" for value in model), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/mnist-train")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data/mnist")
    parser.add_argument("--gigabits", type=float, nargs="+", default=[1, 10], help="of the links, per second")
    parser.add_argument("--latency", type=float, default=0.1, help="of the model's links, in milliseconds")
    parser.add_argument("--hidden", nargs="+", default=["256,128", "1024,512", "2048,2048"], help="layers of a network")
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 1024, 2048], help="minibatches")
    parser.add_argument("--limit", type=int, default=20480, help="examples of a run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind; the median is reported")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("needs root, to add network namespaces")
    print("network | batch | link | sent per step | 1 machine | 2 machines | speedup | model: 2 | 4 | 8 | 16 | 64")
    for hidden in arguments.hidden:
        report(arguments, hidden, {batch: measure(arguments, hidden, batch) for batch in arguments.batch})


if __name__ == "__main__":
    main()
