"""systemctl.py VERB UNIT... - as much of systemd as tests/distributions/nodes needs: it runs the units that the frame
writes, as their users, starts what ends again, and stops all that one has started."""
import os
import pwd
import grp
import re
import shlex
import signal
import subprocess
import sys
import time

UNITS, STATE, LOGS = "/etc/systemd/system", "/run/units", "/var/log/units"
STOP_S = 60


def read_unit(name):
    values, section = {}, ""
    with open(f"{UNITS}/{name}.service") as lines:
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and not line.startswith("#"):
                key, value = line.split("=", 1)
                values.setdefault(key, []).append(value)
    return values


def environment(unit, user):
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": user.pw_dir, "USER": user.pw_name, "LANG": "C.UTF-8"}
    for value in unit.get("Environment", []):
        env.update(one.split("=", 1) for one in shlex.split(value))
    for path in unit.get("EnvironmentFile", []):
        with open(path.lstrip("-")) as lines:
            for line in map(str.strip, lines):
                if "=" in line and not line.startswith("#"):
                    key, value = line.split("=", 1)
                    env[key] = value.strip("'\"")
    return env


def words(command, env):
    found = []
    for word in shlex.split(command.lstrip("-+!@")):
        word = word.replace("%%", "%")
        bare = re.fullmatch(r"\$([A-Za-z_]\w*)", word)
        if bare:
            found += env.get(bare[1], "").split()
        else:
            found.append(re.sub(r"\$\{([A-Za-z_]\w*)\}", lambda m: env.get(m[1], ""), word))
    return found


def start_process(unit, command, env, log):
    user = pwd.getpwnam(unit.get("User", ["root"])[-1])
    group = grp.getgrnam(unit["Group"][-1]).gr_gid if "Group" in unit else user.pw_gid

    def become():
        os.setsid()
        os.initgroups(user.pw_name, group)
        os.setgid(group)
        os.setuid(user.pw_uid)

    folder = unit.get("WorkingDirectory", ["/"])[-1]
    return subprocess.Popen(words(command, env), env=env, cwd=folder, preexec_fn=become, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def supervise(name):
    """Runs a unit until it is told to stop."""
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(1))
    with open(f"{STATE}/{name}.pid", "w") as out:
        out.write(str(os.getpid()))
    while not ending:
        unit = read_unit(name)
        user = pwd.getpwnam(unit.get("User", ["root"])[-1])
        with open(f"{LOGS}/{name}.log", "ab") as log:
            try:
                env = environment(unit, user)
                for command in unit.get("ExecStartPre", []):
                    if start_process(unit, command, env, log).wait() != 0:
                        raise RuntimeError(command)
                process = start_process(unit, unit["ExecStart"][-1], env, log)
                with open(f"{STATE}/{name}.main", "w") as out:
                    out.write(str(process.pid))
                while process.poll() is None and not ending:
                    time.sleep(0.05)
                os.remove(f"{STATE}/{name}.main")
                end = time.time() + STOP_S
                try:
                    os.killpg(process.pid, signal.SIGTERM)
                    while process.poll() is None and time.time() < end:
                        time.sleep(0.05)
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
                log.write(f"-- {name} ended with {process.returncode}\n".encode())
            except Exception as error:
                log.write(f"-- {name}: {error!r}\n".encode())
        if not ending:
            time.sleep(float(unit.get("RestartSec", ["2"])[-1]))
    os.remove(f"{STATE}/{name}.pid")


def pid_of(path):
    try:
        with open(path) as text:
            pid = int(text.read())
        os.kill(pid, 0)
        return pid
    except (OSError, ValueError):
        return None


def stop(name):
    pid = pid_of(f"{STATE}/{name}.pid")
    if pid:
        os.kill(pid, signal.SIGTERM)
    while pid_of(f"{STATE}/{name}.pid"):
        time.sleep(0.05)


def start(name):
    if name.startswith("stampede-") or pid_of(f"{STATE}/{name}.pid"):
        return
    subprocess.Popen([sys.executable, __file__, "--supervise", name], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not pid_of(f"{STATE}/{name}.pid"):
        time.sleep(0.02)


def main():
    os.makedirs(STATE, exist_ok=True)
    os.makedirs(LOGS, exist_ok=True)
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    verb, *names = [word for word in sys.argv[1:] if not word.startswith("-")] or [""]
    if "--supervise" in options:
        return supervise(verb)
    wants = UNITS + "/multi-user.target.wants"
    for name in (name.removesuffix(".service") for name in names):
        if verb == "is-active":
            is_active = pid_of(f"{STATE}/{name}.main") is not None
            if "--quiet" not in options:
                print("active" if is_active else "inactive")
            return 0 if is_active else 3
        if verb in ("stop", "restart", "try-restart") or verb == "disable" and "--now" in options:
            stop(name)
        if verb in ("start", "restart") or verb == "enable" and "--now" in options:
            start(name)
        if verb == "enable":
            os.makedirs(wants, exist_ok=True)
            if not os.path.lexists(f"{wants}/{name}.service"):
                os.symlink(f"../{name}.service", f"{wants}/{name}.service")
        if verb == "disable" and os.path.lexists(f"{wants}/{name}.service"):
            os.remove(f"{wants}/{name}.service")
    return 0


sys.exit(main())
