# SPDX-License-Identifier: Apache-2.0
"""One command for several containers deals with them side by side."""


def waiting_for_each_other(skiff, own, other):
    """Ends well only when the other one was told to stop before this one has ended."""
    wait = f"touch /shared/{own}; until [ -e /shared/{other} ]; do sleep 0.05; done; exit 7"
    container = skiff.start("--name", own, "-v", "shared:/shared",
                            command=("sh", "-c", f"trap '{wait}' TERM; echo ready; "
                                                 "while :; do sleep 0.05; done"))
    skiff.wait_for_output(container, "ready")


def test_stop_tells_all_before_it_waits_for_one(skiff):
    waiting_for_each_other(skiff, "one", "two")
    waiting_for_each_other(skiff, "two", "one")
    result = skiff.run("stop", "-t", "60", "one", "nosuch", "two", check=False)
    assert result.code == 1
    assert result.stdout == "one\ntwo\n"
    assert result.stderr.count("\n") == 1 and "nosuch" in result.stderr
    for name in ("one", "two"):
        assert skiff.inspect(name)["State"]["ExitCode"] == 7


def test_rm_of_many(skiff):
    names = [f"box{number}" for number in range(20)]
    for name in names:
        skiff.run("create", "--name", name, "busybox")
    result = skiff.run("rm", *names)
    assert result.stdout == "".join(f"{name}\n" for name in names)
    assert skiff.run("ps", "-aq").stdout == ""


def test_rm_force_does_not_mind_what_is_not_there(skiff):
    skiff.start("--name", "box")
    result = skiff.run("rm", "-f", "nosuch", "box", check=False)
    assert result.code == 0 and result.stdout == "box\n"
    assert "No such container: nosuch" in result.stderr
