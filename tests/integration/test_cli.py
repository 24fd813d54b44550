# SPDX-License-Identifier: Apache-2.0
"""The command line as people type it: options, columns, messages, exit codes."""

import json
import os
import re
import subprocess

import pytest

from helpers.features import require, require_tool

ROW = re.compile(r"\s{2,}")


def lines(text):
    return text.splitlines()


def rows(text):
    return [ROW.split(line.strip()) for line in lines(text)]


# ---- without a container ----

def test_version_and_help_need_nothing(empty_skiff):
    assert lines(empty_skiff.run("version").stdout)[0] == "skiff:"
    assert empty_skiff.run("--version").stdout.startswith("skiff version ")
    assert empty_skiff.run().stdout == empty_skiff.run("--help").stdout
    assert not empty_skiff.root.exists() and not empty_skiff.state.exists()


def test_every_command_has_help_and_a_manual_page(empty_skiff, prefix):
    help_text = empty_skiff.run("--help").stdout
    names = re.findall(r"^  ([a-z]+)  +[A-Z]", help_text, re.MULTILINE)
    groups = re.findall(r"^  ([a-z]+) ", help_text.split("Management Commands:")[1]
                        .split("\n\n")[0], re.MULTILINE)
    assert len(names) > 25
    for name in names:
        assert empty_skiff.run(name, "--help").stdout.startswith(f"Usage:  skiff {name}")
        if name not in groups:
            assert (prefix / f"share/man/man1/skiff-{name}.1").is_file(), name
    assert (prefix / "share/man/man1/skiff.1").is_file()


@pytest.mark.parametrize("args, code, line", [
    (["foo"], 1, "skiff: unknown command: skiff foo"),
    (["container", "foo"], 1, "skiff: unknown command: skiff container foo"),
    (["--foo"], 125, "unknown flag: --foo"),
    (["run", "--foo", "x"], 125, "unknown flag: --foo"),
    (["run", "-Z", "x"], 125, "unknown shorthand flag: 'Z' in -Z"),
    (["run", "--memory"], 125, "flag needs an argument: --memory"),
    (["ps", "--last", "x"], 125,
     'invalid argument "x" for "-n, --last" flag: must be an integer'),
    (["rm"], 1, "skiff: 'skiff rm' requires at least 1 argument"),
    (["ps", "x"], 1, "skiff: 'skiff ps' accepts no arguments"),
    (["rename", "x"], 1, "skiff: 'skiff rename' requires 2 arguments"),
    (["exec", "x"], 1, "skiff: 'skiff exec' requires at least 2 arguments"),
])
def test_usage_errors(empty_skiff, args, code, line):
    result = empty_skiff.fails(*args, code=code)
    assert lines(result.stderr)[0] == line
    assert re.search(r"Run 'skiff .*--help' for more information$", result.stderr.rstrip())
    assert result.stdout == ""
    assert not empty_skiff.root.exists()


@pytest.mark.parametrize("args", [
    ["inspect", "nope"], ["logs", "nope"], ["stop", "nope"], ["kill", "nope"], ["rm", "nope"],
    ["start", "nope"], ["restart", "nope"], ["wait", "nope"], ["attach", "nope"],
    ["exec", "nope", "true"], ["top", "nope"], ["pause", "nope"], ["rename", "nope", "other"],
    ["rmi", "nope"], ["tag", "nope", "other"], ["image", "inspect", "nope"], ["start", "-a", "nope"],
])
def test_what_does_not_exist_is_one_line(empty_skiff, args):
    result = empty_skiff.fails(*args, code=1)
    assert len(lines(result.stderr)) == 1, result
    assert re.fullmatch(r"skiff: .*[Nn]o such (container|image|object): nope.*",
                        result.stderr.strip()), result


def test_run_of_an_unknown_image_is_125(empty_skiff):
    result = empty_skiff.fails("run", "localhost:1/nope", code=125)
    assert lines(result.stderr)[0] == "Unable to find image 'localhost:1/nope:latest' locally"
    assert len(lines(result.stderr)) == 2
    assert empty_skiff.fails("create", "localhost:1/nope", code=1).stdout == ""
    assert empty_skiff.containers() == []


