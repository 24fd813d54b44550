# SPDX-License-Identifier: Apache-2.0
"""cp, diff, export and commit side by side with a docker of our own: the same command line, the
same exit code, words and files. A case is a line."""

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass

import docker_archive
import pytest

from helpers.foreign import Dockerd

IMAGE = "likedocker:test"


def lines(table):
    return [line.split(" ") for line in table.strip().splitlines()]


def add_work(layer, work):
    """A directory with one of everything."""
    for name in ("", "/dir", "/dir/sub", "/empty", "/gone", "/opaque"):
        layer.directory(f"{work}{name}")
    layer.file(f"{work}/file", "image's", uid=5, gid=6)
    layer.file(f"{work}/dir/inner", "inner")
    layer.file(f"{work}/dir/sub/deep", "deep")
    layer.file(f"{work}/gone/one", "one")
    layer.file(f"{work}/opaque/old", "old")
    layer.file(f"{work}/mode", "mode", mode=0o4755)
    layer.symlink(f"{work}/link", "file")
    layer.symlink(f"{work}/linkdir", "dir")
    layer.symlink(f"{work}/absolute", f"/{work}/dir")
    layer.symlink(f"{work}/broken", "nothing")
    layer.symlink(f"{work}/tonew", f"/{work}/dir/new")
    layer.hardlink(f"{work}/hard", f"{work}/file")
    layer.fifo(f"{work}/fifo")


def make_image(path):
    """busybox, /work, and a /NUMBER/work for every case of cp in."""
    image = docker_archive.Image(IMAGE, config={"Cmd": ["sh"], "Env": ["WHO=docker"]})
    base = image.layer()
    for name in ("bin", "etc", "tmp"):
        base.directory(name)
    with open("/bin/busybox", "rb") as program:
        base.file("bin/busybox", program.read(), mode=0o755)
    applets = subprocess.run(["/bin/busybox", "--list"], stdout=subprocess.PIPE, check=True,
                             text=True).stdout.split()
    for name in applets:
        if name != "busybox":
            base.hardlink(f"bin/{name}", "bin/busybox", mode=0o755)
    base.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:77:88::/:/bin/sh\n")
    base.file("etc/group", "root:x:0:\n")
    add_work(base, "work")
    for number, _ in enumerate(lines(CP_IN)):
        base.directory(str(number))
        add_work(base, f"{number}/work")
    image.write_docker_archive(path)


def make_host(directory):
    """What is copied from, and to, on the host."""
    shutil.rmtree(directory, ignore_errors=True)
    for name in ("dir/sub", "empty", "into/dir"):
        (directory / name).mkdir(parents=True)
    for name, text in (("file", "host's"), ("dir/inner", "from the host"), ("dir/more", "more"),
                       ("into/old", "old"), ("with space", "x")):
        (directory / name).write_text(text)
    os.chown(directory / "file", 500, 501)
    os.chmod(directory / "dir/more", 0o640)
    os.symlink("file", directory / "link")
    os.symlink("dir", directory / "linkdir")
    os.symlink("nothing", directory / "broken")
    os.symlink("into/fresh", directory / "tonew")
    os.link(directory / "dir/more", directory / "dir/zhard")


@dataclass
class Engine:
    """One of the two, as a command."""
    name: str
    command: list
    environment: dict

    def run(self, *args, cwd=None, check=True, input=None):
        done = subprocess.run([*self.command, *args], cwd=cwd, env=self.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              timeout=120, **({"input": input} if input is not None
                                              else {"stdin": subprocess.DEVNULL}))
        if check:
            assert done.returncode == 0, (self.name, args, done.stderr)
        return done


@pytest.fixture(scope="module")
def docker(tmp_path_factory):
    work = tmp_path_factory.mktemp("dockerd")
    make_image(work / "image.tar")
    group = "/skiff-test-dockerd"
    with Dockerd(work, "overlay2", ["--cgroup-parent", group]) as daemon:
        daemon.run("load", "-i", work / "image.tar")
        yield Engine("docker", daemon.docker, {"PATH": os.environ["PATH"], "HOME": str(work)})
    for base, _, _ in os.walk("/sys/fs/cgroup"):
        if base.endswith(group):
            subprocess.run(["find", base, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"],
                           stderr=subprocess.DEVNULL, check=False)


@pytest.fixture
def both(docker, make_skiff, tmp_path):
    make_image(tmp_path / "image.tar")
    skiff = make_skiff()
    skiff.load(tmp_path / "image.tar")
    ours = Engine("skiff", skiff.command(), skiff.environment)
    yield docker, ours
    ids = docker.run("ps", "-aq").stdout.split()
    if ids:
        docker.run("rm", "-f", "-v", *(one.decode() for one in ids))


def words(done, *directories):
    """The message without who says it and where things lie."""
    text = done.stderr.decode()
    for prefix in ("Error response from daemon: ", "skiff: ", "Error processing tar file"):
        text = text.replace(prefix, "")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("time="))
    for directory in directories:
        text = text.replace(str(directory), "HOST")
    text = re.sub(r"\(exit status \d+\): ", "", text)
    text = re.sub(r"/\S*/merged", "", text)
    return text.strip().lower()


