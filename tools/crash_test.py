"""Kills prepare and pretrain at random moments and checks that the rerun ends with the same bytes.

    python3 tools/crash_test.py --binary build/bin/sequela --meds MEDS [--athena DIR] --work DIR
        [--prepare-kills 20] [--pretrain-kills 10] [--seed 1]

Each trial starts from nothing, is killed with SIGKILL after a random share of an undisturbed run's time, and
is run again to its end. Prints one line a trial and a summary; exit code 1 if any byte differs.
"""

import argparse
import hashlib
import pathlib
import random
import shutil
import subprocess
import sys
import time


def digest(folder: pathlib.Path) -> dict:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def run(command, kill_after=None):
    """Seconds the command took; None if it was killed."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, errors = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}: {errors.decode()}")
    return time.monotonic() - start


def trials(name, command, outputs, kills, rng):
    """Runs `command`, which fills `outputs`, once undisturbed and then with kills; returns the failures."""
    def clear():
        for output in outputs:
            for path in [output, *output.parent.glob(output.name + ".*")]:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    clear()
    seconds = run(command)
    wanted = digest(outputs[0])
    print(f"{name}: {seconds:.1f} s undisturbed, {len(wanted)} files", flush=True)
    failures = num_killed = 0
    for trial in range(kills):
        clear()
        moment = rng.uniform(0.02, 0.98) * seconds
        was_killed = run(command, kill_after=moment) is None
        num_killed += was_killed
        again = run(command)
        found = digest(outputs[0])
        differing = sorted(file for file in wanted.keys() | found.keys() if wanted.get(file) != found.get(file))
        failures += bool(differing)
        print(f"{name} {trial + 1}/{kills}: {'killed' if was_killed else 'finished'} at {moment:.2f} s, "
              f"rerun {again:.1f} s, {'same bytes' if not differing else 'DIFFERS: ' + ', '.join(differing)}",
              flush=True)
    print(f"{name}: {num_killed} of {kills} trials were killed in time, {failures} ended with other bytes", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="build/bin/sequela")
    parser.add_argument("--meds", required=True)
    parser.add_argument("--athena")
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--prepare-kills", type=int, default=20)
    parser.add_argument("--pretrain-kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)

    files, model, output = work / "files", work / "model", work / "output"
    prepare = [arguments.binary, "prepare", "--meds", arguments.meds, "--out", str(files), "--quiet",
               "--num-tasks", "512", "--vocab-size", "2048", "--tokens-per-batch", "1024"]
    if arguments.athena:
        prepare += ["--athena", arguments.athena]
    failures = trials("prepare", prepare, [files], arguments.prepare_kills, rng)
    pretrain = [arguments.binary, "pretrain", "--data", str(files), "--model", str(model), "--out", str(output),
                "--layers", "2", "--hidden", "64", "--heads", "2", "--intermediate", "128", "--accumulate", "2",
                "--max-steps", "24", "--eval-every", "4", "--warmup-steps", "4", "--learning-rate", "1e-3", "--quiet"]
    failures += trials("pretrain", pretrain, [model, output], arguments.pretrain_kills, rng)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