def test_unprivileged_gets_one_line(empty_skiff):
    for args in (["ps"], ["run", "busybox"], ["exec", "x", "true"], ["images"]):
        result = empty_skiff.run(*args, check=False, user=65534, group=65534, extra_groups=[])
        assert result.code != 0
        assert len(lines(result.stderr)) == 1, result
        assert "root" in result.stderr, result


def test_output_that_cannot_be_written_is_a_failure(empty_skiff):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(empty_skiff.command("version"), stdout=full, stderr=subprocess.PIPE,
                              check=False)
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr


# ---- run and create ----

def test_exit_codes_of_run(skiff):
    assert skiff.run("run", "--rm", "busybox", "sh", "-c", "exit 7", check=False).code == 7
    killed = skiff.start()
    skiff.run("kill", killed)
    assert skiff.run("wait", killed).stdout == "137\n"
    skiff.run("rm", killed)
    missing = skiff.fails("run", "--rm", "busybox", "nonexistent", code=127)
    assert len(lines(missing.stderr)) == 1
    denied = skiff.fails("run", "--rm", "busybox", "/etc", code=126)
    assert len(lines(denied.stderr)) == 1
    assert skiff.containers() == []


def test_start_that_failed_leaves_the_container_without_rm(skiff):
    skiff.fails("run", "--name", "bad", "busybox", "nonexistent", code=127)
    assert skiff.status("bad") == "created"
    skiff.fails("start", "bad", code=1)


def test_environment(skiff, tmp_path):
    file = tmp_path / "env"
    file.write_text("# comment\n\nFROM_FILE=file value\nBOTH=file\nINHERITED\nNOT_SET\n")
    out = skiff.run("run", "--rm", "--env-file", file, "-e", "BOTH=option", "-e", "GIVEN=a=b",
                    "-e", "NOT_SET_EITHER", "-eEMPTY=", "busybox", "env",
                    env={"INHERITED": "from us", "SECRET": "box"}).stdout
    values = dict(line.split("=", 1) for line in lines(out))
    assert values["FROM_FILE"] == "file value"
    assert values["BOTH"] == "option"
    assert values["GIVEN"] == "a=b"
    assert values["INHERITED"] == "from us"
    assert values["EMPTY"] == ""
    assert not {"NOT_SET", "NOT_SET_EITHER", "SECRET", "SKIFF_TEST_CANARY"} & set(values)


def test_env_files_that_make_no_sense(skiff, tmp_path):
    file = tmp_path / "env"
    result = skiff.fails("run", "--env-file", file, "busybox", code=125)
    assert lines(result.stderr)[0] == f"skiff: open {file}: No such file or directory"
    for text, message in (("a b=1\n", "variable 'a b' contains whitespaces"),
                          ("=1\n", "no variable name on line '=1'")):
        file.write_text(text)
        result = skiff.fails("run", "--env-file", file, "busybox", code=125)
        assert lines(result.stderr)[0] == f"skiff: invalid env file ({file}): {message}"
    assert skiff.containers() == []


def test_labels(skiff, tmp_path):
    file = tmp_path / "labels"
    file.write_text("from.file=1\nboth=file\nbare\n")
    skiff.run("create", "--name", "box", "--label-file", file, "-l", "both=option", "--label",
              "alone", "busybox")
    labels = skiff.inspect("box")["Config"]["Labels"]
    assert {key: labels[key] for key in ("from.file", "both", "bare", "alone")} == {
        "from.file": "1", "both": "option", "bare": "", "alone": ""}
    assert skiff.run("ps", "-aq", "--filter", "label=both=option").stdout.strip()
    assert not skiff.run("ps", "-aq", "--filter", "label=both=file").stdout.strip()


def test_cidfile(skiff, tmp_path):
    file = tmp_path / "cid"
    container = skiff.run("create", "--cidfile", file, "busybox").stdout.strip()
    assert file.read_text() == container
    result = skiff.fails("run", "--cidfile", file, "busybox", "true", code=125)
    assert "container ID file found" in result.stderr
    other = tmp_path / "other"
    skiff.fails("run", "--cidfile", other, "nope", code=125)
    assert not other.exists()
    assert len(skiff.containers()) == 1


