"""What the scripts of the build tell of their progress."""

import os
import pty
import subprocess

from conftest import REPOSITORY

NINJA = "ninja: Entering directory `build'\n[1/40] a.cc\n[2/40] b.cc\na.cc:3: warning: odd\n[39/40] c.cc\n[40/40] d\n"


def progress(text, *options):
    command = [REPOSITORY / "tools" / "progress.sh", "Building", *options]
    return subprocess.run(command, input=text, text=True, capture_output=True, check=True).stdout


def test_a_line_at_each_tenth():
    lines = [f"[{i}/200] {i}.cc" for i in range(1, 201)]
    told = progress("\n".join(lines) + "\n").splitlines()
    assert told[:2] == ["Building: 0 % (1 of 200)", "Building: 10 % (20 of 200)"]
    assert told[-1] == "Building: 100 % (200 of 200)"
    assert len(told) == 11


def test_what_a_compiler_says_goes_through():
    assert progress(NINJA).splitlines() == [
        "Building: 2 % (1 of 40)",
        "a.cc:3: warning: odd",
        "Building: 97 % (39 of 40)",
        "Building: 100 % (40 of 40)",
    ]
    assert "warning" not in progress(NINJA, "--status-only")
    assert progress("ninja: no work to do.\n") == ""


def test_ctest_and_apt_are_understood():
    assert progress(" 3/12 Test  #7: Csv.Reads ....   Passed    0.01 sec\n") == "Building: 25 % (3 of 12)\n"
    apt = "dlstatus:1:50.5:Retrieving file 1 of 2\ndlstatus:2:100:Retrieving\npmstatus:libc6:amd64:20.0:Installing\n"
    assert progress(apt, "--status-only").splitlines() == [
        "Building, download: 50 %",
        "Building, download: 100 %",
        "Building: 20 %",
    ]


def test_a_terminal_s_line_is_written_over():
    master, slave = pty.openpty()
    command = [REPOSITORY / "tools" / "progress.sh", "Building"]
    subprocess.run(command, input=NINJA, text=True, stdout=slave, check=True)
    os.close(slave)
    shown = os.read(master, 4096).decode()
    os.close(master)
    assert shown.startswith("\r\x1b[KBuilding: 2 % (1 of 40)\r\x1b[KBuilding: 5 % (2 of 40)\r\x1b[Ka.cc:3: warning: odd\r\n")
    assert shown.endswith("Building: 100 % (40 of 40)\r\n")
