# SPDX-License-Identifier: Apache-2.0
"""The results as Markdown."""


def figure(value):
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def reasons(cases):
    """A line for each that has no figures."""
    return "".join(f"\nn/a: {name}: {row['reason']}\n" for name, row in cases.items()
                   if isinstance(row, dict) and "reason" in row)


def compared(cases, unit="ms", base="skiff"):
    """Name, median, p99, and how many times the base."""
    reference = next((row["median"] for name, row in cases.items()
                      if name.split()[0] == base and "median" in row), None)
    rows = []
    for name, row in sorted(cases.items(), key=lambda item: item[1].get("median", 1e9)):
        if "reason" in row:
            rows.append([name, "n/a", "", "", ""])
            continue
        ratio = f"{row['median'] / reference:.2f}" if reference else ""
        rows.append([name, figure(row["median"]), figure(row["p99"]), ratio, row["n"]])
    return (table(["", f"median, {unit}", f"p99, {unit}", f"times {base}", "n"], rows)
            + reasons(cases))


def phases(data):
    lines = [f"One iteration: {data['total']:.0f} µs.\n"]
    for side in ("parent", "child"):
        lines.append(table([side, "µs"],
                           [[name.replace("_", " "), f"{took:.0f}"] for name, took in data[side]]))
    return "\n".join(lines)


def ps(data):
    parts = []
    for name, cases in data.items():
        if name.startswith("removal"):
            parts.append(f"{name}: " + ", ".join(f"{engine} {seconds:.1f}"
                                                  for engine, seconds in cases.items()) + "\n")
        else:
            parts.append(f"### {name}\n\n" + compared(cases))
    return "\n".join(parts)


def parallel(data):
    rows = []
    for name, levels in data.items():
        if "reason" in levels:
            rows.append([name, "n/a", "", "", "", ""])
            continue
        rows += [[name, workers, f"{row['per_second']:.1f}", figure(row["median"]),
                  figure(row["p99"]), f"{row['p99'] / row['queueing_bound']:.2f}"]
                 for workers, row in levels.items()]
    return (table(["", "at a time", "runs per second", "p50, ms", "p99, ms",
                   "p99 / queueing bound"], rows) + reasons(data))


def memory(data):
    return table(
        ["", "process", "private, KB", "PSS, KB", "kept running beside it, KB private"],
        [[name, row["monitor"], figure(row["private_kb"]), figure(row["pss_kb"]),
          figure(row["beside_kb"]) if row["beside_kb"] else "nothing"]
         for name, row in data.items()])


def thousand(data):
    return "\n".join(table([name, ""], [[what, figure(value) if value else 0]
                                        for what, value in rows.items()])
                     for name, rows in data.items())


def largest(kilobytes):
    return "Largest process, MB: " + ", ".join(
        f"{name} {kb / 1024:.0f}" for name, kb in kilobytes.items()) + "\n"


def seconds(data):
    parts = []
    for name, cases in data.items():
        if "memory_kb" in cases:
            parts.append(largest(cases["memory_kb"]))
            continue
        in_seconds = {case: {key: value / 1000.0 if key in ("median", "p99") else value
                             for key, value in row.items()} for case, row in cases.items()}
        base = "bare transfer" if "bare transfer" in cases else "skiff"
        parts.append(f"### {name}\n\n" + compared(in_seconds, unit="s", base=base))
    return "\n".join(parts)


def ports(data):
    kept = ", ".join(f"{name} {kb:.0f}" for name, kb in data["kept"].items())
    return compared(data["starts"]) + f"\nPrivate memory of the monitor, KB: {kept}.\n"


UNITS = {"throughput": "iperf3, Gbit/s", "requests": "wrk against nginx, requests a second"}


def traffic(data):
    parts = []
    for what, rows in data["medians"].items():
        names = list(next(iter(rows.values())))
        parts.append(f"### {UNITS[what]}\n\n" + table(
            ["", *names], [[way, *(figure(row[name]) for name in names)]
                           for way, row in rows.items()]))
    return "\n".join(parts) + "".join(f"\nn/a: {name}: {reason}\n"
                                      for name, reason in data["reasons"].items())


def dns(data):
    rows = [[name, label, f"{row['per_second']:.0f}", figure(row["p50_us"] / 1000.0),
             figure(row["p99_us"] / 1000.0), row["lost"], row["failures"], row["grown_kb"]]
            for name, levels in data["rows"].items() for label, row in levels.items()]
    return table(["", "asked", "answers a second", "p50, ms", "p99, ms", "lost", "wrong",
                  "memory grown, KB"], rows) + "".join(
        f"\nn/a: {name}: {reason}\n" for name, reason in data["reasons"].items())


TITLES = {
    "floor": ("The floor, step by step", phases),
    "run": ("`run --rm --network none IMAGE true`, the whole command", compared),
    "exec": ("`exec C true`", compared),
    "ps": ("`ps`", ps),
    "parallel": ("Whole runs in parallel", parallel),
    "memory": ("Memory behind one idle container", memory),
    "thousand": ("Many containers at once", thousand),
    "load": ("`load` of a large image", seconds),
    "pull": ("`pull` of a large image from a registry on loopback", seconds),
    "slow": ("`pull` through a link of 20 ms and 200 Mbit/s", seconds),
    "bridge": ("`run --rm IMAGE true` with the default network", compared),
    "ports": ("Ten thousand published ports", ports),
    "traffic": ("Throughput and request rate", traffic),
    "dns": ("Names: 200 clients in one container", dns),
}


def markdown(results):
    machine = results["machine"]
    lines = [f"Measured {machine['date']} on {machine['cpus']} cores of {machine['cpu']}, Linux "
             f"{machine['kernel']}, cgroup {machine['cgroup']}, store on {machine['filesystem']}. "
             "Peers in turn, every sample after a rest until the machine is idle.\n",
             "Versions: " + "; ".join(f"{name}: {version}" for name, version
                                      in results["versions"].items() if version) + ".\n"]
    lines += [f"n/a: {name}: {reason}\n" for name, reason in results["unavailable"].items()]
    for section, data in results["sections"].items():
        title, render = TITLES[section]
        if "reason" in data:
            lines.append(f"## {title}\n\nn/a: {data['reason']}\n")
        else:
            lines.append(f"## {title}\n\n{render(data)}")
    return "\n".join(lines)