def test_detached_prints_the_id(skiff):
    for option in ("-d", "--detach", "--daemon"):
        result = skiff.run("run", option, "busybox", "sleep", "1000")
        assert re.fullmatch(r"[0-9a-f]{64}\n", result.stdout)
        assert result.stderr == ""
    assert len(lines(skiff.run("ps", "-q").stdout)) == 3


def test_a_terminal_is_wanted_and_there_is_none(skiff):
    for args in (["run", "-it", "busybox"], ["run", "--rm", "-ti", "busybox", "sh"]):
        result = skiff.fails(*args, code=1)
        assert result.stderr == "skiff: the input device is not a TTY\n"
    skiff.start("--name", "box")
    assert skiff.fails("exec", "-it", "box", "sh", code=1).stderr == (
        "skiff: the input device is not a TTY\n")
    assert len(skiff.containers()) == 1


def test_conflicting_options(skiff):
    result = skiff.fails("run", "-d", "-a", "stdout", "busybox", code=125)
    assert "cannot specify both --attach and --detach" in result.stderr


def test_attach_chooses_streams(skiff):
    command = ["busybox", "sh", "-c", "echo out; echo err >&2"]
    assert skiff.run("run", "--rm", "-a", "stdout", *command).stderr == ""
    only_errors = skiff.run("run", "--rm", "-a", "stderr", *command)
    assert (only_errors.stdout, only_errors.stderr) == ("", "err\n")


def test_input(skiff):
    assert skiff.run("run", "--rm", "-i", "busybox", "cat", input="a\nb").stdout == "a\nb"
    assert skiff.run("run", "--rm", "busybox", "cat", input="a\nb").stdout == ""


def test_entrypoint(skiff):
    assert skiff.run("run", "--rm", "--entrypoint", "echo", "busybox", "a", "b").stdout == "a b\n"


def test_options_after_the_image_belong_to_the_command(skiff):
    out = skiff.run("run", "--rm", "busybox", "echo", "--rm", "-it", "--", "--help").stdout
    assert out == "--rm -it -- --help\n"


# ---- lists ----

def test_columns_of_ps(skiff):
    container = skiff.start("--name", "web", command=("sh", "-c", "sleep 1000; echo \"x\""))
    skiff.run("run", "--name", "gone", "busybox", "sh", "-c", "exit 3", check=False)
    skiff.run("create", "--name", "new", "busybox", "true")

    header, row = lines(skiff.run("ps").stdout)
    assert ROW.split(header) == ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS",
                                 "NAMES"]
    cells = ROW.split(row)
    assert cells[0] == container[:12] and cells[1] == "busybox"
    assert cells[2] == '"sh -c sleep 1000; e…"'
    assert re.fullmatch(r"(Less than a second|\d+ seconds?) ago", cells[3])
    assert re.fullmatch(r"Up (Less than a second|\d+ seconds?)", cells[4])
    assert cells[-1] == "web"

    states = dict(rows(skiff.run("ps", "-a", "--format", "table {{.Names}}\\t{{.Status}}").stdout))
    assert states.pop("NAMES") == "STATUS"
    assert re.fullmatch(r"Exited \(3\) .* ago", states["gone"])
    assert states["new"] == "Created"


def test_choices_of_ps(skiff):
    first = skiff.start("--name", "first")
    second = skiff.run("create", "--name", "second", "busybox").stdout.strip()
    assert skiff.run("ps", "-q", "--no-trunc").stdout == first + "\n"
    assert lines(skiff.run("ps", "-aq").stdout) == [second[:12], first[:12]]
    assert skiff.run("ps", "-lq").stdout == second[:12] + "\n"
    assert len(lines(skiff.run("ps", "-q", "-n", "5").stdout)) == 2
    assert skiff.run("ps", "-aq", "-f", "name=sec").stdout == second[:12] + "\n"
    assert skiff.run("ps", "-q", "-f", "status=created").stdout == second[:12] + "\n"
    skiff.fails("ps", "-f", "color=red", code=1)
    skiff.fails("ps", "-f", "red", code=125)


