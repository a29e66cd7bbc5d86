"""Two hosts for mpirun on one machine: network namespaces with a cable between them, names of their own, TCP the only way."""

import os
import shutil
import subprocess
from pathlib import Path

NETWORK = "10.213.7"

# What mpirun calls in ssh's place: AGENT [FLAGS] ADDRESS COMMAND.
AGENT = """#!/bin/bash
while [[ $1 == -* ]]; do shift; done
address=$1; shift
exec ip netns exec {prefix}${{address##*.}} unshare --uts bash -c 'hostname host"$0"; eval "$1"' "${{address##*.}}" "$*"
"""


class NotHere(Exception):
    """This machine gives no namespaces; says why."""


class TwoHosts:
    """A context in which the hosts are there. Raises NotHere."""

    def __init__(self, work):
        self.work, self.prefix = Path(work), f"zp{os.getpid()}h"

    def __enter__(self):
        missing = [tool for tool in ("ip", "unshare", "hostname", "mpirun") if not shutil.which(tool)]
        if missing:
            raise NotHere(f"no {', '.join(missing)}")
        try:
            for host in (1, 2):
                self._ip("netns", "add", f"{self.prefix}{host}")
            self._ip("link", "add", "zp1", "netns", f"{self.prefix}1", "type", "veth", "peer", "name", "zp2", "netns", f"{self.prefix}2")
            for host in (1, 2):
                self._ip("-n", f"{self.prefix}{host}", "addr", "add", f"{NETWORK}.{host}/24", "dev", f"zp{host}")
                for link in ("lo", f"zp{host}"):
                    self._ip("-n", f"{self.prefix}{host}", "link", "set", link, "up")
            subprocess.run(["unshare", "--uts", "hostname", "host1"], check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as refused:
            self.__exit__()
            raise NotHere((refused.stderr or str(refused)).strip()) from refused
        self.agent = self.work / "agent"
        self.agent.write_text(AGENT.format(prefix=self.prefix))
        self.agent.chmod(0o755)
        return self

    def __exit__(self, *_):
        for host in (1, 2):
            subprocess.run(["ip", "netns", "del", f"{self.prefix}{host}"], capture_output=True)

    @staticmethod
    def _ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)

    def mpirun(self):
        """The words that start a rank on each host, from the first."""
        mpirun = f"mpirun --allow-run-as-root --bind-to none -n 2 --host {NETWORK}.1:1,{NETWORK}.2:1"
        mpirun += f" --mca plm rsh --mca plm_rsh_agent {self.agent} --mca pml ob1 --mca btl tcp,self"
        for part in ("oob_tcp", "btl_tcp"):
            mpirun += f" --mca {part}_if_include {NETWORK}.0/24"
        return [str(self.agent), f"{NETWORK}.1", "exec", *mpirun.split()]

    def received_bytes(self):
        """What came to the first host over the cable so far."""
        words = ["ip", "netns", "exec", f"{self.prefix}1", "cat", "/sys/class/net/zp1/statistics/rx_bytes"]
        return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