def listing(data, below=""):
    """name -> (type, mode, owner, link, content) of an archive, docker's own files left out."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            if not member.name.startswith(below):
                continue
            content = archive.extractfile(member).read() if member.isreg() else b""
            found[member.name] = (member.type, oct(member.mode & 0o7777),
                                  f"{member.uid}:{member.gid}", member.linkname, content)
    return found


def host_listing(directory):
    found = {}
    for path in sorted(directory.rglob("*")):
        st = path.lstat()
        text = os.readlink(path) if path.is_symlink() else path.read_text() \
            if path.is_file() else ""
        found[str(path.relative_to(directory))] = (oct(st.st_mode), f"{st.st_uid}:{st.st_gid}",
                                                   text)
    return found


# What docker says differently in its versions, or with paths of its own.
OWN_WORDS = re.compile(r"^lstat|not a directory|getent|cannot overwrite|unlinkat|"
                       r"could not find the file|no such file|no such container:path")

CP_IN = """
file /work/new
file /work
file /work/
file /work/.
file /work/file
file /work/link
file /work/broken
file /work/tonew
file /work/dir
file /work/linkdir
file /work/linkdir/
file /work/absolute
file /work/none/
file /work/none/.
file /work/none/deeper
file /work/file/
file /work/file/below
file work/relative
file /work/../work/dots
file /work/dir/sub
link /work/new
link /work/dir
link/ /work/new
-L link /work/new
-L link /work/dir
broken /work/new
-L broken /work/new
dir /work/new
dir /work/new/
dir /work/new/.
dir /work
dir /work/dir
dir /work/file
dir /work/link
dir /work/linkdir
dir /work/broken
dir /work/none/deeper
dir/ /work/new
dir/ /work/dir
dir/. /work/new
dir/. /work/dir
dir/. /work/file
dir/./ /work/dir
linkdir /work/new
linkdir /work/dir
linkdir/ /work/new
linkdir/ /work/empty
linkdir/. /work/empty
-L linkdir /work/new
-L linkdir /work/empty
empty /work/new
empty /work/empty
missing /work
file/ /work
dir/more /work/mode
./dir/../file /work/new
-a file /work/new
. /work/all
"""

CP_OUT = """
/work/file new
/work/file into
/work/file into/
/work/file into/.
/work/file file
/work/file link
/work/file broken
/work/file tonew
/work/file linkdir
/work/file none/
/work/file none/deeper
/work/file file/
/work/link new
/work/link into
/work/link/ into
-L /work/link new
-L /work/link into
-L /work/broken new
/work/broken new
/work/dir new
/work/dir new/
/work/dir into
/work/dir file
/work/dir dir
/work/dir link
/work/dir/ new
/work/dir/. new
/work/dir/. into
/work/dir/. file
/work/linkdir new
/work/linkdir/ new
/work/linkdir/. new
-L /work/linkdir new
-L /work/linkdir into
-L /work/absolute into
/work/absolute/sub into
/work/linkdir/inner into
work/file new
/work/../work/file new
/work/missing new
/work/file/ new
/work/file/below new
/work/fifo new
/work/mode new
/work all
/work/. all
/work/empty new
"""


class Differences:
    """All cases that differ, each with what docker did and what we did."""

    def __init__(self):
        self.found = []

    def compare(self, case, docker, skiff):
        """Pairs of a finished process and its message; then whatever else must be the same."""
        same = skiff[0].returncode == docker[0].returncode and skiff[0].stdout == docker[0].stdout
        if not OWN_WORDS.search(docker[1]):
            same = same and skiff[1] == docker[1]
        if not same or docker[2:] != skiff[2:]:
            self.found.append(f"{case}: docker: {docker[0].returncode} {docker[1:]}\n"
                              f"    skiff: {skiff[0].returncode} {skiff[1:]}")

    def __str__(self):
        return "\n".join(self.found)


def test_cp_in(both, tmp_path):
    cases = lines(CP_IN)
    results = []
    make_host(tmp_path / "host")
    for engine in both:
        engine.run("create", "--name", "target", IMAGE, "true")
        done = []
        for number, (*options, source, target) in enumerate(cases):
            target = re.sub("(^|/)work", rf"\g<1>{number}/work", target)
            done.append(engine.run("cp", *options, source, f"target:{target}",
                                   cwd=tmp_path / "host", check=False))
        files = listing(engine.run("export", "target").stdout)
        results.append([(one, words(one, tmp_path / "host"),
                         {name: file for name, file in files.items()
                          if name.startswith(f"{number}/")})
                        for number, one in enumerate(done)])
    differences = Differences()
    for case, docker, skiff in zip(cases, *results):
        differences.compare(case, docker, skiff)
    assert not differences.found, str(differences)


def test_cp_out(both, tmp_path):
    cases = lines(CP_OUT)
    results = []
    for engine in both:
        engine.run("create", "--name", "source", IMAGE, "true")
        done = []
        for *options, source, target in cases:
            make_host(tmp_path / "host")
            one = engine.run("cp", *options, f"source:{source}", target, cwd=tmp_path / "host",
                             check=False)
            done.append((one, words(one, tmp_path / "host"), host_listing(tmp_path / "host")))
        results.append(done)
    differences = Differences()
    for case, docker, skiff in zip(cases, *results):
        differences.compare(case, docker, skiff)
    assert not differences.found, str(differences)


CP_STREAM = ["/work", "/work/", "/work/.", "/work/file", "/work/link", "/work/linkdir",
             "/work/linkdir/", "/work/linkdir/.", "/work/dir/sub", "/work/fifo"]


def test_cp_to_a_stream(both):
    results = []
    for engine in both:
        engine.run("create", "--name", "source", IMAGE, "true")
        results.append([(path, options, list(listing(engine.run(
            "cp", *options, f"source:{path}", "-").stdout).items()))
            for path in CP_STREAM for options in ([], ["-L"])])
    for docker, skiff in zip(*results):
        assert skiff == docker


# What is done in a container, one line each.
ACTIONS = """
true
echo new > /new
mkdir -p /a/b/c
mkdir /work/fresh && echo x > /work/fresh/file
echo more >> /work/file
echo more >> /work/dir/sub/deep
rm /work/file
rm /work/dir/sub/deep
rm -r /work/dir
rm -r /work/gone && mkdir /work/gone
rm -r /work/opaque && mkdir /work/opaque && echo x > /work/opaque/new && echo y > /work/opaque/old
rm -r /work/dir && echo x > /work/dir
rm /work/file && mkdir /work/file
rm /work/link && echo x > /work/link
ln -sf elsewhere /work/link
ln /work/mode /work/mode2
chmod 600 /work/mode
chmod 700 /work/dir
chown 7:8 /work/file
chown 7:8 /work/dir/sub
touch /work/dir
touch -d @1000000000 /work/dir/inner
mv /work/file /work/moved
mv /work/dir /work/moved
mv /work/fifo /tmp/
mkfifo /tmp/pipe
mknod /tmp/node c 1 3
cp -a /work /copy
echo x > /work/new && rm /work/new
echo x > /tmp/scratch; rm /tmp/scratch
echo x > '/tmp/a name'
echo x > /etc/passwd; rm /etc/group
rm -r /work /tmp
"""


def actions():
    return ACTIONS.strip().splitlines()


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_diff_and_export(both, running):
    """Each action in a container of its own; then what both say of it."""
    chosen = actions()[1::4] if running else actions()
    results = []
    for engine in both:
        names = []
        for number, action in enumerate(chosen):
            names.append(f"case{number}")
            engine.run("run", "-d", "--network", "none", "--name", names[-1], IMAGE, "sh", "-c",
                       f"({action}) 2>&1; exec sleep {1000 if running else 0}")
        if not running:
            engine.run("wait", *names)
        results.append([(engine.run("diff", name).stdout.decode().splitlines(),
                         listing(engine.run("export", name).stdout)) for name in names])
        engine.run("kill" if running else "start", *names)
    differences = []
    for action, docker, skiff in zip(chosen, *results):
        if sorted(docker[0]) != sorted(skiff[0]):  # docker's order is that of its hash tables
            differences.append(f"{action}: docker diff: {docker[0]}\n  skiff diff: {skiff[0]}")
        theirs, ours = without_machinery(docker[1]), without_machinery(skiff[1])
        if theirs != ours:
            differences.append(f"{action}: export differs: {different_names(theirs, ours)}")
    assert not differences, "\n".join(differences)


# What each engine puts below every container: docker's list is longer.
MACHINERY = re.compile(r"^(\.dockerenv|dev|proc|sys|etc/(hostname|hosts|resolv\.conf|mtab))(/|$)|^etc$")


def without_machinery(files):
    return {name: file for name, file in files.items() if not MACHINERY.match(name)}


def different_names(theirs, ours):
    return sorted(name for name in {*theirs, *ours} if theirs.get(name) != ours.get(name))


# --change, one image each; several instructions are separated by " | ".
CHANGES = """
CMD ls -l
CMD ["ls", "-l"]
CMD []
ENTRYPOINT ["/bin/sh", "-c"]
ENTRYPOINT top -b
CMD ["a"] | ENTRYPOINT ["b"]
ENTRYPOINT ["b"] | CMD ["a"]
ENV A=1
ENV A=1 B="two words" C=three\\ words D='single $WHO'
ENV OLD way of  saying it
ENV WHO=me
ENV NEXT=$WHO-${WHO}x MORE=${NOT:-default} LESS=${WHO:+set}
LABEL a=b
LABEL "quoted key"="quoted value" other=$WHO
EXPOSE 80
EXPOSE 80/tcp 53/udp 8000-8002
USER 77:88
USER $WHO
VOLUME /data
VOLUME /one /two
VOLUME ["/json", "/form"]
WORKDIR /work
WORKDIR relative
WORKDIR /a | WORKDIR b/../c
ONBUILD RUN make
ONBUILD COPY . /src | ONBUILD RUN make
HEALTHCHECK NONE
HEALTHCHECK --interval=5s --retries=3 CMD true
HEALTHCHECK CMD ["true", "x"]
cmd lower case
RUN true
FROM x
ENV
ENV broken
ENV =x
EXPOSE nothing
WORKDIR
NONSENSE x
"""

CONFIG_KEYS = ("Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild",
               "StopSignal", "User", "Volumes", "WorkingDir")


def image_config(engine, name):
    inspected = json.loads(engine.run("inspect", name).stdout)[0]
    config = inspected["Config"]
    return {key: config.get(key) or None for key in CONFIG_KEYS} | {
        "Author": inspected["Author"], "Comment": inspected["Comment"]}


def test_commit_changes(both):
    """What the image says afterwards, or that it is refused."""
    results = []
    for engine in both:
        engine.run("create", "--name", "source", "--env", "MORE=1", "--label", "of=container",
                   IMAGE, "echo", "hi there")
        said = []
        for number, line in enumerate(lines_of(CHANGES)):
            changes = [part for one in line.split(" | ") for part in ("--change", one)]
            done = engine.run("commit", "-a", "Me <me@example.org>", "-m", "why", *changes,
                              "source", f"image:{number}", check=False)
            said.append((line, done.returncode, image_config(engine, f"image:{number}")
                         if done.returncode == 0 else None))
        engine.run("rm", "source")
        for number, (_, code, _) in enumerate(said):
            if code == 0:
                engine.run("rmi", f"image:{number}")
        results.append(said)
    different = [f"docker: {docker}\n skiff: {skiff}"
                 for docker, skiff in zip(*results) if docker != skiff]
    assert not different, "\n".join(different)


def lines_of(table):
    return table.strip().splitlines()


def test_commit_files(both):
    """An image of what was done: what is in it, and that it runs."""
    results = []
    for engine in both:
        said = []
        for number, action in enumerate(actions()[:-1]):
            engine.run("run", "--network", "none", "--name", "source", IMAGE, "sh", "-c",
                       f"({action}) 2>&1; true")
            engine.run("commit", "source", f"image:{number}")
            engine.run("create", "--name", "there", f"image:{number}", "true")
            said.append(without_machinery(listing(engine.run("export", "there").stdout)))
            engine.run("rm", "source", "there")
            engine.run("rmi", f"image:{number}")
        results.append(said)
    for action, docker, skiff in zip(actions(), *results):
        assert not different_names(docker, skiff), action


def test_each_runs_the_other_s_image(both, tmp_path):
    """With a whiteout, an opaque directory, a sparse file and a hard link in it."""
    docker, skiff = both
    script = ("rm /work/file; rm -r /work/opaque; mkdir /work/opaque; echo new > /work/opaque/new; "
              "truncate -s 5000000 /work/sparse; echo end >> /work/sparse; ln /work/mode /work/m2")
    check = ("ls /work/file; ls /work/opaque; stat -c %s /work/sparse; tail -c 4 /work/sparse; "
             "stat -c %h /work/m2")
    for maker, user in ((docker, skiff), (skiff, docker)):
        maker.run("run", "--network", "none", "--name", "source", IMAGE, "sh", "-c", script)
        maker.run("commit", "source", f"by{maker.name}:1")
        maker.run("save", "-o", str(tmp_path / "image.tar"), f"by{maker.name}:1")
        user.run("load", "-i", str(tmp_path / "image.tar"))
        done = user.run("run", "--rm", "--network", "none", f"by{maker.name}:1", "sh", "-c", check)
        assert done.stdout.decode().split() == ["new", "5000004", "end", "2"]
        assert b"No such file" in done.stderr
        for engine in both:
            engine.run("rmi", "-f", f"by{maker.name}:1")
        maker.run("rm", "source")