def test_formats_of_ps(skiff):
    skiff.start("--name", "web", "-l", "a=b")
    (line,) = lines(skiff.run("ps", "--format", "json").stdout)
    shown = json.loads(line)
    assert shown["Names"] == "web" and shown["Labels"] == "a=b" and shown["State"] == "running"
    assert skiff.run("ps", "--format", "{{.Names}}:{{.Image}}").stdout == "web:busybox\n"
    result = skiff.fails("ps", "--format", "{{.Nonsense}}", code=1)
    assert result.stderr == (
        'skiff: template parsing error: template: :1:2: executing "" at <.Nonsense>: can\'t '
        "evaluate field Nonsense in type *formatter.ContainerContext\n")
    assert skiff.run("ps", "--format", '{{.Label "a"}}{{.Label "none"}}|{{len .ID}}').stdout == (
        "b|12\n")
    assert skiff.run("ps", "--format", "table {{.Names}}\\t{{upper .State}}").stdout == (
        "NAMES     STATE\nweb       RUNNING\n")


def test_images(skiff):
    skiff.run("tag", "busybox", "registry.example:5000/a/b:1.0")
    header, *shown = rows(skiff.run("images").stdout)
    assert header == ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]
    assert {(row[0], row[1]) for row in shown} == {
        ("busybox", "latest"), ("registry.example:5000/a/b", "1.0")}
    assert len({row[2] for row in shown}) == 1 and len(shown[0][2]) == 12
    assert len(lines(skiff.run("images", "-q", "busybox").stdout)) == 1
    assert lines(skiff.run("images", "--no-trunc", "-q").stdout)[0].startswith("sha256:")
    assert skiff.run("images", "-q", "-f", "dangling=true").stdout == ""
    assert "DIGEST" in skiff.run("images", "--digests").stdout
    skiff.fails("images", "-f", "x=y", code=1)


def test_rmi(skiff):
    skiff.run("tag", "busybox", "other:1")
    assert skiff.run("rmi", "other:1").stdout == "Untagged: other:1\n"
    container = skiff.run("create", "busybox").stdout.strip()
    assert container[:12] in skiff.fails("rmi", "busybox", code=1).stderr
    skiff.run("rm", container)
    out = lines(skiff.run("rmi", "busybox").stdout)
    assert out[0] == "Untagged: busybox:latest" and out[-1].startswith("Deleted: sha256:")
    assert len(lines(skiff.run("images").stdout)) == 1


# ---- several at once ----

def test_one_failure_does_not_stop_the_others(skiff):
    skiff.start("--name", "ant")
    skiff.start("--name", "bee")
    for command in (["pause"], ["unpause"], ["kill"], ["start"], ["stop", "-t", "0"],
                    ["restart", "-t", "0"], ["rm", "-f"]):
        result = skiff.run(*command, "ant", "nope", "bee", check=False)
        assert lines(result.stdout)[0] == "ant" and lines(result.stdout)[-1] == "bee", (command, result)
        assert len(lines(result.stdout)) == 2, (command, result)
        assert len(lines(result.stderr)) == 1, (command, result)
        # docker: with -f, what is not there is said, and is no failure
        assert result.code == (0 if command == ["rm", "-f"] else 1), (command, result)
    assert skiff.containers() == []


def test_prefixes_of_ids(skiff):
    container = skiff.start()
    assert skiff.run("stop", "-t", "0", container[:5]).stdout == container[:5] + "\n"
    assert skiff.run("rm", container[:20]).stdout == container[:20] + "\n"


# ---- a life ----

def test_start_attached(skiff):
    skiff.run("create", "--name", "box", "busybox", "sh", "-c", "echo hello; exit 5")
    result = skiff.run("start", "-a", "box", check=False)
    assert (result.stdout, result.code) == ("hello\n", 5)
    skiff.run("create", "-i", "--name", "yard", "busybox", "cat")
    assert skiff.run("start", "-ai", "yard", input="data").stdout == "data"
    assert "multiple containers" in skiff.fails("start", "-a", "box", "yard", code=1).stderr


