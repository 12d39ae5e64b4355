"""Services that tests start for themselves from the system's packages: PostgreSQL, and network namespaces as hosts."""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import time


def find_program(name, *patterns):
    """Returns the path of a program in PATH or in a directory that matches a pattern; None if there is none."""
    found = shutil.which(name)
    places = [path / name for pattern in patterns for path in pathlib.Path("/").glob(pattern)]
    return found or next((str(path) for path in places if path.exists()), None)


def can_add_namespaces():
    """Whether this process may create network namespaces and connect them."""
    name = f"mnist-{os.getpid()}"
    if not shutil.which("ip") or subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
        return False
    subprocess.run(["ip", "netns", "del", name], check=True)
    return True


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgreSQL:
    """A temporary cluster below `directory`; listens everywhere, and trusts everybody who comes from 10.0.0.0/8."""

    INITDB = find_program("initdb", "usr/lib/postgresql/*/bin")

    def __init__(self, directory, **settings):
        self.port = free_port()
        self.data = pathlib.Path(directory) / "postgresql"
        self.data.mkdir()
        if os.geteuid() == 0:  # as whom it refuses to run
            owner = pwd.getpwnam("postgres")
            os.chown(self.data, owner.pw_uid, owner.pw_gid)
            pathlib.Path(directory).chmod(0o711)
        self.call("initdb", "--pgdata", self.data, "--auth", "trust", "--username", "sweep", "--no-sync")
        with open(self.data / "pg_hba.conf", "a") as access:
            access.write("host all all 10.0.0.0/8 trust\n")
        settings = {"listen_addresses": "'*'", "port": self.port, "unix_socket_directories": "''"} | settings
        with open(self.data / "postgresql.conf", "a") as configuration:
            configuration.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self.call("pg_ctl", "--pgdata", self.data, "--log", self.data / "log", "--wait", "start")
        self.call("createdb", "--host", "127.0.0.1", "--port", self.port, "--username", "sweep", "studies")

    def url(self, host="127.0.0.1"):
        return f"postgresql://sweep@{host}:{self.port}/studies"

    def stop(self):
        self.call("pg_ctl", "--pgdata", self.data, "--mode", "immediate", "--wait", "stop")

    def call(self, program, *arguments):
        command = [str(pathlib.Path(os.path.realpath(self.INITDB)).parent / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


class Hosts:
    """Network namespaces with one link each to this machine; file systems are shared."""

    def __init__(self, count):
        self.names = [f"mnist-{os.getpid()}-{number}" for number in range(count)]
        self.block = os.getpid() % 250
        for number, name in enumerate(self.names):
            for command in (f"netns add {name}",
                            f"link add {self.link(number)} type veth peer name eth0 netns {name}",
                            f"addr add {self.gateway(number)}/24 dev {self.link(number)}",
                            f"link set {self.link(number)} up",
                            f"-n {name} addr add 10.{self.block}.{number}.2/24 dev eth0",
                            f"-n {name} link set eth0 up", f"-n {name} link set lo up"):
                self.ip(command)

    def link(self, number):
        return f"mn{os.getpid() % 10**6}-{number}"

    def gateway(self, number):
        """The address under which a host reaches this machine."""
        return f"10.{self.block}.{number}.1"

    def command(self, number):
        """The words before a command that is to run on a host."""
        return ["ip", "netns", "exec", self.names[number]]

    def connect(self, number, up):
        self.ip(f"link set {self.link(number)} {'up' if up else 'down'}")

    def remove(self):
        for name in self.names:
            self.ip(f"netns del {name}")

    def ip(self, arguments):
        subprocess.run(["ip", *arguments.split()], check=True)


def children_of(pid):
    """The processes that process `pid` has started."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    return [int(text) for text in found.stdout.split()]


def wait_until(condition, seconds=120):
    """Waits until condition() is true; returns whether it ever was."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