def test_start_of_a_running_container_is_no_failure(skiff):
    skiff.start("--name", "box")
    pid = skiff.pid("box")
    assert skiff.run("start", "box").stdout == "box\n"
    assert skiff.pid("box") == pid


def test_rename_and_wait(skiff):
    skiff.run("run", "-d", "--name", "ant", "busybox", "sh", "-c", "exit 4")
    skiff.run("rename", "ant", "bee")
    assert skiff.run("wait", "bee").stdout == "4\n"
    skiff.fails("inspect", "ant", code=1)


def test_prune_asks(skiff):
    skiff.run("run", "--name", "old", "busybox", "true")
    skiff.start("--name", "new")
    question = "WARNING! This will remove all stopped containers."
    assert skiff.run("prune", input="n\n").stdout.startswith(question)
    assert skiff.run("prune", input="").stdout.startswith(question)
    assert len(skiff.containers()) == 2
    old = skiff.full_id("old")
    out = skiff.run("container", "prune", input="y\n").stdout
    assert f"Deleted Containers:\n{old}\n" in out and "Total reclaimed space: " in out
    assert len(skiff.containers()) == 1
    assert skiff.run("prune", "-f").stdout.startswith("Total reclaimed space: ")


def test_inspect(skiff):
    skiff.run("create", "--name", "box", "busybox")
    both = json.loads(skiff.run("inspect", "box", "busybox").stdout)
    assert both[0]["Name"] == "/box" and "busybox:latest" in both[1]["RepoTags"]
    result = skiff.run("inspect", "nope", "box", check=False)
    assert result.code == 1 and len(json.loads(result.stdout)) == 1
    assert result.stderr == "skiff: No such object: nope\n"
    assert "container" in skiff.fails("inspect", "--type", "container", "busybox", code=1).stderr
    skiff.run("volume", "create", "vol")
    assert json.loads(skiff.run("inspect", "vol").stdout)[0]["Name"] == "vol"
    assert "volume" in skiff.fails("inspect", "--type", "volume", "box", code=1).stderr
    skiff.fails("inspect", "--type", "task", "box", code=1)


def test_top(skiff):
    skiff.start("--name", "box", command=("sleep", "1000"))
    header, row = rows(skiff.run("top", "box").stdout)
    assert header == ["PID", "HOST PID", "PPID", "USER", "TIME", "COMMAND"]
    assert row[0] == "1" and int(row[1]) == skiff.pid("box") and row[2] == "0"
    assert row[3] == "root" and row[-1] == "sleep 1000"
    assert rows(skiff.run("top", "box", "-eo", "pid,args").stdout) == [
        ["PID", "COMMAND"], ["1", "sleep 1000"]]
    assert rows(skiff.run("top", "box", "-ef").stdout)[0][0] == "USER"
    result = skiff.fails("top", "box", "aux", code=1)
    assert result.stderr == "skiff: ps option 'aux' is not supported by top (-e, -f, -o LIST)\n"


def test_info(skiff):
    text = skiff.run("info").stdout
    assert "Containers: 0" in text and "Images: 1" in text
    assert re.search(r"^Default Network: none", text, re.MULTILINE)
    assert str(skiff.root) in text


# ---- completion and manual ----

def test_names_for_completion(skiff):
    skiff.start("--name", "up")
    skiff.run("create", "--name", "down", "busybox")

    def names(what):
        return sorted(skiff.run("__complete", what).stdout.split())

    assert names("containers") == ["down", "up"]
    assert names("running") == ["up"]
    assert names("stopped") == ["down"]
    assert names("images") == ["busybox:latest"]
    assert names("objects") == ["busybox:latest", "down", "up"]


BASH = r"""
source /usr/share/bash-completion/bash_completion
source "$COMPLETION"
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_skiff
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("typed, offered", [
    (["ru"], ["run"]),
    (["container", "pr"], ["prune"]),
    (["run", "--netw"], ["--network", "--network-alias"]),
    (["run", "--network", "h"], ["host"]),
    (["rm", "-f", ""], ["down", "up"]),
    (["exec", "-it", ""], ["up"]),
    (["start", ""], ["down"]),
    (["run", "--rm", "busy"], ["busybox:latest"]),
    (["run", "busybox", "--netw"], [""]),
])
def test_bash_completion(skiff, prefix, typed, offered):
    script = prefix / "share/bash-completion/completions/skiff"
    require(os.path.exists("/usr/share/bash-completion/bash_completion"), "bash-completion")
    skiff.start("--name", "up")
    skiff.run("create", "--name", "down", "busybox")
    words = [*skiff.command(), *typed]
    done = subprocess.run(["bash", "-c", BASH, "-", *words], env={
        **skiff.environment, "COMPLETION": str(script)}, stdout=subprocess.PIPE, check=True,
        text=True)
    assert sorted(done.stdout.split("\n")[:-1]) == offered


def test_fish_completion(skiff, prefix):
    require_tool("fish")
    script = prefix / "share/fish/vendor_completions.d/skiff.fish"
    skiff.start("--name", "up")
    # fish completes for the program's name, and asks the program that was typed.
    line = " ".join([*skiff.command(), "stop", ""])
    done = subprocess.run(["fish", "-N", "-c", f"source {script}; complete -C '{line}'"],
                          env=skiff.environment, stdout=subprocess.PIPE, check=True, text=True)
    assert done.stdout.split() == ["up"]


@pytest.mark.parametrize("options", [
    ("-H", "unix:///var/run/docker.sock"), ("--host", "tcp://127.0.0.1:2375"), ("--tls",), ("--tlsverify",),
    ("--tlscacert", "ca.pem"), ("--tlscert", "cert.pem"), ("--tlskey", "key.pem")])
def test_options_for_a_daemon_are_refused_with_the_reason(empty_skiff, options):
    refused = empty_skiff.fails(*options, "ps", code=125)
    assert "there is no daemon to connect to" in refused.stderr and not refused.stdout


def test_the_context_and_the_log_level_before_the_command(empty_skiff):
    plain = empty_skiff.run("version", "--format", "{{.Client.Version}}")
    for options in (("--context", "default"), ("-c", "default"), ("--tls=false",), ("--tlsverify=false",),
                    ("--log-level", "error"), ("-l", "info")):
        same = empty_skiff.run(*options, "version", "--format", "{{.Client.Version}}")
        assert (same.stdout, same.stderr) == (plain.stdout, ""), options
    refused = empty_skiff.fails("--context", "elsewhere", "ps", code=125)
    assert "context not found" in refused.stderr and "without a daemon" in refused.stderr
    refused = empty_skiff.fails("--log-level", "loud", "ps", code=125)
    assert 'invalid argument "loud" for "-l, --log-level" flag' in refused.stderr


def test_log_level_debug_is_the_option_debug(skiff):
    assert "skiff" in skiff.run("--log-level", "debug", "run", "--rm", "busybox", "true").stderr
    assert skiff.run("--log-level", "info", "run", "--rm", "busybox", "true").stderr == ""


@pytest.mark.parametrize("args", [
    ("create", "other", "--docker", "host=ssh://there", "--description", "x"), ("create", "x", "--from", "default"),
    ("export", "default"), ("export", "default", "-"), ("import", "other", "-"),
    ("update", "default", "--description", "x")])
def test_contexts_cannot_be_made_or_changed(empty_skiff, args):
    refused = empty_skiff.fails("context", *args, code=1)
    assert "there is no daemon that a context could name" in refused.stderr and not refused.stdout


def test_the_one_context_stays(empty_skiff):
    assert 'context "default" cannot be removed' in empty_skiff.fails("context", "rm", "-f", "default", code=1).stderr
    assert "context not found" in empty_skiff.fails("context", "rm", "other", code=1).stderr
    assert empty_skiff.run("context", "rm", "--force", "other").stdout == "other\n"
    assert empty_skiff.run("context", "ls", "-q").stdout == "default\n"


def test_a_directory_as_config_is_that_of_docker(skiff, tmp_path):
    (tmp_path / "config.json").write_text('{"proxies": {"default": {"httpProxy": "http://p:1"}}}')
    shown = skiff.run("--config", tmp_path, "run", "--rm", "busybox", "env").stdout
    assert "HTTP_PROXY=http://p:1\n" in shown
